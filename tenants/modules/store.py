"""Sealed records: create, read, update, delete, page, search. Every function is one round trip.

    tenant = Tenant(data, keyring, tenant_id)
    stored = await store.create(tenant, customers, Customer(...), at=clock.now())
    page = await store.page(tenant, customers, limit=50)

The first argument is the door: a `Tenant` (each call its own transaction) or an open `TenantSession`.
Source: C5.4.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from mandant.tenants.errors import NotFound
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.terms import Look
from mandant.tenants.session import Door
from mandant.vault.envelope import Place, generation_of
from mandant.vault.index_key import IndexKey
from mandant.vault.open_scope import OpenScope

R = TypeVar("R", bound=Record)


class Stored(msgspec.Struct, Generic[R], frozen=True):
    """A record as it is kept. `version` starts at 1; times are aware, in UTC."""

    record_id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    record: R


async def create(door: Door, module: Module[R], record: R, *, at: datetime) -> Stored[R]:
    """Seal and keep a new record. Raises: Invalid, NotUnique, ReadOnly, and what the door raises."""
    plaintext = module.encode(record)
    record_id = uuid7()

    async def statement(db: Any, keys: OpenScope) -> None:
        index = keys.index_key(module.category)
        uniques = unique_terms(keys, module, [record])
        await db.execute(
            "SELECT mandant.record_insert($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
            door.tenant_id,
            keys.key_state,
            module.name,
            record_id,
            keys.seal_key(module.category).generation,
            index.generation,
            terms(index, module, record),
            seal(keys, module, record_id, 1, plaintext),
            at,
            uniques.fields,
            uniques.terms,
            uniques.generations,
        )

    await door.entered(statement)
    return Stored(record_id, 1, at, at, record)


async def create_many(door: Door, module: Module[R], records: Sequence[R], *, at: datetime) -> list[UUID]:
    """Keep many records at once, all of them or none; their ids in order. At most 5,000 a call.

    Raises: as create; NotUnique also where two of `records` share a unique value.
    """
    plaintexts = [module.encode(record) for record in records]
    ids = [uuid7() for _ in records]

    async def statement(db: Any, keys: OpenScope) -> None:
        index = keys.index_key(module.category)
        each = [terms(index, module, record) for record in records]
        uniques = unique_terms(keys, module, records)
        await db.execute(
            "SELECT mandant.record_insert_many($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            door.tenant_id,
            keys.key_state,
            module.name,
            ids,
            keys.seal_key(module.category).generation,
            index.generation,
            [term for of_one in each for term in of_one],
            [len(of_one) for of_one in each],
            [seal(keys, module, i, 1, plaintext) for i, plaintext in zip(ids, plaintexts, strict=True)],
            at,
            uniques.positions,
            uniques.fields,
            uniques.terms,
            uniques.generations,
        )

    if records:
        await door.entered(statement)
    return ids


async def get(door: Door, module: Module[R], record_id: UUID) -> Stored[R]:
    """Read one record. Raises: NotFound, Unopenable, KeyShredded, and what the door raises."""

    async def statement(db: Any, keys: OpenScope) -> Stored[R] | None:
        row = await db.fetchrow(
            "SELECT version, sealed, created_at, updated_at FROM mandant.record_get($1, $2, $3, $4)",
            door.tenant_id,
            keys.key_state,
            module.name,
            record_id,
        )
        return None if row is None else opened(keys, module, record_id, *row)

    stored = await door.entered(statement)
    if stored is None:
        raise NotFound("record")
    return stored


async def update(
    door: Door, module: Module[R], record_id: UUID, version: int, record: R, *, at: datetime
) -> Stored[R]:
    """Replace a record that is still at `version`. Raises: StaleVersion, NotFound, and as create."""
    plaintext = module.encode(record)

    async def statement(db: Any, keys: OpenScope) -> datetime:
        index = keys.index_key(module.category)
        uniques = unique_terms(keys, module, [record])
        created: datetime = await db.fetchval(
            "SELECT mandant.record_update($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
            door.tenant_id,
            keys.key_state,
            module.name,
            record_id,
            version,
            keys.seal_key(module.category).generation,
            index.generation,
            terms(index, module, record),
            seal(keys, module, record_id, version + 1, plaintext),
            at,
            uniques.fields,
            uniques.terms,
            uniques.generations,
        )
        return created

    created = await door.entered(statement)
    return Stored(record_id, version + 1, created, at, record)


async def delete(door: Door, module: Module[R], record_id: UUID, version: int | None = None) -> None:
    """Delete a record, whatever its version where None is given. Raises: StaleVersion, NotFound."""

    async def statement(db: Any, keys: OpenScope) -> None:
        await db.execute(
            "SELECT mandant.record_delete($1, $2, $3, $4, $5)",
            door.tenant_id,
            keys.key_state,
            module.name,
            record_id,
            version,
        )

    await door.entered(statement)


async def page(
    door: Door, module: Module[R], *, before: UUID | None = None, limit: int = 50
) -> list[Stored[R]]:
    """The newest records, or those older than `before`: at most `limit`, newest first."""

    async def statement(db: Any, keys: OpenScope) -> list[Stored[R]]:
        rows = await db.fetch(
            "SELECT record_id, version, sealed, created_at, updated_at"
            " FROM mandant.record_page($1, $2, $3, $4, $5)",
            door.tenant_id,
            keys.key_state,
            module.name,
            before,
            limit,
        )
        return [opened(keys, module, *row) for row in rows]

    return await door.entered(statement)


async def search(
    door: Door, module: Module[R], looks: Sequence[Look], *, before: UUID | None = None, limit: int = 50
) -> list[Stored[R]]:
    """The newest records that match ALL of `looks` (module.look): at most `limit`, newest first.

    Terms collide by design: what they find is opened and compared, and more is asked for until the page
    is full or nothing is left. While a reindex runs, terms of two generations are asked for.
    """
    if not looks:
        return await page(door, module, before=before, limit=limit)
    found: list[Stored[R]] = []

    async def statement(db: Any, keys: OpenScope) -> list[Stored[R]]:
        return await _candidates(door, db, keys, module, looks, before, limit)

    while True:
        rows = await door.entered(statement)
        found += [stored for stored in rows if all(look.found(stored.record) for look in looks)]
        if len(rows) < limit or len(found) >= limit:
            return found[:limit]
        before = rows[-1].record_id


async def count(door: Door, module: Module[Any]) -> int:
    """How many records the module holds."""

    async def statement(db: Any, keys: OpenScope) -> int:
        number: int = await db.fetchval(
            "SELECT mandant.record_count($1, $2, $3)", door.tenant_id, keys.key_state, module.name
        )
        return number

    return await door.entered(statement)


async def _candidates(
    door: Door,
    db: Any,
    keys: OpenScope,
    module: Module[R],
    looks: Sequence[Look],
    before: UUID | None,
    limit: int,
) -> list[Stored[R]]:
    """Records whose terms fit, newest first, at most `limit`; of every living index generation."""
    found: list[Stored[R]] = []
    indexes = keys.index_keys(module.category)
    for index in indexes:
        wanted = [
            index.term(module.name, field, kind, value)
            for look in looks
            for field, kind, value in look.entries
        ]
        rows = await db.fetch(
            "SELECT record_id, version, sealed, created_at, updated_at"
            " FROM mandant.record_search($1, $2, $3, $4, $5, $6)",
            door.tenant_id,
            keys.key_state,
            module.name,
            wanted,
            before,
            limit,
        )
        found += [opened(keys, module, *row) for row in rows]
    if len(indexes) == 1:
        return found
    distinct = {stored.record_id: stored for stored in found}
    return sorted(distinct.values(), key=lambda stored: stored.record_id, reverse=True)[:limit]


def seal(keys: OpenScope, module: Module[Any], record_id: UUID, version: int, plaintext: bytes) -> bytes:
    """A record's bytes (module.encode), sealed for its place."""
    return keys.seal_key(module.category).sealer(place(module)).seal(record_id, version, plaintext)


def opened(
    keys: OpenScope,
    module: Module[R],
    record_id: UUID,
    version: int,
    sealed: bytes,
    created_at: datetime,
    updated_at: datetime,
) -> Stored[R]:
    """A row as the record it holds. Raises: Unopenable, KeyShredded, CannotDecode."""
    key = keys.open_key(module.category, generation_of(sealed))
    plaintext = key.sealer(place(module)).open(record_id, version, sealed)
    return Stored(record_id, version, created_at, updated_at, module.decode(plaintext))


def place(module: Module[Any]) -> Place:
    return Place(module.name, "record")


def terms(index: IndexKey, module: Module[R], record: R) -> list[int]:
    """The blind-index terms of a record, without duplicates."""
    name = module.name
    return list({index.term(name, field, kind, value) for field, kind, value in module.index_values(record)})


@dataclass(slots=True)
class UniqueTerms:
    """Unique values of some records as parallel lists, empty where the module has no unique field."""

    positions: list[int]  # 1-based: which of the records
    fields: list[str]
    terms: list[bytes]  # 16 bytes each
    generations: list[int]


def unique_terms(keys: OpenScope, module: Module[R], records: Sequence[R]) -> UniqueTerms:
    """The terms under every living index key: while a reindex runs, a value is claimed under both.

    So a new record meets the value of one that the reindex has not reached yet.
    """
    claimed = UniqueTerms([], [], [], [])
    if not module.unique_fields:
        return claimed
    for position, record in enumerate(records, start=1):
        for field, normal in module.unique_values(record):
            for index in keys.index_keys(module.category):
                claimed.positions.append(position)
                claimed.fields.append(field)
                claimed.terms.append(index.unique(module.name, field, normal))
                claimed.generations.append(index.generation)
    return claimed
