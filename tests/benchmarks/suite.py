"""Every row of the specification's Speed table, by the name that `python -m tests.benchmarks` takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.benchmarks import bulk, http_get, kms, ledger, points, seal, search, sorting
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure
from tests.benchmarks.world import World

__all__ = ["SUITE", "Row"]

Row = Callable[[World, Effort], Awaitable[list[Figure]]]


async def _seal(_world: World, effort: Effort) -> list[Figure]:
    return seal.figures(rounds=effort.rounds, seconds=min(0.01, effort.seconds))


# In this order: what loads a million records comes last.
SUITE: dict[str, Row] = {
    "seal": _seal,
    "read": points.read_figures,
    "insert": points.insert_figures,
    "bulk": bulk.figures,
    "sort": sorting.figures,
    "http": http_get.figures,
    "kms": kms.figures,
    "ledger": ledger.figures,
    "search": search.figures,
}
