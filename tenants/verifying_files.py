"""Open every file's details and the head of its object: whether it is there and was sealed for this row."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast
from uuid import UUID

from mandant.tenants.errors import TenantsError
from mandant.tenants.modules import Module, file_rows
from mandant.tenants.modules.file_details import content_place
from mandant.tenants.modules.file_rows import FileRow
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.objects import object_key
from mandant.tenants.session import open_keys
from mandant.tenants.verifying_records import Finding, Step
from mandant.vault.errors import VaultError
from mandant.vault.stream import HEADER, FileOpener

BATCH = 100


async def verify_files(shelf: Shelf, module: Module[Any]) -> AsyncIterator[Step]:
    """All stored files of a module. Of the object only the first chunks are read, not the whole file."""
    after: UUID | None = None
    while True:
        async with shelf.session() as session:
            rows = await file_rows.oldest(session, module.name, after, BATCH)
            findings = []
            for row in rows:
                try:
                    file_rows.opened_details(session, module, row)
                except (VaultError, TenantsError) as error:
                    findings.append(_finding(shelf, row, f"details: {type(error).__name__}"))
        for row in rows:
            try:
                await _open_head(shelf, module, row)
            except (VaultError, TenantsError) as error:
                findings.append(_finding(shelf, row, f"object: {type(error).__name__}"))
        yield Step(len(rows), tuple(findings))
        if len(rows) < BATCH:
            return
        after = rows[-1].file_id


async def _open_head(shelf: Shelf, module: Module[Any], row: FileRow) -> None:
    """The header commits to key, place, file and version. Raises: Unopenable; as ObjectStore.get."""
    keys = await open_keys(shelf.tenant.keyring, shelf.tenant_id)
    opener = FileOpener(
        keys.open_key(module.category, row.generation), content_place(module), row.file_id, row.version
    )
    read = 0
    pieces = cast(
        "AsyncGenerator[bytes, None]", shelf.objects.get(object_key(shelf.tenant_id, row.object_id))
    )
    async with aclosing(pieces):
        async for piece in pieces:
            opener.push(piece)
            read += len(piece)
            if read >= HEADER:
                return
    opener.finish()


def _finding(shelf: Shelf, row: FileRow, what: str) -> Finding:
    return Finding(shelf.tenant_id, f"file ({row.module})", row.file_id, what)
