"""How long the figures are measured: in full for `make bench`, tiny for the test that they still run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FULL", "TINY", "Effort"]


@dataclass(frozen=True, slots=True)
class Effort:
    """`rounds` of each figure (2 or more), `seconds` of one turn, `share` of the counts of records."""

    rounds: int
    seconds: float
    share: float

    def records(self, count: int) -> int:
        """How many records stand for `count`."""
        return max(20, int(count * self.share))

    def fewer(self, rounds: int) -> int:
        """At most `rounds`, for a run that takes seconds itself."""
        return min(self.rounds, rounds)


FULL = Effort(rounds=21, seconds=0.5, share=1.0)
TINY = Effort(rounds=2, seconds=0.01, share=0.0002)
