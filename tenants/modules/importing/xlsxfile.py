"""XLSX, first visible sheet, streamed: no library holds the whole file, no archive inflates without a bound.

Written for this instead of calamine or openpyxl: the one needs the whole sheet in memory, the other reads
XML without refusing DOCTYPE. Source: ECMA-376 part 1, sections 18.3, 18.4, 18.8.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO
from xml.parsers import expat

from mandant.tenants.modules.importing import sheet
from mandant.tenants.modules.importing.rows import (
    Fault,
    FileRefused,
    SourceRow,
    cell_fault,
    clean,
    headings,
)
from mandant.tenants.modules.importing.text import size_of

MAX_INFLATED = 512 * 1024 * 1024
MAX_SHARED = 64 * 1024 * 1024
MAX_ENTRIES = 2_000
MAX_RATIO = 200
_PIECE = 64 * 1024

Attributes = dict[str, str]


class XlsxReader:
    """Needs a file that can seek. Dates come as 1990-12-31, whole numbers without a decimal point."""

    def __init__(self, file: BinaryIO) -> None:
        size_of(file)
        try:
            self._archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError, EOFError):
            raise FileRefused("the file is no XLSX workbook, or damaged; open it and save it again") from None
        self._inflated = 0
        self._check_archive()
        self._path, date1904 = self._first_sheet()
        self._shared = self._shared_strings()
        self._cells = sheet.Formats(self._date_styles(), date1904)
        first = next(self._records(), None)
        if first is None:
            raise FileRefused("the first sheet is empty")
        self.header = headings(_dense(first[1]))

    def rows(self) -> Iterator[SourceRow]:
        self._inflated = 0
        records = self._records()
        next(records, None)
        width = len(self.header)
        for line, cells in records:
            faults = []
            values = {}
            for column, raw in sorted(cells.items()):
                if column >= width:
                    faults.append(Fault(line, "", f"has a value in column {column + 1} of {width}"))
                    break
                if text := clean(raw):
                    name = self.header[column]
                    values[name] = text
                    if fault := cell_fault(line, name, text):
                        faults.append(fault)
            if values or faults:
                yield SourceRow(line, values, faults=tuple(faults))

    def _check_archive(self) -> None:
        entries = self._archive.infolist()
        if len(entries) > MAX_ENTRIES:
            raise FileRefused(f"the workbook has {len(entries)} parts; at most {MAX_ENTRIES} can be imported")
        total = sum(entry.file_size for entry in entries)
        packed = sum(entry.compress_size for entry in entries)
        if total > MAX_INFLATED:
            raise FileRefused(f"the workbook unpacks to more than {MAX_INFLATED // 1024 // 1024} MB")
        if total > 10 * 1024 * 1024 and total > MAX_RATIO * max(packed, 1):
            raise FileRefused(f"the workbook unpacks to more than {MAX_RATIO} times its size")
        if any(entry.flag_bits & 1 for entry in entries):
            raise FileRefused("the workbook is protected by a password; save it without one")

    def _parse(
        self,
        path: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] | None = None,
        data: Callable[[str], None] | None = None,
        longest: int = MAX_INFLATED,
    ) -> Iterator[None]:
        """Feeds one part through an XML parser, a piece at a time. Raises: FileRefused."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.StartElementHandler = lambda name, attributes: start(name.rpartition(":")[2], attributes)
        if end:
            parser.EndElementHandler = lambda name: end(name.rpartition(":")[2])
        if data:
            parser.CharacterDataHandler = data
        read = 0
        try:
            with self._archive.open(path) as part:
                while piece := part.read(_PIECE):
                    read += len(piece)
                    self._inflated += len(piece)
                    if read > longest or self._inflated > MAX_INFLATED:
                        raise FileRefused(f"the workbook unpacks to more than {longest // 1024 // 1024} MB")
                    parser.Parse(piece, False)
                    yield
                parser.Parse(b"", True)
                yield
        except KeyError:
            raise FileRefused("the file is no XLSX workbook: a part is missing") from None
        except (expat.ExpatError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
            raise FileRefused("the workbook is damaged; open it and save it again") from None

    def _first_sheet(self) -> tuple[str, bool]:
        sheets: list[Attributes] = []
        date1904 = False

        def workbook(name: str, attributes: Attributes) -> None:
            nonlocal date1904
            if name == "sheet":
                sheets.append(attributes)
            elif name == "workbookPr":
                date1904 = attributes.get("date1904") in ("1", "true")

        targets: dict[str, str] = {}

        def relations(name: str, attributes: Attributes) -> None:
            if name == "Relationship":
                targets[attributes.get("Id", "")] = attributes.get("Target", "")

        _run(self._parse("xl/workbook.xml", workbook))
        _run(self._parse("xl/_rels/workbook.xml.rels", relations))
        visible = [s for s in sheets if s.get("state", "visible") == "visible"] or sheets
        for chosen in visible:
            identity = next((v for k, v in chosen.items() if k.rpartition(":")[2] == "id"), "")
            if target := targets.get(identity):
                return posixpath.normpath(posixpath.join("/xl", target)).lstrip("/"), date1904
        raise FileRefused("the workbook has no sheet")

    def _shared_strings(self) -> list[str]:
        if "xl/sharedStrings.xml" not in self._archive.namelist():
            return []
        strings = sheet.SharedStrings()
        _run(self._parse("xl/sharedStrings.xml", strings.start, strings.end, strings.data, MAX_SHARED))
        return strings.found

    def _date_styles(self) -> frozenset[int]:
        if "xl/styles.xml" not in self._archive.namelist():
            return frozenset()
        styles = sheet.Styles()
        _run(self._parse("xl/styles.xml", styles.start, styles.end))
        return styles.dates()

    def _records(self) -> Iterator[tuple[int, dict[int, str]]]:
        """(row number, column from 0 -> text) for rows that hold something."""
        rows = sheet.Rows(self._shared, self._cells)
        for _ in self._parse(self._path, rows.start, rows.end, rows.data):
            yield from rows.take()


def _run(parsing: Iterator[None]) -> None:
    for _ in parsing:
        pass


def _dense(cells: dict[int, str]) -> list[str]:
    return [cells.get(column, "") for column in range(max(cells) + 1)]


def _refuse_doctype(*_: object) -> None:
    raise FileRefused("the workbook contains a DOCTYPE, which no spreadsheet program writes")
