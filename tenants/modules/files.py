"""Files of a module: sealed while they arrive, opened while they leave, never whole in memory or on a disk.

    shelf = Shelf(Tenant(data, keyring, tenant_id), objects, clock, modules)
    stored = await files.upload(shelf, customers, "Vertrag.pdf", "application/pdf", chunks)
    download = await files.download(shelf, stored.file_id)
    async for chunk in download.chunks: ...
    await files.delete(shelf, jobs, stored.file_id)

A file's row is `arriving` before its object is written, `stored` once it is whole, `leaving` until the
object is gone: a crash anywhere leaves a row, and what it names is swept after a day. Source: C5.4.
"""

import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from mandant.tenants.errors import DataUnavailable, NotFound, TenantsError
from mandant.tenants.jobs import Jobs
from mandant.tenants.modules import file_rows
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.file_content import FileTooLarge, opened, put_sealed
from mandant.tenants.modules.file_details import checked_details
from mandant.tenants.modules.file_removal import remove
from mandant.tenants.modules.file_rows import FileRow
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.objects import ObjectMissing
from mandant.tenants.session import TenantSession
from mandant.vault.envelope import DataKey

__all__ = [
    "LIMIT",
    "REMOVE_FILES",
    "Download",
    "FileTooLarge",
    "KeyRotated",
    "Shelf",
    "StoredFile",
    "delete",
    "download",
    "get",
    "page",
    "upload",
]

LIMIT = 100 << 20  # bytes of a file where the installation sets nothing else
REMOVE_FILES = "remove_files"
"""The job that removes the objects of deleted files; `record_delete` in SQL enqueues it as well."""


class KeyRotated(DataUnavailable):
    """The module's key got a new generation while the file came in; nothing was kept, send it again."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file as it is kept. `size` in bytes; `created_at` aware, in UTC."""

    file_id: UUID
    module: str
    record_id: UUID | None
    name: str
    media_type: str
    size: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Download:
    """A file and its bytes, to be gone through once."""

    file: StoredFile
    chunks: AsyncGenerator[bytes, None]


async def upload(
    shelf: Shelf,
    module: Module[Any],
    name: str,
    media_type: str,
    chunks: AsyncIterator[bytes],
    *,
    record_id: UUID | None = None,
    limit: int = LIMIT,
    and_then: Callable[[TenantSession, StoredFile], Awaitable[None]] | None = None,
) -> StoredFile:
    """Seal and keep a new file, on its own or with a record of the module.

    Holds one piece of the store's size (1 to 8 MiB) in memory. `and_then` runs in the transaction that
    makes the file visible; what it raises undoes the upload. When this raises, nothing stays, or a row that
    the sweep removes.

    Raises: Invalid (name, media_type), FileTooLarge, NotFound (the record), ReadOnly, KeyRotated, and what
    `chunks`, the door and ObjectStore.put raise.
    """
    details = checked_details(name, media_type, record_id)
    at = shelf.clock.now()
    async with shelf.session(write=True) as session:
        if record_id is not None and not await file_rows.record_exists(session, module.name, record_id):
            raise NotFound("record")
        key = session.keys().seal_key(module.category)
        row = FileRow(uuid7(), uuid7(), module.name, record_id, 1, key.generation, 0, b"", at)
        row = replace(row, sealed=file_rows.sealed_details(session, module, row, details))
        await file_rows.insert_arriving(session, row, at)
    try:
        size = await put_sealed(shelf, module, row, key, chunks, limit)
        file = StoredFile(row.file_id, module.name, record_id, details.name, details.media_type, size, at)
        async with shelf.session(write=True) as session:
            await _store(session, module, row, key, size, shelf.clock.now())
            if and_then is not None:
                await and_then(session, file)
    except BaseException:
        # What fails here too, the sweep does.
        with contextlib.suppress(TenantsError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await remove(shelf.tenant.data, shelf.objects, shelf.tenant_id, row.object_id)
        raise
    return file


async def download(shelf: Shelf, file_id: UUID) -> Download:
    """A file's details, and its bytes as they are opened; the first piece has opened when this returns.

    Every piece is authentic and in its place when it is handed out, but that nothing is missing at the end
    only the last one proves: where the object was cut or damaged further on, `chunks` raises Unopenable
    after good pieces. Whoever passes them on must then cut the connection and not end the answer, and
    whoever needs the whole file discards what came before. A key that is switched off or destroyed
    meanwhile ends `chunks` with KeyDenied or KeyShredded within the keyring's time to live.

    Raises: NotFound, Unopenable, KeyDenied, KeyShredded, KeyUnavailable, ObjectMissing; as
    ObjectStore.get.
    """
    module, row, file = await _find(shelf, file_id)
    try:
        return Download(file, await _started(opened(shelf, module, row)))
    except ObjectMissing:
        # A re-encryption may have put another object into its place since.
        module, again, file = await _find(shelf, file_id)
        if again.object_id == row.object_id:
            raise
        return Download(file, await _started(opened(shelf, module, again)))


async def get(shelf: Shelf, file_id: UUID) -> StoredFile:
    """A file's details. Raises: NotFound, Unopenable, KeyShredded, and what the door raises."""
    _, _, file = await _find(shelf, file_id)
    return file


async def page(
    shelf: Shelf,
    module: Module[Any],
    *,
    record_id: UUID | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[StoredFile]:
    """The newest files of a module or of one of its records, older than `before`: newest first."""
    async with shelf.session() as session:
        rows = await file_rows.newest(session, module.name, record_id, before, limit)
        return [_shown(session, module, row) for row in rows]


async def delete(shelf: Shelf, jobs: Jobs, file_id: UUID) -> None:
    """From now on there is no such file; its object is removed by a job, and then its row.

    Raises: NotFound, also the second time; ReadOnly.
    """
    async with shelf.session(write=True) as session:
        if not await file_rows.mark_file_leaving(session, file_id, shelf.clock.now()):
            raise NotFound("file")
        await jobs.enqueue(session, REMOVE_FILES, job_id=file_id)


async def _store(
    session: TenantSession, module: Module[Any], row: FileRow, key: DataKey, size: int, at: datetime
) -> None:
    if session.keys().seal_key(module.category).generation != key.generation:
        # A re-encryption may have passed by already: nobody would bring this file to the new key any more.
        raise KeyRotated(1)
    if not await file_rows.mark_stored(session, row, size, at):
        raise NotFound("record")


async def _find(shelf: Shelf, file_id: UUID) -> tuple[Module[Any], FileRow, StoredFile]:
    async with shelf.session() as session:
        row = await file_rows.stored(session, file_id)
        if row is None:
            raise NotFound("file")
        module = shelf.module(row.module)
        return module, row, _shown(session, module, row)


def _shown(session: TenantSession, module: Module[Any], row: FileRow) -> StoredFile:
    details = file_rows.opened_details(session, module, row)
    return StoredFile(
        row.file_id, row.module, row.record_id, details.name, details.media_type, row.size, row.created_at
    )


async def _started(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same bytes, the first piece taken already: so that its errors come before any answer begins."""
    first = await anext(chunks)

    async def all_of_them() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            yield first
            async for chunk in chunks:
                yield chunk

    return all_of_them()
