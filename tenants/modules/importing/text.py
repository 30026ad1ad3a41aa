"""Opens a file of bytes as text: which encoding, and lines that a hostile file cannot make endless."""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from typing import BinaryIO

from mandant.tenants.modules.importing.rows import MAX_FILE, MAX_ROW, FileRefused

_CHUNK = 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def size_of(file: BinaryIO) -> int:
    """The file's length in bytes. Raises: FileRefused for more than 100 MB or for nothing."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    if size > MAX_FILE:
        raise FileRefused(f"the file is larger than {MAX_FILE // 1024 // 1024} MB; split it")
    if not size:
        raise FileRefused("the file is empty")
    return size


def encoding_of(file: BinaryIO) -> tuple[str, int]:
    """(Python's name, length of the byte-order mark). Reads the whole file where there is no mark.

    Without a mark: UTF-16 where every other byte of the beginning is zero; UTF-8 where most of what
    is not ASCII is UTF-8 (single broken bytes are then a fault of their line); else Windows-1252.
    """
    file.seek(0)
    head = file.read(4096)
    for mark, name in _BOMS:
        if head.startswith(mark):
            return name, len(mark)
    sample = head[: len(head) // 2 * 2]
    if len(sample) >= 4 and sample[1::2].count(0) > len(sample) * 0.35:
        return "utf-16-le", 0
    if len(sample) >= 4 and sample[0::2].count(0) > len(sample) * 0.35:
        return "utf-16-be", 0
    return ("utf-8" if _mostly_utf8(file) else "cp1252"), 0


def _mostly_utf8(file: BinaryIO) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    good = bad = 0
    file.seek(0)
    while chunk := file.read(_CHUNK):
        text = decoder.decode(chunk)
        if not text.isascii():
            broken = len(re.findall("[\udc80-\udcff]", text))
            bad += broken
            good += len(re.findall("[^\x00-\x7f]", text)) - broken
    return bad == 0 or good > bad


class Lines:
    """The lines of a text, each with its end, none longer than 4 MiB: what is longer comes in `pieces`.

    `number` is that of the last line given out, from 1.
    """

    def __init__(self, file: BinaryIO, encoding: str, skip: int) -> None:
        file.seek(skip)
        # kept open: the wrapper must not close a file that is not its own
        self._text = io.TextIOWrapper(
            io.BufferedReader(_Unclosable(file)), encoding=encoding, errors=_escape(encoding), newline=""
        )
        self.number = 0

    def pieces(self, longest: int = MAX_ROW) -> Iterator[tuple[str, bool]]:
        """(text, begins a line): a longer line than `longest` characters comes in more than one piece."""
        begins = True
        while piece := self._text.readline(longest):
            if begins:
                self.number += 1
            yield piece, begins
            begins = piece.endswith(("\n", "\r"))


def _escape(encoding: str) -> str:
    """UTF-16 has no bytes to escape to: what is broken there becomes a lone surrogate all the same."""
    return "surrogateescape" if encoding in ("utf-8", "cp1252") else "mandant-lone"


def _lone(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", max(error.end, error.start + 1)


codecs.register_error("mandant-lone", _lone)


class _Unclosable(io.RawIOBase):
    """Lends a file to a wrapper that would close it when it is forgotten."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)
