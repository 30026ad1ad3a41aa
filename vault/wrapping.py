"""Wrap and unwrap keys: the envelope's construction, one key under another. Specified in vault/FORMAT.md.

Example::

    context = WrapContext(scope, Category.MODULE, Purpose.SEAL, generation=1, scope_generation=1)
    wrapped = wrap(scope_key, context, category_key)  # 105 bytes
    assert unwrap(scope_key, context, wrapped) == category_key
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from hashlib import blake2b
from hmac import compare_digest
from os import urandom
from uuid import UUID

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal
from nacl.exceptions import CryptoError

from mandant.vault.category import Category
from mandant.vault.errors import Unopenable

__all__ = [
    "CATEGORY_WRAP",
    "LOCAL_WRAP",
    "WRAPPED_KEY_SIZE",
    "WRAP_OVERHEAD",
    "Purpose",
    "WrapContext",
    "encode_encryption_context",
    "unwrap",
    "unwrap_bytes",
    "wrap",
    "wrap_bytes",
]

WRAP_FORMAT = 1
WRAP_OVERHEAD = 73  # format 1, salt 24, commitment 32, tag 16
WRAPPED_KEY_SIZE = 105
CATEGORY_WRAP = b"mandant/wrap/1"
LOCAL_WRAP = b"mandant/local/1"


class Purpose(IntEnum):
    """What a category key is for. The numbers are stored in wraps and never change."""

    SEAL = 1
    INDEX = 2


@dataclass(frozen=True, slots=True)
class WrapContext:
    """Which category key a wrap holds, and which generation of the scope key wraps it.

    Both generations fit 32 bits.
    """

    scope: UUID
    category: Category
    purpose: Purpose
    generation: int
    scope_generation: int

    def encode(self) -> bytes:
        """26 bytes: scope 16, category 1, purpose 1, generation 4, scope generation 4."""
        return (
            self.scope.bytes
            + bytes((self.category, self.purpose))
            + self.generation.to_bytes(4, "big")
            + self.scope_generation.to_bytes(4, "big")
        )


def wrap(wrapping: bytes, context: WrapContext, key: bytes) -> bytes:
    """A category key (32 bytes) wrapped by a scope key (32 bytes): 105 bytes."""
    if len(key) != 32:
        raise ValueError("a category key has 32 bytes")
    return wrap_bytes(wrapping, CATEGORY_WRAP, context.encode(), key)


def unwrap(wrapping: bytes, context: WrapContext, wrapped: bytes) -> bytes:
    """The category key, 32 bytes. Must stay secret.

    Raises: Unopenable unless the scope key and the context are those of `wrap`.
    """
    if len(wrapped) != WRAPPED_KEY_SIZE:
        raise Unopenable("a wrapped key does not open")
    return unwrap_bytes(wrapping, CATEGORY_WRAP, context.encode(), wrapped)


def wrap_bytes(wrapping: bytes, person: bytes, context: bytes, secret: bytes) -> bytes:
    """`secret` (any length) under `wrapping` (32 bytes), bound to `context` (any length): 73 bytes more.

    `person` (at most 16 bytes) tells one use of the construction from another.
    """
    salt = urandom(24)
    key, commitment = _derive(wrapping, person, context, salt)
    return bytes((WRAP_FORMAT,)) + salt + commitment + aead_seal(secret, None, salt, key)


def unwrap_bytes(wrapping: bytes, person: bytes, context: bytes, wrapped: bytes) -> bytes:
    """What `wrap_bytes` was given. Raises: Unopenable unless key, person and context are the same."""
    if len(wrapped) < WRAP_OVERHEAD or wrapped[0] != WRAP_FORMAT:
        raise Unopenable("a wrapped key does not open")
    salt = wrapped[1:25]
    key, commitment = _derive(wrapping, person, context, salt)
    if not compare_digest(commitment, wrapped[25:57]):
        raise Unopenable("a wrapped key does not open")
    try:
        return aead_open(wrapped[57:], None, salt, key)
    except CryptoError:
        raise Unopenable("a wrapped key does not open") from None


def encode_encryption_context(key_ref: str, context: Mapping[str, str]) -> bytes:
    """A KMS key reference and an encryption context as bytes that no other pair shares.

    Each string is two bytes of length (big-endian) and UTF-8; pairs sorted by the bytes of their key,
    their number first, in two bytes. Raises: OverflowError when a string is longer than 65535 bytes.
    """
    pairs = sorted((name.encode(), value.encode()) for name, value in context.items())
    encoded = _string(key_ref.encode()) + len(pairs).to_bytes(2, "big")
    return encoded + b"".join(_string(name) + _string(value) for name, value in pairs)


def _string(raw: bytes) -> bytes:
    return len(raw).to_bytes(2, "big") + raw


def _derive(wrapping: bytes, person: bytes, context: bytes, salt: bytes) -> tuple[bytes, bytes]:
    """The wrap's own key and its commitment, 32 bytes each."""
    if len(wrapping) != 32:
        raise ValueError("a wrapping key has 32 bytes")
    derived = blake2b(context + salt, key=wrapping, person=person).digest()
    return derived[:32], derived[32:]
