"""Seal and open a record: 77 bytes of overhead, bound to its place. Specified in vault/FORMAT.md.

Example::

    sealer = Sealer(key, Place("customers", "record"))
    sealed = sealer.seal(record_id, 1, b"...")
    assert sealer.open(record_id, 1, sealed) == b"..."
"""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest
from os import urandom
from struct import Struct
from typing import NamedTuple, NoReturn, SupportsIndex
from uuid import UUID

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal,
)
from nacl.exceptions import CryptoError

from mandant.vault.category import Category
from mandant.vault.errors import Unopenable

__all__ = ["FORMAT", "OVERHEAD", "DataKey", "Place", "Sealer", "generation_of", "open_", "seal"]

FORMAT = 1
OVERHEAD = 77  # format 1, generation 4, salt 24, commitment 32, tag 16
RECORD = b"mandant/record/1"

_pack = Struct(">16sQ24s").pack  # record id, version, salt: the part of the context that changes
_SALT = 5
_COMMITMENT = 29
_CIPHERTEXT = 61


class Place(NamedTuple):
    """Where sealed bytes live, bound into them. Each name: 1 to 255 bytes of UTF-8.

    `Place("customers", "record")` for a record sealed whole, `Place("person", "email")` for a column.
    """

    module: str
    field: str


class DataKey:
    """A category key of one scope and generation. Immutable; never printed, pickled or copied.

    `key` is 32 bytes and must stay secret; `generation` fits 32 bits. Not a dataclass: msgspec,
    `asdict` and whoever walks a dataclass's fields would write the key out.
    """

    __slots__ = ("_sealers", "category", "generation", "key", "scope")

    scope: UUID
    category: Category
    generation: int
    key: bytes
    _sealers: dict[Place, Sealer]

    def __init__(self, scope: UUID, category: Category, generation: int, key: bytes) -> None:
        if len(key) != 32:
            raise ValueError("a category key has 32 bytes")
        if not 0 <= generation < 1 << 32:
            raise ValueError("a generation fits 32 bits")
        for name, value in (
            ("scope", scope),
            ("category", category),
            ("generation", generation),
            ("key", key),
            ("_sealers", {}),
        ):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a key does not change")

    def __repr__(self) -> str:
        return f"<key {self.category.name.lower()} generation {self.generation} of scope {self.scope}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a key is neither pickled nor copied")

    def sealer(self, place: Place) -> Sealer:
        """The sealer of this key and place, made once and kept as long as the key."""
        sealer = self._sealers.get(place)
        if sealer is None:
            sealer = self._sealers[place] = Sealer(self, place)
        return sealer


def name_bytes(name: str) -> bytes:
    """A length-prefixed name: one byte of length, then UTF-8. Raises: ValueError outside 1 to 255 bytes."""
    raw = name.encode()
    if not 1 <= len(raw) <= 255:
        raise ValueError("a module or field name has 1 to 255 bytes")
    return bytes((len(raw),)) + raw


def place_state(key: DataKey, place: Place, person: bytes) -> blake2b:
    """Keyed BLAKE2b-512 that has absorbed scope, category, generation and place: copied for each salt."""
    return blake2b(
        key.scope.bytes
        + bytes((key.category,))
        + key.generation.to_bytes(4, "big")
        + name_bytes(place.module)
        + name_bytes(place.field),
        key=key.key,
        person=person,
    )


class Sealer:
    """Seals and opens records of one key and place. Holds what all of them share, so each costs less."""

    __slots__ = ("_header", "_state")

    def __init__(self, key: DataKey, place: Place) -> None:
        self._header = bytes((FORMAT,)) + key.generation.to_bytes(4, "big")
        self._state = place_state(key, place, RECORD)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a sealer is neither pickled nor copied")

    def seal(self, record_id: UUID, version: int, plaintext: bytes) -> bytes:
        """`plaintext` (any length) sealed: 77 bytes more.

        Raises: struct.error when `version` does not fit 64 bits.
        """
        salt = urandom(24)
        state = self._state.copy()
        state.update(_pack(record_id.bytes, version, salt))
        derived = state.digest()
        ciphertext = aead_seal(plaintext, None, salt, derived[:32])
        return b"".join((self._header, salt, derived[32:], ciphertext))

    def open(self, record_id: UUID, version: int, sealed: bytes) -> bytes:
        """The plaintext of `sealed`, if it was sealed for exactly this key, place, record and version.

        Raises: Unopenable otherwise, with the same words whatever the reason.
        """
        if len(sealed) < OVERHEAD or not sealed.startswith(self._header):
            raise unopenable(sealed)
        salt = sealed[_SALT:_COMMITMENT]
        state = self._state.copy()
        state.update(_pack(record_id.bytes, version, salt))
        derived = state.digest()
        # Before decryption: XChaCha20-Poly1305 does not commit to its key, this comparison does.
        if not compare_digest(derived[32:], sealed[_COMMITMENT:_CIPHERTEXT]):
            raise Unopenable("sealed bytes do not open")
        try:
            return aead_open(sealed[_CIPHERTEXT:], None, salt, derived[:32])
        except CryptoError:
            raise Unopenable("sealed bytes do not open") from None


def unopenable(sealed: bytes) -> Unopenable:
    """The refusal; only an unknown format, which is public, is named."""
    if sealed and sealed[0] != FORMAT:
        return Unopenable("sealed bytes have a format that this version does not know")
    return Unopenable("sealed bytes do not open")


def seal(key: DataKey, place: Place, record_id: UUID, version: int, plaintext: bytes) -> bytes:
    """`plaintext` (any length) sealed for one place, record and version: 77 bytes more."""
    return (key._sealers.get(place) or key.sealer(place)).seal(record_id, version, plaintext)


def open_(key: DataKey, place: Place, record_id: UUID, version: int, sealed: bytes) -> bytes:
    """The plaintext. Raises: Unopenable unless key, place, record and version are those of `seal`."""
    return (key._sealers.get(place) or key.sealer(place)).open(record_id, version, sealed)


def generation_of(sealed: bytes) -> int:
    """The generation of the category key that opens `sealed`: bytes 1 to 4. Not yet authenticated.

    Raises: Unopenable when the size or the format cannot be right.
    """
    if len(sealed) < OVERHEAD or sealed[0] != FORMAT:
        raise unopenable(sealed)
    return int.from_bytes(sealed[1:5], "big")
