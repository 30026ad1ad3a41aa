"""Which kind of file it is, by what it begins with; the name only where that says nothing."""

from __future__ import annotations

from enum import Enum
from typing import BinaryIO

from mandant.tenants.modules.importing.csvfile import CsvReader
from mandant.tenants.modules.importing.jsonlines import JsonLinesReader
from mandant.tenants.modules.importing.rows import FileRefused, Reader
from mandant.tenants.modules.importing.vcard import VcardReader
from mandant.tenants.modules.importing.xlsxfile import XlsxReader

HEAD = 4096
"""Bytes that `sniff` wants to see."""


class Format(Enum):
    CSV = "csv"
    VCARD = "vcard"
    XLSX = "xlsx"
    JSON_LINES = "jsonl"


_OTHERS = {
    b"\xd0\xcf\x11\xe0": "an old Excel file or one with a password; save it as XLSX without a password",
    b"%PDF": "a PDF; export the data as CSV, vCard or XLSX",
    b"\x1f\x8b": "a compressed file; unpack it first",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"Rar!": "a compressed file; unpack it first",
    b"7z\xbc\xaf": "a compressed file; unpack it first",
}


def sniff(head: bytes, filename: str = "") -> Format:
    """`head`: the first 4,096 bytes or all. Raises: FileRefused for what is known to be something else."""
    if head.startswith(b"PK\x03\x04"):
        return Format.XLSX
    for magic, what in _OTHERS.items():
        if head.startswith(magic):
            raise FileRefused(f"the file is {what}")
    start = head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    if start[:11].upper() == b"BEGIN:VCARD":
        return Format.VCARD
    if start.startswith(b'{"'):
        return Format.JSON_LINES
    if filename.lower().endswith((".vcf", ".vcard")):
        raise FileRefused("the file is named as a vCard, but does not begin with BEGIN:VCARD")
    if filename.lower().endswith((".xlsx", ".xlsm")):
        raise FileRefused("the file is named as an Excel workbook, but is none; save it again as XLSX or CSV")
    return Format.CSV


def open_reader(file: BinaryIO, filename: str = "") -> Reader:
    """The reader for `file`, which must be able to seek; blocking, and may read all of it once.

    Raises: FileRefused with a message for the person who sent it.
    """
    file.seek(0)
    kind = sniff(file.read(HEAD), filename)
    file.seek(0)
    match kind:
        case Format.CSV:
            return CsvReader(file)
        case Format.VCARD:
            return VcardReader(file)
        case Format.XLSX:
            return XlsxReader(file)
        case Format.JSON_LINES:
            return JsonLinesReader(file)
