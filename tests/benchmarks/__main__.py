"""python -m tests.benchmarks [NAME ...]: measures all figures, or those named, on this machine.

Writes var/bench/results.json and results.svg and prints a table. The exit code is 1 where a target was missed.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from time import perf_counter

from tests.benchmarks.effort import FULL
from tests.benchmarks.figure import Figure
from tests.benchmarks.report import print_table, write
from tests.benchmarks.suite import SUITE
from tests.benchmarks.world import SETTINGS, open_world

FOLDER = Path("var") / "bench"


async def _run(names: list[str]) -> list[Figure]:
    print("PostgreSQL:", ", ".join(f"{name}={value}" for name, value in SETTINGS.items()), flush=True)
    figures: list[Figure] = []
    async with open_world() as world:
        for name in names:
            started = perf_counter()
            print(f"{name} ...", end=" ", flush=True)
            figures += await SUITE[name](world, FULL)
            print(f"{perf_counter() - started:.0f} s", flush=True)
    return figures


def main(names: list[str]) -> int:
    """Exit code 2 for a name that there is not."""
    unknown = [name for name in names if name not in SUITE]
    if unknown:
        print(f"no such figure: {', '.join(unknown)}; there are {', '.join(SUITE)}", file=sys.stderr)
        return 2
    figures = asyncio.run(_run(names or list(SUITE)))
    write(figures, FOLDER)
    print_table(figures)
    return 0 if all(figure.met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
