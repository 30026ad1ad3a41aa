"""Signed notes: a text and signature lines under it. Source: C2SP signed-note 1.0.

raw = sign("the text\\n", "example.org/log", signing_key)
note = parse_note(raw)
signed_by(note, [VerifierKey.parse("example.org/log+6f0f2c4b+AT...")])
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.malformed import Malformed

__all__ = [
    "COSIGNATURE",
    "ED25519",
    "BadSignature",
    "Note",
    "NoteSignature",
    "VerifierKey",
    "note_key_id",
    "parse_note",
    "parse_signature_line",
    "sign_note",
    "signed_by",
    "valid_ed25519",
]

ED25519 = 1
COSIGNATURE = 4  # a witness's, with a time: C2SP tlog-cosignature
_LARGEST = 1_000_000
_MOST = 100
_DASH = "\u2014 "
_NAME = re.compile(r"[^\s+\x00-\x1f]+")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class BadSignature(Exception):
    """A key that is known did not make the signature that bears its name, or no key is known."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name that it signs under. `key_id`: 4 bytes, `public`: 32 bytes."""

    name: str
    key_id: bytes
    algorithm: int
    public: bytes

    @classmethod
    def of(cls, name: str, public: bytes, algorithm: int = ED25519) -> VerifierKey:
        return cls(name, note_key_id(name, public, algorithm), algorithm, public)

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """From `name+id+key`. Raises: Malformed; also for an algorithm that is neither Ed25519 form."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Malformed("a verifier key is name+id+key")
        material = from_base64(parts[2], 33)
        key = cls.of(parts[0], material[1:], material[0])
        if not good_name(key.name) or key.algorithm not in (ED25519, COSIGNATURE) or str(key) != text:
            raise Malformed("a verifier key whose name, id or algorithm is wrong")
        return key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{to_base64(bytes((self.algorithm,)) + self.public)}"


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line. `value`: what follows the key id, unverified."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        return f"{_DASH}{self.name} {to_base64(self.key_id + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """`text` ends with a newline and is what the signatures are over."""

    text: str
    signatures: tuple[NoteSignature, ...]

    def raw(self) -> bytes:
        return (self.text + "\n" + "".join(one.line() for one in self.signatures)).encode()


def note_key_id(name: str, public: bytes, algorithm: int = ED25519) -> bytes:
    """4 bytes."""
    return sha256(name.encode() + b"\n" + bytes((algorithm,)) + public).digest()[:4]


def good_name(name: str) -> bool:
    """Whether a key may bear this name: not empty, no space, no plus, no control character."""
    return _NAME.fullmatch(name) is not None


def sign_note(text: str, name: str, key: SigningKey) -> bytes:
    """The whole note with one signature. Raises: Malformed for a text or a name that a note cannot have."""
    public = key.verify_key.encode()
    one = NoteSignature(name, note_key_id(name, public), key.sign(text.encode()).signature)
    raw = Note(text, (one,)).raw()
    if parse_note(raw) != Note(text, (one,)):
        raise Malformed("a note's text ends with a newline and is not followed by more")
    return raw


def parse_note(raw: bytes) -> Note:
    """Text and signatures, nothing verified. Raises: Malformed."""
    if len(raw) > _LARGEST:
        raise Malformed("a note of more than a million bytes")
    try:
        whole = raw.decode()
    except UnicodeDecodeError:
        raise Malformed("a note is UTF-8") from None
    if _CONTROL.search(whole):
        raise Malformed("a note has no control characters")
    text, found, below = whole.rpartition("\n\n")
    if not found or not below.endswith("\n"):
        raise Malformed("a note is a text, an empty line and signature lines")
    lines = below[:-1].split("\n")
    if len(lines) > _MOST:
        raise Malformed("a note with more than a hundred signatures")
    return Note(text + "\n", tuple(parse_signature_line(line) for line in lines))


def parse_signature_line(line: str) -> NoteSignature:
    """One line without its newline. Raises: Malformed."""
    dash, name, value = line[:2], *line[2:].partition(" ")[::2]
    if dash != _DASH or not good_name(name):
        raise Malformed("a signature line is a dash, a name and base64")
    material = from_base64(value)
    if len(material) < 5:
        raise Malformed("a signature line without a signature")
    return NoteSignature(name, material[:4], material[4:])


def signed_by(note: Note, keys: Collection[VerifierKey]) -> list[VerifierKey]:
    """Which of the Ed25519 keys have signed; at least one. Others' signatures are passed over.

    Raises: BadSignature when none has, or when a signature that bears a known name and id is false.
    """
    known = {(key.name, key.key_id): key for key in keys if key.algorithm == ED25519}
    found = []
    for one in note.signatures:
        key = known.get((one.name, one.key_id))
        if key is None:
            continue
        if not valid_ed25519(key.public, note.text.encode(), one.value):
            raise BadSignature("the signature is false")
        found.append(key)
    if not found:
        raise BadSignature("not signed by a known key")
    return found


def valid_ed25519(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `public` (32 bytes) made `signature` over `message`."""
    if len(signature) != 64:
        return False
    try:
        VerifyKey(public).verify(message, signature)
    except BadSignatureError:
        return False
    return True
