"""CSV as Outlook, Google Contacts and Excel write it: any of `, ; tab`, quoted line ends, `sep=;`."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from mandant.tenants.modules.importing.rows import (
    MAX_FIELD,
    MAX_ROW,
    Fault,
    FileRefused,
    SourceRow,
    cell_fault,
    clean,
    headings,
)
from mandant.tenants.modules.importing.text import Lines, encoding_of, size_of

_DELIMITERS = ",;\t"
# No program writes these into a heading; zero bytes are taken out, wherever they come from.
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1f\x7f]")


class CsvReader:
    """Needs a file that can seek. The first row that is not empty holds the headings."""

    def __init__(self, file: BinaryIO) -> None:
        size_of(file)
        self._file = file
        self.encoding, self._skip = encoding_of(file)
        self.delimiter, self.header = self._first_row()

    def _first_row(self) -> tuple[str, tuple[str, ...]]:
        forced: str | None = None
        lines = Lines(self._file, self.encoding, self._skip)
        first = next(lines.pieces(), ("", True))[0]
        if first.lower().startswith("sep=") and len(first.strip("\r\n")) == 5:
            forced = first[4]
        best: tuple[str, list[str]] = (",", [])
        for delimiter in forced or _DELIMITERS:
            cells = next((cells for _, cells, _ in self._records(delimiter)), [])
            if len(cells) > len(best[1]):
                best = delimiter, cells
        if not any(cell.strip() for cell in best[1]):
            raise FileRefused("the file has no row of headings")
        if _CONTROL.search("".join(best[1])):
            raise FileRefused("the file is no text, or its headings are damaged; export it as CSV again")
        return best[0], headings(best[1])

    def _records(self, delimiter: str) -> Iterator[tuple[int, list[str], str | None]]:
        """(line it begins on, cells, what is wrong with the whole row); empty rows are left out."""
        # process-wide in the csv module: only ever raised
        csv.field_size_limit(max(csv.field_size_limit(), MAX_FIELD))
        rows = _Rows(Lines(self._file, self.encoding, self._skip))
        reader = csv.reader(rows, delimiter=delimiter)
        while True:
            rows.begin()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _RowTooLong):
                yield rows.first, [], f"is longer than {MAX_FIELD} characters; a quote may not be closed"
                continue
            if rows.first == 1 and len(cells) <= 2 and cells and cells[0].lower().startswith("sep="):
                continue
            if any(cells):
                yield rows.first, cells, None

    def rows(self) -> Iterator[SourceRow]:
        records = self._records(self.delimiter)
        next(records, None)
        width = len(self.header)
        # our own export: the record's id is what the row is known by
        exported = self.header[:3] == ("id", "created", "updated")
        for line, cells, refused in records:
            if refused:
                yield SourceRow(line, {}, faults=(Fault(line, "", refused),))
                continue
            faults = []
            if len(cells) > width and any(cell.strip() for cell in cells[width:]):
                faults.append(Fault(line, "", f"has {len(cells)} values for {width} columns"))
            values = {}
            for name, cell in zip(self.header, cells, strict=False):
                if text := clean(cell):
                    values[name] = text
                    if fault := cell_fault(line, name, text):
                        faults.append(fault)
            if values:
                uid = values.get("id") if exported else None
                yield SourceRow(line, values, uid, tuple(faults))


class _RowTooLong(Exception):
    """More than 4 MiB without the end of a row."""


class _Rows:
    """Feeds the csv module lines, and counts what one row takes."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._pieces = lines.pieces()
        self._taken = 0
        self.first = 1

    def begin(self) -> None:
        self._taken = 0

    def __iter__(self) -> _Rows:
        return self

    def __next__(self) -> str:
        piece, _ = next(self._pieces)
        if not self._taken:
            self.first = self._lines.number
        self._taken += len(piece)
        cut = len(piece) >= MAX_ROW and not piece.endswith(("\n", "\r"))
        if cut or self._taken > MAX_ROW:
            self._rest_of_line(piece)
            raise _RowTooLong
        return piece

    def _rest_of_line(self, piece: str) -> None:
        while not piece.endswith(("\n", "\r")):
            piece, _ = next(self._pieces, ("\n", True))
