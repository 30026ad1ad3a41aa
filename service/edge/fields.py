"""msgspec's messages, made to name the field and to repeat nothing that was sent."""

from __future__ import annotations

import re

_PATH = re.compile(r" - at `(?:key` in `)?\$(.*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(.*)`$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(.*)`$")
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$")
# These have the value in them; so may whatever a type's own check raises.
_SAFE = re.compile(
    r"^(Expected `|Invalid (UUID|RFC3339|ISO8601|base64|epoch|tz)|Object missing |Integer value out of range"
    r"|Number out of range|Unsupported type)"
)


def field_of(path: str) -> str:
    """A JSON path as the API writes it: `$.emails[0].address` -> `emails.0.address`; `[...]` -> `*`."""
    path = path.removeprefix("$").removeprefix("data.").replace("[...]", ".*")
    return re.sub(r"\[(\d+)\]", r".\1", path).strip(".") if path != "data" else ""


def named(name: str) -> str:
    """A name that somebody sent, where it looks like one; otherwise ''."""
    return name if _NAME.match(name) else ""


def message_of(message: str) -> str:
    """The safe part of a validation message."""
    message = _PATH.sub("", message)
    if message.startswith("Invalid enum value"):
        return "not one of the allowed values"
    if message.startswith("Invalid value"):
        return "not one of the allowed kinds"
    if _UNKNOWN.match(message):
        return "unknown field"
    if _MISSING.match(message):
        return "required, but missing"
    if _SAFE.match(message):
        return message[:1].lower() + message[1:].replace("`", "")
    return "not valid"


def problem_of(message: str) -> tuple[str, str]:
    """`(field, message)` of a msgspec.ValidationError's text, with an unknown or missing field named."""
    found = _PATH.search(message)
    field = field_of(found.group(1)) if found else ""
    bare = _PATH.sub("", message)
    for pattern in (_UNKNOWN, _MISSING):
        if (named := pattern.match(bare)) is not None and _NAME.match(named.group(1)):
            field = f"{field}.{named.group(1)}".strip(".")
    return field, message_of(message)
