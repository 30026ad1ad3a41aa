"""The bundle of one log, as its owner downloads it: entries with their openings, checkpoints, keys.

It ends where the newest checkpoint does: sign one first. Read in pieces; nothing that is in it ever changes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

from mandant.vault.control import ControlDatabase
from mandant.vault.ledger.base64_text import from_base64
from mandant.vault.ledger.bundle_file import checkpoint_line, entry_line, header_line
from mandant.vault.ledger.leaf import read_leaf
from mandant.vault.ledger.log import open_openings, origin_of
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.note import VerifierKey
from mandant.vault.open_scope import OpenScope

__all__ = ["verifier_keys", "write_bundle"]

_PIECE = 1000


async def verifier_keys(control: ControlDatabase, owner: UUID) -> list[VerifierKey]:
    """The keys that sign or have signed for this log, the first one first."""
    async with control.transaction() as connection:
        origin = await origin_of(connection, owner)
        rows = await connection.fetch(
            "SELECT l.leaf FROM control.ledger_leaf l WHERE l.owner = $1 AND l.kind IN ('start', 'key')"
            " ORDER BY l.index",
            owner,
        )
    found = []
    for row in rows:
        try:
            found.append(VerifierKey.of(origin, from_base64(str(read_leaf(row["leaf"])["key"]), 32)))
        except (Malformed, KeyError):
            continue  # the bundle is written all the same: its verifier names the entry
    return found


async def write_bundle(control: ControlDatabase, scope: OpenScope, owner: UUID) -> AsyncIterator[bytes]:
    """The file's bytes, piece by piece. `scope`: the owner's operator scope, which opens the openings.

    Rows are written as they are stored, also where they contradict each other.
    Raises: LedgerMissing, Unopenable, KeyShredded.
    """
    async with control.transaction() as connection:
        origin = await origin_of(connection, owner)
        size: int = await connection.fetchval(
            "SELECT coalesce(max(c.size), 0) FROM control.ledger_checkpoint c WHERE c.owner = $1", owner
        )
    yield header_line(origin, [str(key) for key in await verifier_keys(control, owner)])
    last = -1
    while True:
        async with control.transaction() as connection:
            rows = await connection.fetch(
                "SELECT l.index, l.leaf, l.sealed FROM control.ledger_leaf l"
                " WHERE l.owner = $1 AND l.index > $2 AND l.index < $3 ORDER BY l.index LIMIT $4",
                *(owner, last, size, _PIECE),
            )
        if not rows:
            break
        yield b"".join(
            entry_line(row["index"], row["leaf"], open_openings(scope, owner, row["index"], row["sealed"]))
            for row in rows
        )
        last = rows[-1]["index"]
    last = -1
    while True:
        async with control.transaction() as connection:
            rows = await connection.fetch(
                "SELECT c.size, c.note FROM control.ledger_checkpoint c"
                " WHERE c.owner = $1 AND c.size > $2 AND c.size <= $3 ORDER BY c.size LIMIT $4",
                *(owner, last, size, _PIECE),
            )
        if not rows:
            return
        yield b"".join(checkpoint_line(row["note"]) for row in rows)
        last = rows[-1]["size"]
