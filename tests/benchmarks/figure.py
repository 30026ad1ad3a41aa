"""One measured figure, and the medians of interleaved runs that it is made of."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median, quantiles
from time import perf_counter_ns
from typing import Literal, Self

import msgspec

__all__ = ["Figure", "Pair", "interleave"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """A row of var/bench/results.json: what was measured here, in this process and run.

    `ours` and `peer` are medians in `unit`; `ratio` is ours / peer; `target` bounds the ratio, or `ours`
    where there is no peer; `spread` is the middle half of the rounds' ratios, relative to their median.
    """

    name: str
    ours: float
    peer: float | None
    unit: str
    ratio: float | None
    target: float
    bound: Literal["at most", "at least"]
    met: bool
    spread: float

    @classmethod
    def at_most(cls, name: str, pair: Pair, target: float) -> Self:
        """A figure that is better when it is smaller, such as a time."""
        return cls._of(name, pair, target, "at most", met=pair.ratio <= target)

    @classmethod
    def at_least(cls, name: str, pair: Pair, target: float) -> Self:
        """A figure that is better when it is larger, such as a rate."""
        return cls._of(name, pair, target, "at least", met=pair.ratio >= target)

    @classmethod
    def counted(cls, name: str, count: float, target: float, unit: str = "calls") -> Self:
        """A figure without a peer that is better when it is smaller."""
        return cls(
            name=name,
            ours=count,
            peer=None,
            unit=unit,
            ratio=None,
            target=target,
            bound="at most",
            met=count <= target,
            spread=0.0,
        )

    @classmethod
    def _of(
        cls, name: str, pair: Pair, target: float, bound: Literal["at most", "at least"], *, met: bool
    ) -> Self:
        return cls(
            name=name,
            ours=pair.ours,
            peer=pair.peer,
            unit=pair.unit,
            ratio=pair.ratio,
            target=target,
            bound=bound,
            met=met,
            spread=pair.spread,
        )


class Pair(msgspec.Struct, frozen=True):
    """Medians of ours and a peer's over rounds that took turns."""

    ours: float
    peer: float
    unit: str
    spread: float

    @property
    def ratio(self) -> float:
        return self.ours / self.peer

    @classmethod
    def of(cls, ours: list[float], peer: list[float], unit: str) -> Self:
        """From the rounds' values, in their order. Raises: StatisticsError with fewer than two rounds."""
        ratios = [one / other for one, other in zip(ours, peer, strict=True)]
        low, middle, high = quantiles(ratios, n=4)
        return cls(median(ours), median(peer), unit, (high - low) / middle)


def interleave(
    runs: dict[str, Callable[[], object]], *, rounds: int = 31, seconds: float = 0.01
) -> dict[str, list[float]]:
    """Microseconds a call of each run, one value a round.

    Runs take turns within a round, so that what slows the machine slows all; a turn repeats its run for
    about `seconds`.
    """
    repeats = {name: max(1, int(seconds * 1e9 / max(1, _time(run, 3) / 3))) for name, run in runs.items()}
    values: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            values[name].append(_time(run, repeats[name]) / repeats[name] / 1000)
    return values


def _time(run: Callable[[], object], repeats: int) -> int:
    start = perf_counter_ns()
    for _ in range(repeats):
        run()
    return perf_counter_ns() - start
