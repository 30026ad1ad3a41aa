"""What a run measured: results.json, a table, and a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from rich.console import Console
from rich.table import Table

from tests.benchmarks.chart import chart
from tests.benchmarks.figure import Figure

__all__ = ["print_table", "write"]


def write(figures: Sequence[Figure], folder: Path) -> None:
    """`results.json`, one object a figure, and `results.svg` into `folder`.

    A run of some figures replaces these and leaves the others as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "results.json"
    kept = msgspec.json.decode(path.read_bytes(), type=list[Figure]) if path.exists() else []
    names = {figure.name for figure in figures}
    every = [*(figure for figure in kept if figure.name not in names), *figures]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(every), indent=2) + b"\n")
    (folder / "results.svg").write_text(chart(every))


def print_table(figures: Sequence[Figure]) -> None:
    """One line a figure."""
    table = Table("figure", "ours", "peer", "unit", "ratio", "target", "met", "spread")
    for figure in figures:
        table.add_row(
            figure.name,
            _number(figure.ours),
            _number(figure.peer),
            figure.unit,
            _number(figure.ratio),
            f"{figure.bound} {figure.target:g}",
            "yes" if figure.met else "NO",
            f"{figure.spread:.0%}",
        )
    Console(width=None if Console().is_terminal else 160).print(table)


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 1000 or value == int(value) else f"{value:.3g}"
