"""The parts of a workbook as XML events: shared strings, number formats, rows of cells."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from mandant.tenants.modules.importing.rows import MAX_FIELD, FileRefused

MAX_STRINGS = 2_000_000
_BUILT_IN_DATES = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})

Attributes = dict[str, str]


class SharedStrings:
    """Texts that cells refer to by number; furigana (`rPh`) is no part of the text."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self._pieces: list[str] = []
        self._inside = self._phonetic = False

    def start(self, name: str, attributes: Attributes) -> None:
        del attributes
        if name == "rPh":
            self._phonetic = True
        self._inside = name == "t" and not self._phonetic

    def data(self, text: str) -> None:
        if self._inside:
            self._pieces.append(text)

    def end(self, name: str) -> None:
        self._inside = False
        if name == "rPh":
            self._phonetic = False
        elif name == "si":
            if len(self.found) >= MAX_STRINGS:
                raise FileRefused(f"the workbook has more than {MAX_STRINGS} different texts")
            self.found.append("".join(self._pieces))
            self._pieces.clear()


class Styles:
    """Which cell styles show a number as a date."""

    def __init__(self) -> None:
        self._custom: dict[int, str] = {}
        self._formats: list[int] = []
        self._in_cell_formats = False

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "numFmt":
            self._custom[int(attributes.get("numFmtId", "0"))] = attributes.get("formatCode", "")
        elif name == "cellXfs":
            self._in_cell_formats = True
        elif name == "xf" and self._in_cell_formats:
            self._formats.append(int(attributes.get("numFmtId", "0")))

    def end(self, name: str) -> None:
        if name == "cellXfs":
            self._in_cell_formats = False

    def dates(self) -> frozenset[int]:
        return frozenset(style for style, number in enumerate(self._formats) if self._is_date(number))

    def _is_date(self, number: int) -> bool:
        if number not in self._custom:
            return number in _BUILT_IN_DATES
        code = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]|_.', "", self._custom[number]).lower()
        return bool(re.search("[dy]|h.*m|m.*s", code))


class Formats:
    """A cell's stored value as the text that a person sees."""

    def __init__(self, dates: frozenset[int], date1904: bool) -> None:
        self._dates = dates
        self._epoch = datetime(1904, 1, 1) if date1904 else datetime(1899, 12, 30)  # noqa: DTZ001 - no zone

    def text(self, value: str, style: int) -> str:
        try:
            number = Decimal(value)
        except InvalidOperation:
            return value
        if style in self._dates and 0 <= number < 2_958_466:
            moment = self._epoch + timedelta(seconds=round(float(number) * 86_400))
            return moment.date().isoformat() if number == int(number) else moment.isoformat(" ")
        if not number.is_finite() or abs(number.adjusted()) > 30:
            return value
        # doubles are written with 17 digits: 0.1 + 0.2 is shown as 0.3
        return format(Decimal(format(float(number), ".15g")).normalize() if "." in value else number, "f")


class Rows:
    """Collects cells until a row ends; `take` hands over what is complete."""

    def __init__(self, shared: list[str], formats: Formats) -> None:
        self._shared = shared
        self._formats = formats
        self._ready: list[tuple[int, dict[int, str]]] = []
        self._cells: dict[int, str] = {}
        self._pieces: list[str] = []
        self._length = 0
        self._row = self._column = -1
        self._kind, self._style = "n", 0
        self._inside = False
        self._line = 0

    def take(self) -> list[tuple[int, dict[int, str]]]:
        ready, self._ready = self._ready, []
        return ready

    def start(self, name: str, attributes: Attributes) -> None:
        if name == "row":
            self._line = int(attributes.get("r") or self._line + 1)
            self._column = -1
        elif name == "c":
            reference = attributes.get("r")
            self._column = column_of(reference) if reference else self._column + 1
            self._kind = attributes.get("t", "n")
            self._style = int(attributes.get("s", "0"))
            self._pieces.clear()
            self._length = 0
        self._inside = name == "v" or (name == "t" and self._kind == "inlineStr")

    def data(self, text: str) -> None:
        # one character more than allowed is kept, so that the cell is reported and not cut
        if self._inside and self._length <= MAX_FIELD:
            self._pieces.append(text)
            self._length += len(text)

    def end(self, name: str) -> None:
        self._inside = False
        if name == "c" and self._pieces:
            text = self._text("".join(self._pieces))
            self._pieces.clear()
            if text:
                self._cells[self._column] = text
        elif name == "row":
            if self._cells:
                self._ready.append((self._line, self._cells))
            self._cells = {}

    def _text(self, value: str) -> str:
        match self._kind:
            case "s":
                try:
                    index = int(value)
                    return self._shared[index] if index >= 0 else ""
                except (ValueError, IndexError):
                    raise FileRefused("the workbook is damaged: a cell's text is missing") from None
            case "n":
                return self._formats.text(value, self._style)
            case "b":
                return "true" if value == "1" else "false"
            case "e":
                return ""
            case _:
                return value


def column_of(reference: str) -> int:
    """`A1` -> 0, `AB12` -> 27. Raises: ValueError for what is no cell."""
    number = 0
    for character in reference[:4]:
        if not "A" <= character <= "Z":
            break
        number = number * 26 + ord(character) - 64
    if not 1 <= number <= 18_278:
        raise ValueError("no cell reference")
    return number - 1
