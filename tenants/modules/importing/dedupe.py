"""By what the importer knows that a row is in already."""

from __future__ import annotations

from typing import Any

import msgspec

from mandant.tenants.modules.record import Record


def dedupe_key(record: Record, uid: str | None) -> bytes:
    """Canonical bytes, equal for the same row read twice: the source's own id, or else all values.

    To be hashed with a keyed index term before it is stored: it is plaintext. Two rows of one file that
    are equal in everything that is imported have one key.
    """
    if uid:
        return b"uid\0" + uid.encode("utf-8", "surrogatepass")
    return b"row\0" + msgspec.msgpack.encode(_set(msgspec.to_builtins(record)), order="deterministic")


def _set(value: Any) -> Any:
    """Without what is empty, so that a field added to the module later does not change the key."""
    if isinstance(value, dict):
        return {key: _set(item) for key, item in value.items() if item not in (None, [], {})}
    if isinstance(value, list):
        return [_set(item) for item in value]
    return value
