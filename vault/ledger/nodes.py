"""Hashes and proofs from the stored log: a few rows each, whatever the log's size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from mandant.vault.ledger.errors import LedgerDamaged
from mandant.vault.ledger.merkle import (
    EMPTY,
    Range,
    consistency_ranges,
    cover,
    fold,
    inclusion_ranges,
)

__all__ = ["consistency_proof", "hashes_of", "inclusion_proof", "root_of"]

_NODES = """
SELECT substring(l.nodes FROM 32 * n.level + 1 FOR 32) AS hash
  FROM unnest($2::bigint[], $3::integer[]) WITH ORDINALITY n (index, level, place)
  JOIN control.ledger_leaf l ON l.owner = $1 AND l.index = n.index ORDER BY n.place
"""


async def hashes_of(connection: Any, owner: UUID, ranges: Sequence[Range]) -> list[bytes]:
    """The hash of each range of a proof, in one statement. Raises: LedgerDamaged when a node is missing."""
    parts = [cover(start, end) for start, end in ranges]
    asked = [node for part in parts for node in part]
    rows = await connection.fetch(
        _NODES,
        owner,
        [((number + 1) << level) - 1 for level, number in asked],
        [level for level, _ in asked],
    )
    found = [row["hash"] for row in rows]
    if len(found) != len(asked) or not all(len(one) == 32 for one in found):
        raise LedgerDamaged("entries of this log are missing: nothing can be proved from it")
    read = iter(found)
    return [fold([next(read) for _ in part]) for part in parts]


async def root_of(connection: Any, owner: UUID, size: int) -> bytes:
    """The root of the log's first `size` entries."""
    return (await hashes_of(connection, owner, [(0, size)]))[0] if size else EMPTY


async def inclusion_proof(connection: Any, owner: UUID, index: int, size: int) -> list[bytes]:
    """That entry `index` is in the tree of `size`. Raises: ValueError, LedgerDamaged."""
    return await hashes_of(connection, owner, inclusion_ranges(index, size))


async def consistency_proof(connection: Any, owner: UUID, old: int, new: int) -> list[bytes]:
    """That the tree of `old` entries is the start of that of `new`. Raises: ValueError, LedgerDamaged."""
    return await hashes_of(connection, owner, consistency_ranges(old, new))
