"""Sign what is committed, and never two different trees of one size.

    checkpoint = await sign_checkpoint(control, signers, owner, clock.now())      # after the append's COMMIT

A new checkpoint is compared with the last one that was signed: the tree has to be that one's continuation.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from mandant.vault.control import ControlDatabase
from mandant.vault.ledger.checkpoint import Checkpoint, checkpoint_text, parse_checkpoint
from mandant.vault.ledger.errors import Forked, LedgerDamaged
from mandant.vault.ledger.log import key_in_force, origin_of
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import verify_consistency
from mandant.vault.ledger.nodes import consistency_proof, inclusion_proof, root_of
from mandant.vault.ledger.signers import Signers
from mandant.vault.ledger.tlog_proof import LeafProof

__all__ = ["newest_checkpoint", "prove", "sign_checkpoint"]


async def sign_checkpoint(
    control: ControlDatabase, signers: Signers, owner: UUID, at: datetime
) -> Checkpoint:
    """The signed checkpoint of the log as it is committed now, stored before it is returned.

    In a transaction of its own: it sees nobody's uncommitted entries. Signing the same size again returns
    what was signed then. Raises: LedgerMissing, SignerMissing, LedgerDamaged; Forked when what is stored is
    not the continuation of the last checkpoint.
    """
    async with control.transaction() as connection:
        origin = await origin_of(connection, owner)
        size: int = await connection.fetchval(
            "SELECT coalesce(max(l.index) + 1, 0) FROM control.ledger_leaf l WHERE l.owner = $1", owner
        )
        last = await _newest(connection, owner)
        if last is not None and last.size >= size:
            return await _again(connection, owner, size, last)
        root = await root_of(connection, owner, size)
        if last is not None:
            proof = await consistency_proof(connection, owner, last.size, size)
            if not verify_consistency(last.size, size, proof, last.root, root):
                raise Forked(f"the log contradicts its signed checkpoint of {last.size} entries")
        signer = signers.of(await key_in_force(connection, owner, size))
        note = signer.note(checkpoint_text(origin, size, root), origin)
        made = await connection.fetchval(
            "INSERT INTO control.ledger_checkpoint (owner, size, root, note, at) VALUES ($1, $2, $3, $4, $5)"
            " ON CONFLICT DO NOTHING RETURNING size",
            *(owner, size, root, note, at),
        )
        if made is None:
            stored = await connection.fetchrow(
                "SELECT c.root, c.note FROM control.ledger_checkpoint c WHERE c.owner = $1 AND c.size = $2",
                *(owner, size),
            )
            if stored is None or stored["root"] != root:
                raise Forked(f"another tree of {size} entries was signed")
            note = stored["note"]
        return parse_checkpoint(note)


async def newest_checkpoint(control: ControlDatabase, owner: UUID) -> Checkpoint | None:
    """The newest one that was signed; None for a log that has none."""
    async with control.transaction() as connection:
        return await _newest(connection, owner)


async def prove(connection: Any, owner: UUID, index: int, checkpoint: Checkpoint) -> LeafProof:
    """The proof file of one entry that the checkpoint covers. Raises: ValueError, LedgerDamaged."""
    leaf: bytes | None = await connection.fetchval(
        "SELECT l.leaf FROM control.ledger_leaf l WHERE l.owner = $1 AND l.index = $2", owner, index
    )
    if leaf is None:
        raise LedgerDamaged("the log has no such entry")
    hashes = await inclusion_proof(connection, owner, index, checkpoint.size)
    return LeafProof(leaf, index, tuple(hashes), checkpoint.note.raw())


async def _newest(connection: Any, owner: UUID) -> Checkpoint | None:
    note: bytes | None = await connection.fetchval(
        "SELECT c.note FROM control.ledger_checkpoint c WHERE c.owner = $1 ORDER BY c.size DESC LIMIT 1",
        owner,
    )
    try:
        return None if note is None else parse_checkpoint(note)
    except Malformed:
        raise LedgerDamaged("the newest checkpoint that is stored is not one") from None


async def _again(connection: Any, owner: UUID, size: int, last: Checkpoint) -> Checkpoint:
    """The last checkpoint, if the log still is what it says. Raises: Forked.

    Of another node's entries that were committed meanwhile nothing was read: then it is the last one, too.
    """
    if size < last.size:
        size = await connection.fetchval(
            "SELECT coalesce(max(l.index) + 1, 0) FROM control.ledger_leaf l WHERE l.owner = $1", owner
        )
    if size < last.size:
        raise Forked(f"{last.size} entries were signed, and {size} are stored")
    if await root_of(connection, owner, last.size) != last.root:
        raise Forked(f"the log contradicts its signed checkpoint of {last.size} entries")
    return last
