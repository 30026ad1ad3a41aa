"""Blind-index terms: keyed numbers by which sealed values are found. Specified in vault/FORMAT.md.

A term is a signed 64-bit integer. Its upper 40 bits are the same for all values of one field, so
terms of different tenants and fields share no posting list; its lower 24 come from the value, so
that values collide and a stolen index proves less. Whoever looks a value up opens what it finds and
compares. Values arrive normalised (vault/normalise.py); an absent value has no term.

Example::

    emails = FieldIndex(index_key, "customers", "email", "exact")
    term = emails.term("anna@example.ch")
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Literal, NoReturn, SupportsIndex

from mandant.vault.envelope import name_bytes

__all__ = ["FieldIndex", "Kind", "term", "unique_term"]

Kind = Literal["exact", "prefix"]

TAG = b"mandant/tag/1"
TERM = b"mandant/term/1"
UNIQUE = b"mandant/unique/1"


class FieldIndex:
    """Makes the terms of one field and kind. Holds what all of them share, so each costs less.

    `index_key` is 32 bytes and must stay secret.
    """

    __slots__ = ("_state", "_tag")

    def __init__(self, index_key: bytes, module: str, field: str, kind: Kind) -> None:
        _check(index_key)
        place = name_bytes(module) + name_bytes(field) + name_bytes(kind)
        tag = blake2b(place, key=index_key, person=TAG, digest_size=5).digest()
        self._tag = int.from_bytes(tag, "big", signed=True) << 24
        self._state = blake2b(place, key=index_key, person=TERM, digest_size=3)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an index key is neither pickled nor copied")

    def term(self, value: str) -> int:
        """The term of a normalised value, -2**63 to 2**63 - 1. Raises: ValueError when it is empty."""
        if not value:
            raise ValueError("an empty value has no term")
        state = self._state.copy()
        state.update(value.encode())
        return self._tag | int.from_bytes(state.digest(), "big")


def term(index_key: bytes, module: str, field: str, kind: Kind, value: str) -> int:
    """One term of a normalised value; for many of one field, keep a FieldIndex."""
    return FieldIndex(index_key, module, field, kind).term(value)


def unique_term(index_key: bytes, module: str, field: str, value: str) -> bytes:
    """16 bytes for a field that is unique within its owner: long enough that two values never collide.

    `index_key` is 32 bytes and must stay secret. Raises: ValueError when `value` is empty.
    """
    _check(index_key)
    if not value:
        raise ValueError("an empty value has no term")
    message = name_bytes(module) + name_bytes(field) + value.encode()
    return blake2b(message, key=index_key, person=UNIQUE, digest_size=16).digest()


def _check(index_key: bytes) -> None:
    if len(index_key) != 32:
        raise ValueError("an index key has 32 bytes")
