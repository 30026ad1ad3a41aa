"""Checkpoints: a log's origin, size and root as a signed note. Source: C2SP tlog-checkpoint 1.0."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.note import Note, VerifierKey, parse_note, signed_by

__all__ = ["Checkpoint", "checkpoint_text", "decimal", "open_checkpoint", "parse_checkpoint"]

_DECIMAL = re.compile(r"(?:0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log said of itself. `root`: 32 bytes. `note` is the whole of it, signatures included."""

    origin: str
    size: int
    root: bytes
    note: Note


def checkpoint_text(origin: str, size: int, root: bytes) -> str:
    """The three lines that are signed. Extension lines are never written."""
    return f"{origin}\n{size}\n{to_base64(root)}\n"


def parse_checkpoint(raw: bytes) -> Checkpoint:
    """A checkpoint, its signatures not verified. Raises: Malformed."""
    note = parse_note(raw)
    lines = note.text[:-1].split("\n")
    if len(lines) < 3 or not all(lines):
        raise Malformed("a checkpoint has an origin, a size and a root, and no empty line")
    return Checkpoint(lines[0], decimal(lines[1]), from_base64(lines[2], 32), note)


def open_checkpoint(raw: bytes, keys: Collection[VerifierKey]) -> Checkpoint:
    """A checkpoint that one of its log's keys has signed. Raises: Malformed, BadSignature."""
    checkpoint = parse_checkpoint(raw)
    signed_by(checkpoint.note, [key for key in keys if key.name == checkpoint.origin])
    return checkpoint


def decimal(text: str) -> int:
    """A number as C2SP writes it: ASCII digits, no leading zero, at most 63 bits. Raises: Malformed."""
    if not _DECIMAL.fullmatch(text) or int(text) >= 1 << 63:
        raise Malformed("not a decimal number")
    return int(text)
