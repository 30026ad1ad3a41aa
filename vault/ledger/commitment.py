"""Salted commitments: a leaf binds itself to what it does not say.

Whoever has the opening (salt and value) checks it; whoever has only the leaf cannot even try guesses: the
salt has 32 random bytes. Two different openings of one commitment need a collision of BLAKE2b-256.
"""

from __future__ import annotations

from hashlib import blake2b

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.canonical import Json, encode
from mandant.vault.ledger.malformed import Malformed

__all__ = ["SALT_SIZE", "commit", "commitment", "opens"]

SALT_SIZE = 32


def commit(salt: bytes, field: str, value: Json) -> tuple[str, Json]:
    """The commitment as it stands in the leaf, and its opening as it is sealed. `salt`: 32 random bytes."""
    return to_base64(commitment(salt, field, value)), {"salt": to_base64(salt), "value": value}


def commitment(salt: bytes, field: str, value: Json) -> bytes:
    """32 bytes. The field is bound in, so an opening of one field opens no other."""
    name = field.encode()
    return blake2b(
        bytes((len(name),)) + name + encode(value), key=salt, digest_size=32, person=b"mandant/commit/1"
    ).digest()


def opens(text: Json, field: str, opening: Json) -> bool:
    """Whether `opening` is what the leaf's commitment `text` is bound to."""
    if not isinstance(opening, dict) or opening.keys() != {"salt", "value"}:
        return False
    salt = opening["salt"]
    try:
        raw = from_base64(salt if isinstance(salt, str) else "", SALT_SIZE)
        return to_base64(commitment(raw, field, opening["value"])) == text
    except Malformed:
        return False
