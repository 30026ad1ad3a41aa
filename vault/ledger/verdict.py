"""What a verification has found, in words that name the entry."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Finding", "Verdict"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault. `code`: a word that does not change, for programs; `said`: for a person.

    `index`: the entry concerned, None where it concerns none in particular.
    """

    code: str
    said: str
    index: int | None = None

    def __str__(self) -> str:
        where = "" if self.index is None else f"entry {self.index}: "
        return f"{self.code}: {where}{self.said}"


@dataclass(slots=True)
class Verdict:
    """The outcome for one bundle. `key`: the verifier key that everything was checked with."""

    origin: str
    key: str
    size: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.findings

    def fault(self, code: str, said: str, index: int | None = None) -> None:
        self.findings.append(Finding(code, said, index))

    def lines(self) -> list[str]:
        """For a person to read; the last line is the outcome."""
        head = [
            f"log:         {self.origin}",
            f"key:         {self.key}",
            f"entries:     {self.size}",
            f"checkpoints: {self.checkpoints}",
        ]
        tail = f"NOT GOOD: {len(self.findings)} faults" if self.findings else "good: nothing was changed"
        return [
            *head,
            *(f"remark: {one}" for one in self.remarks),
            *(f"FAULT {one}" for one in self.findings),
            tail,
        ]
