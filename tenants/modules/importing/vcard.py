"""vCard 3.0 and 4.0, and what is left of 2.1: one row a card, in the columns that HEADINGS know.

Several addresses, numbers and e-mail addresses are numbered: `TEL 1`, `TEL 1 TYPE`, `ADR 2 city`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from mandant.tenants.modules.importing.contentlines import ContentLine, content_lines, unescape
from mandant.tenants.modules.importing.rows import (
    MAX_COLUMNS,
    Fault,
    FileRefused,
    SourceRow,
    cell_fault,
)
from mandant.tenants.modules.importing.text import encoding_of, size_of

_ADDRESS = ("box", "extra", "street", "city", "region", "postcode", "country")
_NAMES = ("family", "given", "additional", "prefix", "suffix")
_PLAIN = {"FN": "FN", "TITLE": "TITLE 1", "NOTE": "NOTE", "URL": "URL", "LANG": "LANG", "ROLE": "ROLE"}
_NO_KIND = frozenset({"INTERNET", "PREF", "VOICE", "X400", "MSG", "TEXT", "POSTAL", "PARCEL", "DOM", "INTL"})


class VcardReader:
    """Needs a file that can seek; reads it once for the columns that occur, then once for each `rows()`."""

    def __init__(self, file: BinaryIO) -> None:
        size_of(file)
        self._file = file
        self.encoding, self._skip = encoding_of(file)
        columns: dict[str, None] = {}
        cards = 0
        for row in self.rows():
            cards += 1
            columns.update(dict.fromkeys(row.values))
            if len(columns) > MAX_COLUMNS:
                raise FileRefused(f"the cards have more than {MAX_COLUMNS} different properties")
        if not cards:
            raise FileRefused("the file has no vCard")
        self.header = tuple(columns)

    def rows(self) -> Iterator[SourceRow]:
        card: _Card | None = None
        depth = 0
        for line in content_lines(self._file, self.encoding, self._skip):
            word = line.value.strip().upper()
            if line.name == "BEGIN" and word == "VCARD":
                depth += 1
                if card and depth > 1:
                    # a card in a card (2.1's AGENT) is somebody else
                    continue
                card, depth = _Card(line.line), 1
            elif line.name == "END" and word == "VCARD":
                depth -= 1
                if card and depth == 0:
                    yield card.row()
                    card = None
                depth = max(depth, 0)
            elif card and depth == 1:
                card.take(line)
        if card:
            card.faults.append(Fault(card.line, "", "is cut off: the card has no END:VCARD"))
            yield card.row()


class _Card:
    def __init__(self, line: int) -> None:
        self.line = line
        self.values: dict[str, str] = {}
        self.faults: list[Fault] = []
        self.uid: str | None = None
        self._count: dict[str, int] = {}

    def take(self, line: ContentLine) -> None:
        if line.too_long:
            self.faults.append(Fault(line.line, line.name, "is longer than 1 MiB"))
            return
        match line.name:
            case "UID":
                self.uid = line.value.strip()[:500] or None
            case "N":
                self._several("N", _NAMES, line)
            case "ORG":
                self._several("ORG", ("", "unit"), line)
            case "ADR":
                number = self._next("ADR")
                parts = dict(zip(_ADDRESS, line.parts(), strict=False))
                # a street that was folded into lines is one street; the box stands where the extra line does
                parts["extra"] = ", ".join(p for p in (parts.pop("box", ""), parts.get("extra", "")) if p)
                for name, text in parts.items():
                    self._set(line, f"ADR {number} {name}", text.replace("\n", ", "))
                self._kind(line, f"ADR {number} TYPE")
            case "TEL" | "EMAIL":
                number = self._next(line.name)
                self._set(line, f"{line.name} {number}", unescape(line.value))
                self._kind(line, f"{line.name} {number} TYPE")
            case "CATEGORIES":
                self._set(line, "CATEGORIES", ";".join(part for part in line.parts(",") if part))
            case "BDAY":
                text = line.value.strip()
                self._set(line, "BDAY without year" if text.startswith("--") else "BDAY", text)
            case name if name in _PLAIN:
                self._set(line, _PLAIN[name], unescape(line.value))

    def row(self) -> SourceRow:
        if not self.values and not self.faults:
            self.faults.append(Fault(self.line, "", "is a card without a name or an address"))
        return SourceRow(self.line, self.values, self.uid, tuple(self.faults))

    def _next(self, name: str) -> int:
        self._count[name] = self._count.get(name, 0) + 1
        return self._count[name]

    def _several(self, prefix: str, names: tuple[str, ...], line: ContentLine) -> None:
        for name, text in zip(names, line.parts(), strict=False):
            self._set(line, f"{prefix} {name}".strip(), text)

    def _kind(self, line: ContentLine, column: str) -> None:
        kinds = [kind for kind in line.parameters.get("TYPE", []) if kind not in _NO_KIND]
        if kinds:
            self._set(line, column, ",".join(kinds).lower())

    def _set(self, line: ContentLine, column: str, text: str) -> None:
        text = text.strip()
        if not text or column in self.values:
            return
        self.values[column] = text
        if fault := cell_fault(line.line, column, text):
            self.faults.append(fault)
