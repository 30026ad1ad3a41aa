"""The content lines of a vCard: unfolded, unescaped, and without ever holding a photo in memory.

Source: RFC 6350 section 3.2 to 3.4, RFC 2425; quoted-printable as version 2.1 has it.
"""

from __future__ import annotations

import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from mandant.tenants.modules.importing.rows import MAX_FIELD
from mandant.tenants.modules.importing.text import Lines

SKIPPED = frozenset({"PHOTO", "LOGO", "SOUND", "KEY"})
"""Properties that are media: read past, never kept."""

_PIECE = 64 * 1024
_NAME = re.compile(r"(?:[A-Za-z0-9-]+\.)?([A-Za-z][A-Za-z0-9-]*)(?=[;:])")


@dataclass(frozen=True, slots=True)
class ContentLine:
    """One property: `name` and parameter names in capitals, without its group; the value still escaped."""

    line: int
    name: str
    parameters: dict[str, list[str]]
    value: str
    too_long: bool = False

    def __repr__(self) -> str:
        return f"ContentLine(line={self.line}, name={self.name!r})"

    def parts(self, separator: str = ";") -> list[str]:
        """The value split at `separator` where it is not escaped, each part unescaped."""
        return [
            unescape(part).strip()
            for part in re.findall(rf"((?:\\.|[^\\{separator}])*)(?:{separator}|$)", self.value, re.DOTALL)
        ][:-1] or [""]


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], text, flags=re.DOTALL)


def content_lines(file: BinaryIO, encoding: str, skip: int) -> Iterator[ContentLine]:
    """Each content line in order. A line of more than 1 MiB comes without its value, as `too_long`."""
    lines = Lines(file, encoding, skip)
    kept: list[str] = []
    first = length = 0
    skipping = soft = False
    for piece, begins in lines.pieces(_PIECE):
        text = piece.rstrip("\r\n") if piece.endswith(("\n", "\r")) else piece
        folded = begins and text[:1] in (" ", "\t") and first > 0
        if begins and not folded and not soft:
            if first:
                yield from _parsed(first, kept, length)
            kept, first, length = [], lines.number, 0
            name = _NAME.match(text)
            skipping = bool(name and name[1].upper() in SKIPPED)
        length += len(text)
        if skipping:
            text = text[:200] if not kept else ""
            kept = kept or [text]
            continue
        if length <= MAX_FIELD:
            kept.append(text[1:] if folded and not soft else text)
        soft = piece.endswith(("\n", "\r")) and text.endswith("=") and _quoted_printable(kept[0])
    if first:
        yield from _parsed(first, kept, length)


def _quoted_printable(start: str) -> bool:
    return "QUOTED-PRINTABLE" in start.partition(":")[0].upper()


def _parsed(line: int, pieces: list[str], length: int) -> Iterator[ContentLine]:
    start = (
        "".join(pieces) if not _quoted_printable(pieces[0]) else "".join(p.removesuffix("=") for p in pieces)
    )
    name = _NAME.match(start)
    if not name:
        return
    upper = name[1].upper()
    head, value = _split_value(start[name.end() :])
    parameters = _parameters(head)
    if upper in SKIPPED:
        yield ContentLine(line, upper, parameters, "")
        return
    if "QUOTED-PRINTABLE" in parameters.get("ENCODING", []):
        charset = (parameters.get("CHARSET") or ["UTF-8"])[0]
        raw = quopri.decodestring(value.encode("utf-8", "surrogateescape"))
        try:
            value = raw.decode(charset, "surrogateescape")
        except LookupError:
            value = raw.decode("utf-8", "surrogateescape")
    yield ContentLine(line, upper, parameters, value, too_long=length > MAX_FIELD)


def _split_value(rest: str) -> tuple[str, str]:
    """At the first colon outside quotes."""
    quoted = False
    for index, character in enumerate(rest):
        if character == '"':
            quoted = not quoted
        elif character == ":" and not quoted:
            return rest[:index], rest[index + 1 :]
    return rest, ""


def _parameters(head: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for part in re.findall(r';((?:"[^"]*"|[^;"])*)', head):
        key, equals, value = part.partition("=")
        if not equals:
            # 2.1 writes TEL;WORK;QUOTED-PRINTABLE: without naming the parameter
            key, value = ("ENCODING" if key.upper() in ("QUOTED-PRINTABLE", "BASE64") else "TYPE"), key
        key = key.strip().upper()
        values = [v.strip().strip('"') for v in re.findall(r'"[^"]*"|[^,]+', value)]
        found.setdefault(key, []).extend(v.upper() if key in ("ENCODING", "TYPE") else v for v in values)
    return found
