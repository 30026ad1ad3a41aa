"""The header Content-Disposition: what a file is called, in both directions. Source: RFC 6266, RFC 8187."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes

from mandant.tenants.errors import Invalid

HEADER = "content-disposition"

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - a token of RFC 9110
_TYPE = re.compile(rf"\s*{_TOKEN}\s*")
_PARAMETER = re.compile(rf';\s*({_TOKEN})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*')
_PLAIN = re.compile(r"[^ !#-\[\]-~]")  # what a quoted name for old clients does without


def name_in(header: str | None) -> str:
    """The file name that a request's header names: `filename*` before `filename`. Raises: Invalid."""
    found: dict[str, str] = {}
    text = header or ""
    start = _TYPE.match(text)
    at = start.end() if start else len(text)
    while match := _PARAMETER.match(text, at):
        found.setdefault(
            match[1].lower(), match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        )
        at = match.end()
    try:
        if at == len(text) and "filename*" in found:
            return _extended(found["filename*"])
        if at == len(text) and "filename" in found:
            return _raw(found["filename"])
    except (ValueError, LookupError):
        pass
    raise Invalid([("Content-Disposition", "names no file; send attachment; filename*=UTF-8''name.pdf")])


def attachment(name: str) -> str:
    """The answer's header: always to be saved, never shown in place."""
    plain = _PLAIN.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _extended(value: str) -> str:
    """Raises: ValueError, LookupError for what RFC 8187 does not allow."""
    charset, _, encoded = value.split("'", 2)
    if charset.lower() not in {"utf-8", "iso-8859-1"}:
        raise ValueError("no charset of RFC 8187")
    return unquote_to_bytes(encoded).decode(charset)


def _raw(value: str) -> str:
    """Headers come as Latin-1; most clients mean UTF-8."""
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value
