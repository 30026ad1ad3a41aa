"""Re-encrypt: a module's files under the newest key, while everybody goes on reading them.

The new object is written beside the old one and takes its place in one transaction; then the old one goes.
After a crash, start again: the sweep removes the half-written object.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from mandant.tenants.modules import file_rows
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.file_content import opened, put_sealed
from mandant.tenants.modules.file_removal import remove
from mandant.tenants.modules.file_rows import FileRow
from mandant.tenants.modules.reseal import Progress
from mandant.tenants.modules.shelf import Shelf

BATCH = 100


class _Overtaken(Exception):
    """The file was deleted, or the key rotated once more, while its new object was written."""


async def reseal_files(shelf: Shelf, module: Module[Any]) -> AsyncIterator[Progress]:
    """Bring every stored file of a module to the newest seal key. Yields after each file.

    Allowed while the tenant is read-only. Raises: Unopenable at a file that does not open (it
    stays as it is).
    """
    after: UUID | None = None
    seen = resealed = 0
    while True:
        async with shelf.session() as session:
            rows = await file_rows.oldest(session, module.name, after, BATCH)
            generation = session.keys().seal_key(module.category).generation
        for row in rows:
            seen += 1
            if row.generation != generation:
                resealed += await _reseal(shelf, module, row)
            yield Progress(seen, resealed)
        if len(rows) < BATCH:
            return
        after = rows[-1].file_id


async def _reseal(shelf: Shelf, module: Module[Any], old: FileRow) -> bool:
    """False where the file changed meanwhile."""
    at = shelf.clock.now()
    async with shelf.session() as session:
        key = session.keys().seal_key(module.category)
        details = file_rows.opened_details(session, module, old)
        new = replace(old, object_id=uuid7(), version=old.version + 1, generation=key.generation)
        new = replace(new, sealed=file_rows.sealed_details(session, module, new, details))
        await file_rows.insert_arriving(session, new, at)
    try:
        size = await put_sealed(shelf, module, new, key, opened(shelf, module, old), old.size)
        async with shelf.session() as session:
            current = session.keys().seal_key(module.category).generation == new.generation
            if not (
                current
                and await file_rows.mark_leaving(session, old.object_id, at)
                and await file_rows.mark_stored(session, new, size, at)
            ):
                raise _Overtaken
    except _Overtaken:
        await remove(shelf.tenant.data, shelf.objects, shelf.tenant_id, new.object_id)
        return False
    except BaseException:
        await remove(shelf.tenant.data, shelf.objects, shelf.tenant_id, new.object_id)
        raise
    await remove(shelf.tenant.data, shelf.objects, shelf.tenant_id, old.object_id)
    return True
