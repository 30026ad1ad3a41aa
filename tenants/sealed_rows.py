"""Go through one sealed column of one owner: open everything, or seal everything anew under the newest key.

The caller has the transaction, entered as the owner; each call works on one batch.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.people.transaction import open_person
from mandant.tenants.sealed_columns import PERSON_COLUMNS, TENANT_COLUMNS, SealedColumn
from mandant.tenants.session import open_session
from mandant.vault.envelope import generation_of, open_, seal
from mandant.vault.errors import VaultError
from mandant.vault.keyring import Keyring
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

BATCH = 500


@dataclass(frozen=True, slots=True)
class RowsDone:
    """One batch of a column: rows looked at, of these sealed anew, and the ids that do not open, with why."""

    column: SealedColumn
    seen: int
    resealed: int
    failures: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True, slots=True)
class _Batch:
    last: Any
    done: RowsDone


async def tenant_rows(
    data: DataDatabase, keyring: Keyring, tenant_id: UUID, *, reseal: bool
) -> AsyncIterator[RowsDone]:
    """Every sealed column of a tenant but its records, in batches of a transaction each.

    `reseal`: what an older key sealed is sealed again; the same content, version and times. After a crash
    start again. Raises: as open_session.
    """
    for column in TENANT_COLUMNS:
        after: Any = None
        while True:
            async with open_session(data, keyring, tenant_id, scopes=(column.kind,)) as session:
                batch = await _batch(
                    session.connection, session.keys(column.kind), column, tenant_id, after, reseal=reseal
                )
            yield batch.done
            if batch.last is None:
                break
            after = batch.last


async def person_rows(
    data: DataDatabase, keyring: Keyring, person_id: UUID, *, reseal: bool
) -> AsyncIterator[RowsDone]:
    """The sealed columns of a person. Raises: as open_person."""
    for column in PERSON_COLUMNS:
        async with open_person(data, keyring, person_id) as session:
            batch = await _batch(session.connection, session.keys, column, person_id, None, reseal=reseal)
        yield batch.done


async def _batch(
    connection: Any, keys: OpenScope, column: SealedColumn, owner: UUID, after: Any, *, reseal: bool
) -> _Batch:
    table, version = f"mandant.{column.table}", column.version or "1"
    whose = "person_id" if column.kind is ScopeKind.PERSON else "tenant_id"
    rows = await connection.fetch(
        f"SELECT {column.id} AS id, {version} AS version, {column.sealed} AS sealed FROM {table}"
        f" WHERE {whose} = $1 AND ($2::{_type(column)} IS NULL OR {column.id} > $2)"
        f" ORDER BY {column.id} LIMIT {BATCH}",
        owner,
        after,
    )
    failures: list[tuple[UUID, str]] = []
    anew: list[tuple[Any, ...]] = []
    for row in rows:
        record_id = row["id"] if column.id != "key_term" else UUID(bytes=row["id"])
        try:
            key = keys.open_key(column.category, generation_of(row["sealed"]))
            plaintext = open_(key, column.place, record_id, row["version"], row["sealed"])
        except VaultError as error:
            failures.append((record_id, type(error).__name__))
            continue
        newest = keys.seal_key(column.category)
        if reseal and key.generation < newest.generation:
            fresh = seal(newest, column.place, record_id, row["version"], plaintext)
            anew.append((owner, row["id"], row["sealed"], fresh))
    if anew:
        # Only where the bytes are still those that were opened: a newer version was sealed by its writer.
        await connection.executemany(
            f"UPDATE {table} SET {column.sealed} = $4"
            f" WHERE {whose} = $1 AND {column.id} = $2 AND {column.sealed} = $3",
            anew,
        )
    last = rows[-1]["id"] if len(rows) == BATCH else None
    return _Batch(last, RowsDone(column, len(rows), len(anew), tuple(failures)))


def _type(column: SealedColumn) -> str:
    return "bytea" if column.id == "key_term" else "uuid"
