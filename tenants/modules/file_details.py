"""What a file is called and what type it has: checked when it comes, sealed beside its bytes."""

import re
import unicodedata
from typing import Any
from uuid import UUID

import msgspec

from mandant.tenants.errors import Invalid
from mandant.tenants.modules.declaration import Module
from mandant.vault.envelope import Place

MAX_NAME = 255  # characters
MAX_MEDIA_TYPE = 127  # characters

# They turn the direction of text: "invoice\u202efdp.exe" looks like another name.
_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_WORD = r"[A-Za-z0-9!#$&^_.+-]+"
_MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}(?: ?; ?{_WORD}=(?:{_WORD}|"[A-Za-z0-9 !#$&^_.+:/=-]*"))*')


class FileDetails(msgspec.Struct, frozen=True):
    """The plaintext of `file.sealed`, as JSON. The record is in it too: a row moved to another is noticed."""

    name: str
    media_type: str
    record_id: UUID | None


def details_place(module: Module[Any]) -> Place:
    """Where a file's details are sealed for."""
    return Place(module.name, "file")


def content_place(module: Module[Any]) -> Place:
    """Where a file's bytes are sealed for."""
    return Place(module.name, "content")


def checked_details(name: str, media_type: str, record_id: UUID | None) -> FileDetails:
    """Of a name with folders only its last part is kept (RFC 6266, 4.3). Raises: Invalid."""
    own = re.split(r"[/\\]", name)[-1].strip()
    problems = []
    if not 0 < len(own) <= MAX_NAME or own in {".", ".."}:
        problems.append(("name", f"has 1 to {MAX_NAME} characters"))
    if any(c in _TURNING or unicodedata.category(c) in {"Cc", "Cs"} for c in own):
        problems.append(("name", "contains a control character; remove it"))
    if len(media_type) > MAX_MEDIA_TYPE or not _MEDIA_TYPE.fullmatch(media_type):
        problems.append(("media_type", "is no media type like application/pdf"))
    if problems:
        raise Invalid(problems)
    return FileDetails(own, media_type, record_id)
