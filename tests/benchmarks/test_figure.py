"""What a figure says follows from its rounds."""

from __future__ import annotations

import pytest

from tests.benchmarks.figure import Figure, Pair, interleave


def test_a_figure_is_made_of_medians_and_says_whether_it_met_its_target() -> None:
    pair = Pair.of([3.0, 30.0, 3.0], [2.0, 20.0, 2.0], "us")
    figure = Figure.at_most("seal", pair, 1.5)
    assert (figure.ours, figure.peer, figure.ratio, figure.unit) == (3.0, 2.0, 1.5, "us")
    assert figure.met
    assert figure.spread == 0
    assert not Figure.at_most("seal", pair, 1.49).met
    assert Figure.at_least("rate", pair, 1.5).met
    assert not Figure.at_least("rate", pair, 1.51).met


def test_runs_take_turns() -> None:
    turns: list[str] = []
    values = interleave({"a": lambda: turns.append("a"), "b": lambda: turns.append("b")}, rounds=3, seconds=0)
    assert [len(values["a"]), len(values["b"])] == [3, 3]
    assert turns[-6:] == ["a", "b"] * 3


def test_rounds_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        Pair.of([1.0, 2.0], [1.0], "us")
