"""The rows of files: one an object. Statements only; what they mean for the object store, others know."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import msgspec

from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.file_details import FileDetails, details_place
from mandant.tenants.session import TenantSession
from mandant.vault.envelope import generation_of
from mandant.vault.errors import Unopenable

_COLUMNS = "object_id, file_id, module, record_id, version, generation, size, sealed, created_at"


@dataclass(frozen=True, slots=True)
class FileRow:
    """An object and the file that it is. `version`: how often the file was sealed, from 1."""

    object_id: UUID
    file_id: UUID
    module: str
    record_id: UUID | None
    version: int
    generation: int
    size: int
    sealed: bytes
    created_at: datetime

    @classmethod
    def of(cls, row: Any) -> Self:
        return cls(*row)


def sealed_details(
    session: TenantSession, module: Module[Any], row_of: FileRow, details: FileDetails
) -> bytes:
    """The details, sealed for the row's file and version under the row's generation."""
    key = session.keys().open_key(module.category, row_of.generation)
    return key.sealer(details_place(module)).seal(
        row_of.file_id, row_of.version, msgspec.json.encode(details)
    )


def opened_details(session: TenantSession, module: Module[Any], row: FileRow) -> FileDetails:
    """Raises: Unopenable, also where the row was moved to another record; KeyShredded."""
    key = session.keys().open_key(module.category, generation_of(row.sealed))
    plain = key.sealer(details_place(module)).open(row.file_id, row.version, row.sealed)
    details = msgspec.json.decode(plain, type=FileDetails)
    if details.record_id != row.record_id:
        raise Unopenable("a file's details do not open")
    return details


async def insert_arriving(session: TenantSession, row: FileRow, at: datetime) -> None:
    """Announce an object, before it is written."""
    await session.connection.execute(
        "INSERT INTO mandant.file (tenant_id, object_id, file_id, module, record_id, state, version,"
        " generation, size, sealed, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, 'arriving', $6, $7, 0, $8, $9, $10)",
        session.tenant_id,
        row.object_id,
        row.file_id,
        row.module,
        row.record_id,
        row.version,
        row.generation,
        row.sealed,
        row.created_at,
        at,
    )


async def mark_stored(session: TenantSession, row: FileRow, size: int, at: datetime) -> bool:
    """The object is whole. False where its record, or itself, was deleted meanwhile."""
    done = await session.connection.fetchval(
        "UPDATE mandant.file f SET state = 'stored', size = $3, updated_at = $4"
        " WHERE f.tenant_id = $1 AND f.object_id = $2 AND f.state = 'arriving'"
        " AND (f.record_id IS NULL OR EXISTS ("
        "  SELECT FROM mandant.record r"
        "   WHERE r.tenant_id = $1 AND r.module = f.module AND r.record_id = f.record_id))"
        " RETURNING true",
        session.tenant_id,
        row.object_id,
        size,
        at,
    )
    return bool(done)


async def mark_leaving(session: TenantSession, object_id: UUID, at: datetime) -> bool:
    """A stored object is not needed any more. False where it was not stored."""
    done = await session.connection.fetchval(
        "UPDATE mandant.file f SET state = 'leaving', updated_at = $3"
        " WHERE f.tenant_id = $1 AND f.object_id = $2 AND f.state = 'stored' RETURNING true",
        session.tenant_id,
        object_id,
        at,
    )
    return bool(done)


async def mark_file_leaving(session: TenantSession, file_id: UUID, at: datetime) -> bool:
    """Every object of a stored file leaves, one that a re-encryption is writing too. False: no such file."""
    if await stored(session, file_id) is None:
        return False
    done = await session.connection.fetch(
        "UPDATE mandant.file f SET state = 'leaving', updated_at = $3"
        " WHERE f.tenant_id = $1 AND f.file_id = $2 AND f.state <> 'leaving' RETURNING true",
        session.tenant_id,
        file_id,
        at,
    )
    return bool(done)


async def stored(session: TenantSession, file_id: UUID) -> FileRow | None:
    """The file's stored row."""
    row = await session.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM mandant.file WHERE tenant_id = $1 AND file_id = $2 AND state = 'stored'",
        session.tenant_id,
        file_id,
    )
    return None if row is None else FileRow.of(row)


async def newest(
    session: TenantSession, module: str, record_id: UUID | None, before: UUID | None, limit: int
) -> list[FileRow]:
    """Stored files of a module, or of one of its records: newest first, older than `before`."""
    rows = await session.connection.fetch(
        f"SELECT {_COLUMNS} FROM mandant.file WHERE tenant_id = $1 AND module = $2 AND state = 'stored'"
        " AND ($3::uuid IS NULL OR record_id = $3)"
        " AND file_id < coalesce($4, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)"
        " ORDER BY file_id DESC LIMIT $5",
        session.tenant_id,
        module,
        record_id,
        before,
        limit,
    )
    return [FileRow.of(row) for row in rows]


async def oldest(session: TenantSession, module: str, after: UUID | None, limit: int) -> list[FileRow]:
    """Stored files of a module, oldest first, for whoever goes through all of them."""
    rows = await session.connection.fetch(
        f"SELECT {_COLUMNS} FROM mandant.file WHERE tenant_id = $1 AND module = $2 AND state = 'stored'"
        " AND file_id > coalesce($3, '00000000-0000-0000-0000-000000000000'::uuid)"
        " ORDER BY file_id LIMIT $4",
        session.tenant_id,
        module,
        after,
        limit,
    )
    return [FileRow.of(row) for row in rows]


async def record_exists(session: TenantSession, module: str, record_id: UUID) -> bool:
    """Whether the record is there to have files."""
    return bool(
        await session.connection.fetchval(
            "SELECT true FROM mandant.record WHERE tenant_id = $1 AND module = $2 AND record_id = $3",
            session.tenant_id,
            module,
            record_id,
        )
    )
