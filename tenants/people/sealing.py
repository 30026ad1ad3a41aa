"""Structs of this package, sealed and opened."""

from typing import TypeVar
from uuid import UUID

import msgspec

from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of, open_, seal
from mandant.vault.open_scope import OpenScope

Value = TypeVar("Value", bound=msgspec.Struct)


def sealed(
    keys: OpenScope,
    place: Place,
    record_id: UUID,
    version: int,
    value: msgspec.Struct,
    category: Category = Category.REGISTRATION,
) -> bytes:
    """A Struct as JSON, sealed."""
    return seal(keys.seal_key(category), place, record_id, version, msgspec.json.encode(value))


def opened(
    keys: OpenScope,
    place: Place,
    record_id: UUID,
    version: int,
    stored: bytes,
    shape: type[Value],
    category: Category = Category.REGISTRATION,
) -> Value:
    """Raises: Unopenable, KeyShredded."""
    key = keys.open_key(category, generation_of(stored))
    return msgspec.json.decode(open_(key, place, record_id, version, stored), type=shape)
