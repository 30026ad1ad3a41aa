"""The figures can be measured: each row runs on tiny counts. How fast it is, is nobody's test."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.benchmarks.effort import TINY
from tests.benchmarks.figure import Figure
from tests.benchmarks.report import print_table, write
from tests.benchmarks.suite import SUITE
from tests.benchmarks.world import world_of
from tests.stack import Stack


async def test_every_row_measures_and_is_written(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: list[Figure] = []
    async with world_of(stack) as world:
        for row in SUITE.values():
            measured = await row(world, TINY)
            assert measured
            figures += measured
    write(figures, tmp_path)
    write(figures[:1], tmp_path)
    kept = msgspec.json.decode((tmp_path / "results.json").read_bytes(), type=list[Figure])
    assert sorted(figure.name for figure in kept) == sorted(figure.name for figure in figures)
    assert (tmp_path / "results.svg").read_text().count("<rect") == 1 + sum(
        f.ratio is not None for f in figures
    )
    print_table(figures)
    assert "sealed" in capsys.readouterr().out


async def test_no_kms_call_while_keys_are_warm(stack: Stack) -> None:
    async with world_of(stack) as world:
        warm, cold, byok = await SUITE["kms"](world, TINY)
    assert (warm.ours, cold.ours, byok.ours) == (0, 1, 2)
