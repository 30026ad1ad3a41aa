"""What is said to a witness and what it answers; who sends it is not decided here.

A witness remembers the newest checkpoint it has seen of each log, demands a consistency proof from it to the
next, and puts its own signature and the time under that. Source: C2SP tlog-witness, tlog-cosignature 1.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mandant.vault.ledger.base64_text import to_base64
from mandant.vault.ledger.checkpoint import Checkpoint, decimal
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.note import (
    COSIGNATURE,
    BadSignature,
    Note,
    NoteSignature,
    VerifierKey,
    parse_signature_line,
    valid_ed25519,
)

__all__ = [
    "ADD_CHECKPOINT",
    "Cosignature",
    "Otherwise",
    "Refused",
    "Witnessed",
    "add_checkpoint_body",
    "cosigned",
    "cosigned_text",
    "read_answer",
    "with_cosignatures",
]

ADD_CHECKPOINT = "/add-checkpoint"  # POST, after the witness's submission prefix
_MOST_PROOF = 63
_MOST_LINES = 100


@dataclass(frozen=True, slots=True)
class Cosignature:
    """A verified signature of a witness. `at`: seconds since 1970. `line` goes under the checkpoint."""

    witness: str
    at: int
    line: NoteSignature


@dataclass(frozen=True, slots=True)
class Witnessed:
    """200: the witness's signatures, unknown ones left out; at least one."""

    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class Otherwise:
    """409: the newest checkpoint that the witness has seen is of this size; ask again from there."""

    size: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Any other answer. 422: the checkpoint contradicts what the witness has seen. 403, 404: no known key."""

    status: int


def add_checkpoint_body(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of the request. `old` 0 with an empty proof: the witness has seen nothing yet."""
    if len(proof) > _MOST_PROOF or (old == 0 and proof):
        raise ValueError("at most 63 hashes, and none from size 0")
    lines = [f"old {old}", *map(to_base64, proof), ""]
    return "".join(f"{line}\n" for line in lines).encode() + checkpoint


def read_answer(
    status: int, body: bytes, checkpoint: Checkpoint, witnesses: Collection[VerifierKey]
) -> Witnessed | Otherwise | Refused:
    """What a witness has answered. Raises: Malformed, BadSignature (also when no known witness signed)."""
    if status not in (200, 409):
        return Refused(status)
    try:
        lines = body.decode().split("\n")
    except UnicodeDecodeError:
        raise Malformed("a witness answers in UTF-8") from None
    if lines.pop() or not lines or len(lines) > _MOST_LINES:
        raise Malformed("a witness answers with whole lines")
    if status == 409:
        if len(lines) != 1:
            raise Malformed("a conflict is answered with one number")
        return Otherwise(decimal(lines[0]))
    found = cosigned(checkpoint.note.text, map(parse_signature_line, lines), witnesses)
    if not found:
        raise BadSignature("none of the witnesses that are known has signed")
    return Witnessed(tuple(found))


def cosigned(
    text: str, lines: Iterable[NoteSignature], witnesses: Collection[VerifierKey]
) -> list[Cosignature]:
    """The witnesses' signatures among `lines` over a checkpoint's text. Raises: BadSignature."""
    known = {(key.name, key.key_id): key for key in witnesses if key.algorithm == COSIGNATURE}
    found = []
    for line in lines:
        key = known.get((line.name, line.key_id))
        if key is None:
            continue
        at = int.from_bytes(line.value[:8], "big")
        if not 0 < at < 1 << 63 or not valid_ed25519(key.public, cosigned_text(text, at), line.value[8:]):
            raise BadSignature("a witness's signature is false")
        found.append(Cosignature(line.name, at, line))
    return found


def cosigned_text(text: str, at: int) -> bytes:
    """What a witness signs: the checkpoint's text under a header and the time."""
    return f"cosignature/v1\ntime {at}\n{text}".encode()


def with_cosignatures(checkpoint: Checkpoint, cosignatures: Sequence[Cosignature]) -> bytes:
    """The checkpoint with the witnesses' lines under its own."""
    lines = (*checkpoint.note.signatures, *(one.line for one in cosignatures))
    return Note(checkpoint.note.text, lines).raw()
