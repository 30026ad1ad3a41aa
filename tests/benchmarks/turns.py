"""Runs of asynchronous work that take turns, so that what slows the machine slows all of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from time import perf_counter

__all__ = ["Work", "durations", "rates"]

Work = Callable[[], Awaitable[object]]
Values = dict[str, list[float]]


async def rates(works: dict[str, Work], *, rounds: int, seconds: float, tasks: int) -> Values:
    """Calls a second of each work, one value a round, made by `tasks` at a time for `seconds`."""
    for work in works.values():
        await _rate(work, seconds / 2, tasks)  # caches, plans, connections
    return await _take_turns(
        {name: partial(_rate, work, seconds, tasks) for name, work in works.items()}, rounds
    )


async def durations(works: dict[str, Work], *, rounds: int, repeats: int = 1) -> Values:
    """Seconds a call of each work, one value a round, the mean of `repeats` calls."""
    for work in works.values():
        await work()
    return await _take_turns(
        {name: partial(_duration, work, repeats) for name, work in works.items()}, rounds
    )


async def _take_turns(measures: dict[str, Callable[[], Awaitable[float]]], rounds: int) -> Values:
    values: Values = {name: [] for name in measures}
    for names in _orders(list(measures), rounds):
        for name in names:
            gc.collect()  # nobody pays for what another left
            values[name].append(await measures[name]())
    return values


def _orders(names: list[str], rounds: int) -> Iterator[list[str]]:
    """Forwards and backwards in turn: whoever comes second does not always come second."""
    for number in range(rounds):
        yield names if number % 2 == 0 else names[::-1]


async def _rate(work: Work, seconds: float, tasks: int) -> float:
    calls = 0
    started = perf_counter()
    until = started + seconds

    async def one_after_the_other() -> None:
        nonlocal calls
        while perf_counter() < until:
            await work()
            calls += 1

    await asyncio.gather(*(one_after_the_other() for _ in range(tasks)))
    return calls / (perf_counter() - started)


async def _duration(work: Work, repeats: int) -> float:
    started = perf_counter()
    for _ in range(repeats):
        await work()
    return (perf_counter() - started) / repeats
