"""JSON Lines as our own export writes it: one record a line, nothing to map, exact."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from mandant.tenants.errors import Invalid
from mandant.tenants.modules.declaration import RESERVED_FIELDS
from mandant.tenants.modules.importing.rows import MAX_ROW, Fault, SourceRow
from mandant.tenants.modules.importing.text import Lines, size_of
from mandant.tenants.modules.validation import untyped


class JsonLinesReader:
    """Needs a file that can seek. `uid` is the exported record's id; `header` is empty."""

    header: tuple[str, ...] = ()

    def __init__(self, file: BinaryIO) -> None:
        size_of(file)
        self._file = file
        self._skip = 3 if file.read(3) == b"\xef\xbb\xbf" else 0

    def rows(self) -> Iterator[SourceRow]:
        lines = Lines(self._file, "utf-8", self._skip)
        for piece, begins in lines.pieces():
            if not begins or not piece.strip():
                continue
            yield self._row(lines.number, piece)

    def _row(self, line: int, text: str) -> SourceRow:
        if len(text) >= MAX_ROW and not text.endswith(("\n", "\r")):
            return SourceRow(line, {}, faults=(Fault(line, "", f"is longer than {MAX_ROW} characters"),))
        try:
            value: Any = untyped(text.encode("utf-8", "surrogateescape"))
        except Invalid as invalid:
            return SourceRow(line, {}, faults=(Fault(line, "", invalid.problems[0].message),))
        if not isinstance(value, dict):
            return SourceRow(line, {}, faults=(Fault(line, "", "is no object"),))
        uid = value.get("id")
        record = {key: item for key, item in value.items() if key not in RESERVED_FIELDS}
        return SourceRow(line, {}, uid if isinstance(uid, str) else None, record=record)
