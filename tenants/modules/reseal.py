"""Re-encrypt and reindex: a module's records under the newest keys, while everybody goes on working.

Batches are independent and compare-and-swap: a record that changed meanwhile was written under the
newest keys anyway. After a crash, start again: what is done is passed over. Versions and times stay.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.session import Door
from mandant.vault.envelope import generation_of
from mandant.vault.open_scope import OpenScope

BATCH = 500


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: records looked at, and of these written anew."""

    seen: int
    resealed: int


async def reseal(door: Door, module: Module[Any]) -> AsyncIterator[Progress]:
    """Bring every record of a module to the newest seal key, index key and schema version.

    Yields after each batch. A record is written where any of the three is older. Raises: Unopenable at a
    record that does not open (nothing of its batch is written).
    """
    after: UUID | None = None
    seen = resealed = 0

    async def batch(db: Any, keys: OpenScope) -> tuple[UUID | None, int, int]:
        return await _batch(door, db, keys, module, after)

    while True:
        after, looked, wrote = await door.entered(batch)
        seen, resealed = seen + looked, resealed + wrote
        yield Progress(seen, resealed)
        if after is None:
            return


async def _batch(
    door: Door, db: Any, keys: OpenScope, module: Module[Any], after: UUID | None
) -> tuple[UUID | None, int, int]:
    rows = await db.fetch(
        "SELECT record_id, version, sealed, created_at, updated_at, index_generation"
        " FROM mandant.record_scan($1, $2, $3, $4, $5)",
        door.tenant_id,
        keys.key_state,
        module.name,
        after,
        BATCH,
    )
    seal_generation = keys.seal_key(module.category).generation
    index = keys.index_key(module.category)
    old: list[tuple[UUID, int, Any, bytes]] = []
    for record_id, version, sealed, _, _, index_generation in rows:
        key = keys.open_key(module.category, generation_of(sealed))
        plaintext = key.sealer(store.place(module)).open(record_id, version, sealed)
        current = (
            key.generation == seal_generation
            and index_generation == index.generation
            and module.is_current(plaintext)
        )
        if not current:
            record = module.decode(plaintext)
            old.append((record_id, version, record, module.encode(record)))
    wrote = 0
    if old:
        records = [record for _, _, record, _ in old]
        each = [store.terms(index, module, record) for record in records]
        uniques = store.unique_terms(keys, module, records)
        wrote = await db.fetchval(
            "SELECT mandant.record_reseal($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            door.tenant_id,
            keys.key_state,
            module.name,
            [record_id for record_id, _, _, _ in old],
            [version for _, version, _, _ in old],
            seal_generation,
            index.generation,
            [term for of_one in each for term in of_one],
            [len(of_one) for of_one in each],
            [
                store.seal(keys, module, record_id, version, plaintext)
                for record_id, version, _, plaintext in old
            ],
            uniques.positions,
            uniques.fields,
            uniques.terms,
            uniques.generations,
        )
    return (rows[-1]["record_id"] if len(rows) == BATCH else None), len(rows), wrote
