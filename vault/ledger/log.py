"""Append to an owner's log, in the caller's control transaction: both commit together.

    async with control.transaction() as connection:
        done = await append(connection, owner, key, [Entry("access", ...), Entry("notice", ...)], clock.now())

Entries of one owner take turns, from the first append to the end of the caller's transaction: so one
transaction appends to one owner's log. What is rolled back leaves no gap.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from os import urandom
from typing import Any
from uuid import UUID

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place, generation_of, open_, seal
from mandant.vault.ledger.base64_text import from_base64, to_base64
from mandant.vault.ledger.canonical import Json, decode, encode
from mandant.vault.ledger.errors import LedgerDamaged, LedgerMissing
from mandant.vault.ledger.leaf import Entry, handover_text, make_leaf, read_leaf
from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.merkle import completed, leaf_hash
from mandant.vault.ledger.signers import Signer
from mandant.vault.open_scope import OpenScope

__all__ = ["Appended", "append", "hand_over", "key_in_force", "open_ledger", "open_openings", "origin_of"]

PLACE = Place("ledger", "opening")


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the entries stand: the first at `index`, the next in order. `at`: the time that they bear.

    `leaves` and `hashes` are those of the entries, one each.
    """

    index: int
    at: datetime
    leaves: tuple[bytes, ...]
    hashes: tuple[bytes, ...]

    @property
    def size(self) -> int:
        """Of the log after them: a checkpoint of this size or more covers them all."""
        return self.index + len(self.leaves)


async def open_ledger(connection: Any, owner: UUID, signer: Signer, at: datetime) -> str:
    """The origin of the owner's log, which is begun where there is none. It tells nothing about the owner."""
    await connection.fetchrow(_TURN, owner, 1)
    origin: str | None = await connection.fetchval(_ORIGIN, owner)
    if origin is not None:
        return origin
    origin = f"mandant.ledger/{urandom(16).hex()}"
    await connection.execute(
        "INSERT INTO control.ledger (owner, origin, at) VALUES ($1, $2, $3)", owner, origin, at
    )
    start = Entry("start", {"origin": origin, "key": to_base64(signer.public)})
    await _append(connection, owner, None, [start], at, first=True)
    return origin


async def origin_of(connection: Any, owner: UUID) -> str:
    """Raises: LedgerMissing."""
    origin: str | None = await connection.fetchval(_ORIGIN, owner)
    if origin is None:
        raise LedgerMissing("this owner has no log")
    return origin


async def append(
    connection: Any, owner: UUID, key: DataKey, entries: Sequence[Entry], at: datetime
) -> Appended:
    """The entries, one after the other, with none of anybody else's between them.

    `key`: the owner's operator scope, accountability, newest generation: it seals the openings. Where `at` is
    before the last entry's time, the entries bear that one: a log's time does not go back.
    Raises: LedgerMissing, LedgerDamaged, Malformed.
    """
    if key.category is not Category.ACCOUNTABILITY:
        raise ValueError("openings are sealed under the category accountability")
    return await _append(connection, owner, key, entries, at)


async def hand_over(connection: Any, owner: UUID, old: Signer, new: Signer, at: datetime) -> Appended | None:
    """`new` signs for this log from the next size on, and an entry says so, signed by `old`.

    None when it does already. Raises: LedgerMissing; ValueError when `old` is not in force.
    """
    await connection.fetchrow(_TURN, owner, 1)
    public = await key_in_force(connection, owner)
    if public == new.public:
        return None
    if public != old.public:
        raise ValueError("only the key in force hands over")
    text = to_base64(new.public)
    handover = old.sign(handover_text(await origin_of(connection, owner), text).encode())
    said: dict[str, Json] = {"key": text, "handover": to_base64(handover)}
    return await _append(connection, owner, None, [Entry("key", said)], at)


async def key_in_force(connection: Any, owner: UUID, size: int = (1 << 63) - 1) -> bytes:
    """The public key that signs the tree of `size` entries. Raises: LedgerMissing, LedgerDamaged."""
    leaf: bytes | None = await connection.fetchval(
        "SELECT l.leaf FROM control.ledger_leaf l WHERE l.owner = $1 AND l.index < $2"
        " AND l.kind IN ('start', 'key') ORDER BY l.index DESC LIMIT 1",
        owner,
        size,
    )
    if leaf is None:
        raise LedgerMissing("this owner has no log")
    try:
        return from_base64(str(read_leaf(leaf)["key"]), 32)
    except (Malformed, KeyError):
        raise LedgerDamaged("the entry that names the signing key is not one") from None


def open_openings(scope: OpenScope, owner: UUID, index: int, sealed: bytes | None) -> dict[str, Json]:
    """What an entry's commitments are bound to: field -> salt and value. Raises: Unopenable, KeyShredded."""
    if sealed is None:
        return {}
    key = scope.open_key(Category.ACCOUNTABILITY, generation_of(sealed))
    openings = decode(open_(key, PLACE, owner, index + 1, sealed))
    assert isinstance(openings, dict)  # noqa: S101 - sealed by _append
    return openings


async def _append(
    connection: Any,
    owner: UUID,
    key: DataKey | None,
    entries: Sequence[Entry],
    at: datetime,
    *,
    first: bool = False,
) -> Appended:
    turn = await connection.fetchrow(_TURN, owner, len(entries))
    start: int = turn["size"]
    if start == 0 and not first:
        raise LedgerMissing("this owner has no log: open_ledger makes it")
    at = max(at, turn["at"] or at)
    peaks = _peaks(start, len(entries), turn["peaks"])
    rows = []
    leaves, hashes = [], []
    for index, entry in enumerate(entries, start=start):
        leaf, openings = make_leaf(entry, at)
        nodes = completed(index, peaks, leaf_hash(leaf))
        peaks = [*peaks[: len(peaks) - len(nodes) + 1], nodes[-1]]
        sealed = None
        if openings:
            if key is None:
                raise ValueError("an entry with hidden values needs a key")
            sealed = seal(key, PLACE, owner, index + 1, encode(dict(openings)))
        rows.append((owner, index, entry.kind, leaf, b"".join(nodes), sealed, at))
        leaves.append(leaf)
        hashes.append(nodes[0])
    if len(rows) == 1:
        await connection.execute(_INSERT, *rows[0])
    else:
        await connection.execute(
            _INSERT_MANY, owner, at, *map(list, zip(*(row[1:6] for row in rows), strict=True))
        )
    return Appended(start, at, tuple(leaves), tuple(hashes))


def _peaks(size: int, count: int, found: bytes | None) -> list[bytes]:
    """The hashes that the turn has read, largest subtree first. Raises: LedgerDamaged when one is missing."""
    many, level = 0, 0
    while size >> level != (size + count) >> level:
        many += (size >> level) & 1
        level += 1
    if found is None or len(found) != 32 * many:
        raise LedgerDamaged("entries of this log are missing: nothing is appended to it")
    return [found[i : i + 32] for i in range(0, len(found), 32)]


_TURN = "SELECT t.size, t.at, t.peaks FROM control.ledger_turn($1, $2) t"
_ORIGIN = "SELECT l.origin FROM control.ledger l WHERE l.owner = $1"
_INSERT = (
    "INSERT INTO control.ledger_leaf (owner, index, kind, leaf, nodes, sealed, at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_INSERT_MANY = (
    "INSERT INTO control.ledger_leaf (owner, index, kind, leaf, nodes, sealed, at)"
    " SELECT $1, e.*, $2::timestamptz"
    " FROM unnest($3::bigint[], $4::text[], $5::bytea[], $6::bytea[], $7::bytea[]) e"
)
