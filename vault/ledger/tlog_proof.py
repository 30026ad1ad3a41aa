"""Proof files: that one leaf is in a log, verifiable without asking anybody. Source: C2SP tlog-proof 1.

The `extra` line carries the leaf itself, so the file and the log's key are all that is needed.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.checkpoint import Checkpoint, decimal, open_checkpoint, parse_checkpoint
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import leaf_hash, verify_inclusion
from mandant.vault.ledger.note import VerifierKey

__all__ = ["MAGIC", "BadProof", "LeafProof", "open_proof", "parse_proof"]

MAGIC = "c2sp.org/tlog-proof@v1"


class BadProof(Exception):
    """The hashes do not lead from the leaf to the checkpoint's root."""


@dataclass(frozen=True, slots=True)
class LeafProof:
    """`hashes`: the leaf's sibling first, 32 bytes each. `checkpoint`: the signed note."""

    leaf: bytes
    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def text(self) -> bytes:
        lines = [MAGIC, f"extra {to_base64(self.leaf)}", f"index {self.index}", *map(to_base64, self.hashes)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint


def parse_proof(raw: bytes) -> LeafProof:
    """A proof file with its leaf, nothing verified. Raises: Malformed; also where the leaf is missing."""
    head, empty, checkpoint = raw.partition(b"\n\n")
    try:
        lines = head.decode().split("\n")
    except UnicodeDecodeError:
        raise Malformed("a proof file is UTF-8") from None
    if not empty or len(lines) < 3 or lines[0] != MAGIC:
        raise Malformed("not a proof file of C2SP tlog-proof 1 with its leaf")
    if not lines[1].startswith("extra ") or not lines[2].startswith("index "):
        raise Malformed("a proof file has an extra line and an index line")
    if len(lines) > 3 + 63:
        raise Malformed("a proof of more than 63 hashes")
    parse_checkpoint(checkpoint)
    return LeafProof(
        from_base64(lines[1].removeprefix("extra ")),
        decimal(lines[2].removeprefix("index ")),
        tuple(from_base64(line, 32) for line in lines[3:]),
        checkpoint,
    )


def open_proof(raw: bytes, keys: Collection[VerifierKey]) -> tuple[LeafProof, Checkpoint]:
    """A proof that holds, and its checkpoint. Raises: Malformed, BadSignature, BadProof."""
    proof = parse_proof(raw)
    checkpoint = open_checkpoint(proof.checkpoint, keys)
    hash_ = leaf_hash(proof.leaf)
    if not verify_inclusion(hash_, proof.index, checkpoint.size, proof.hashes, checkpoint.root):
        raise BadProof("the entry is not in the tree of this checkpoint")
    return proof, checkpoint
