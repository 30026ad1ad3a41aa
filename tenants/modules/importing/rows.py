"""What every reader yields, and when a file is refused as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from mandant.tenants.errors import TenantsError
from mandant.tenants.modules.spreadsheet import unguarded

MAX_FILE = 100 * 1024 * 1024
MAX_COLUMNS = 500
MAX_FIELD = 1024 * 1024
MAX_ROW = 4 * 1024 * 1024


class FileRefused(TenantsError):
    """The file as a whole cannot be imported; the message is for the person who sent it."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One problem with one row. `line` counts from 1 in the file; `column` is a heading, '' the whole row."""

    line: int
    column: str
    message: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One row or card: heading -> text as it stands in the file, without empty ones.

    `uid`: what the source itself knows the row by (a vCard's UID, an exported record's id).
    `record`: the values as they are, from JSON Lines, where no mapping is needed.
    A row with `faults` cannot become a record.
    """

    line: int
    values: dict[str, str]
    uid: str | None = None
    faults: tuple[Fault, ...] = ()
    record: dict[str, Any] | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"SourceRow(line={self.line})"


class Reader(Protocol):
    """A file, open and understood. `rows` may be called again: it begins at the start of the file."""

    header: tuple[str, ...]

    def rows(self) -> Iterator[SourceRow]:
        """Each row in order, in bounded memory. Raises: FileRefused where the rest cannot be read."""
        ...


def headings(cells: list[str]) -> tuple[str, ...]:
    """Unique names for columns: a repeated heading gets ` (2)`, an empty one its number.

    Raises: FileRefused for more than 500 columns.
    """
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    if len(cells) > MAX_COLUMNS:
        raise FileRefused(f"the file has {len(cells)} columns; at most {MAX_COLUMNS} can be imported")
    seen: dict[str, int] = {}
    names = []
    for number, cell in enumerate(cells, 1):
        name = " ".join(cell.replace("\0", "").split())[:200] or f"column {number}"
        seen[name] = seen.get(name, 0) + 1
        while seen[name] > 1 and f"{name} ({seen[name]})" in seen:
            seen[name] += 1
        if seen[name] > 1:
            name = f"{name} ({seen[name]})"
            seen[name] = 1
        names.append(name)
    return tuple(names)


def clean(text: str) -> str:
    """A cell without surrounding space and without the apostrophe that says: this is text."""
    return unguarded(text.strip())


def cell_fault(line: int, column: str, text: str) -> Fault | None:
    """What no record could hold: NUL characters, bytes that are no text, over 1 MiB."""
    if len(text) > MAX_FIELD:
        return Fault(line, column, f"is longer than {MAX_FIELD} characters")
    if text.isascii():
        return Fault(line, column, "contains a NUL character") if "\0" in text else None
    if "\0" in text:
        return Fault(line, column, "contains a NUL character")
    try:
        text.encode()
    except UnicodeEncodeError:
        return Fault(line, column, "contains bytes that are not text in this file's encoding")
    return None
