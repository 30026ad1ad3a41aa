"""What the tour prints, and what of it becomes steps.json."""

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

__all__ = ["StepResult", "Teller"]

NARROW, WIDE = 80, 100


@dataclass
class StepResult:
    """One step: `ok` when everything it promised held; `figures` are what was counted and measured."""

    name: str
    promise: str
    ok: bool = True
    figures: dict[str, Any] = field(default_factory=dict)


class Teller:
    """Prints steps one after the other and keeps their results."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._width = max(NARROW, min(WIDE, self._console.width))
        self.results: list[StepResult] = []
        self._proofs = 0

    def begin(self, name: str, promise: str) -> None:
        """A new step; what follows belongs to it."""
        self.results.append(StepResult(name, promise))
        self._proofs = 0
        head = f"── {len(self.results)} · {name} "
        self._print("")
        self._print(head + "─" * (self._width - len(head)), "bold")
        self.say(promise, style="italic")

    def say(self, text: str, style: str = "") -> None:
        """A paragraph."""
        for line in textwrap.wrap(text, self._width - 2):
            self._print(line, style)

    def command(self, text: str) -> None:
        """What is being done, as somebody would type it: a request, a statement, a command."""
        for number, line in enumerate(text.splitlines()):
            self._print(f"  {'$ ' if number == 0 else '  '}{line}", "cyan")

    def output(self, lines: Iterable[str]) -> None:
        """What came of it; a line that is too long ends in an ellipsis."""
        for line in lines:
            room = self._width - 4
            self._print("    " + (line if len(line) <= room else line[: room - 1] + "…"), "dim")

    def table(self, rows: Sequence[Sequence[object]]) -> None:
        """Rows in columns, the first one the headings."""
        text = [[str(cell) for cell in row] for row in rows]
        widths = [max(len(row[column]) for row in text) for column in range(len(text[0]))]
        self.output("  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip() for row in text)

    def proves(self, words: str, held: bool, **figures: Any) -> None:
        """One thing that must hold. The step fails where it does not."""
        self._proofs += 1
        step = self.results[-1]
        step.ok &= held
        step.figures |= figures
        mark, style = ("✓", "green") if held else ("✗ DOES NOT HOLD:", "bold red")
        first, *rest = textwrap.wrap(words, self._width - 6)
        self._print(f"  {mark} {first}", style)
        for line in rest:
            self._print(f"    {line}", style)

    def failed(self, words: str) -> None:
        """The step could not be walked to its end."""
        self.results[-1].figures["error"] = words
        self.proves(words, False)

    def end(self) -> None:
        """A step that proved nothing has not held."""
        if not self._proofs:
            self.failed("the step ended without a proof")

    def write(self, path: Path) -> None:
        """steps.json."""
        steps = [msgspec.to_builtins(result) for result in self.results]
        path.write_text(json.dumps(steps, indent=1, ensure_ascii=False, default=str) + "\n")

    def _print(self, line: str, style: str = "") -> None:
        self._console.print(Text(line, style=style))
