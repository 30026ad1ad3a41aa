"""The bytes of a file, on their way to the object store and back: sealed and opened as they pass."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, cast

from mandant.tenants.errors import TenantsError
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.file_details import content_place
from mandant.tenants.modules.file_rows import FileRow
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.objects import object_key
from mandant.tenants.session import open_keys
from mandant.vault.envelope import DataKey
from mandant.vault.errors import Unopenable
from mandant.vault.stream import FileOpener, FileSealer


class FileTooLarge(TenantsError):
    """The file has more bytes than one may have."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"a file may have {limit} bytes; split it or compress it")


async def put_sealed(
    shelf: Shelf, module: Module[Any], row: FileRow, key: DataKey, chunks: AsyncIterator[bytes], limit: int
) -> int:
    """Write the row's object; the size of what was sealed. Raises: FileTooLarge, and as ObjectStore.put."""
    sealer = FileSealer(key, content_place(module), row.file_id, row.version)
    size = 0

    async def sealed() -> AsyncGenerator[bytes, None]:
        nonlocal size
        yield sealer.header
        async for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise FileTooLarge(limit)
            yield sealer.push(chunk)
        yield sealer.finish()

    await shelf.objects.put(object_key(shelf.tenant_id, row.object_id), sealed())
    return size


async def opened(shelf: Shelf, module: Module[Any], row: FileRow) -> AsyncGenerator[bytes, None]:
    """The file's bytes in order, each piece authentic when it is yielded; see `files.download`.

    The keyring is asked anew for each piece, from memory as a rule: a key that was switched off or
    destroyed ends a long download too. Raises: Unopenable, KeyDenied, KeyShredded, KeyUnavailable; as
    ObjectStore.get.
    """
    keyring, generation = shelf.tenant.keyring, row.generation
    key = (await open_keys(keyring, shelf.tenant_id)).open_key(module.category, generation)
    opener = FileOpener(key, content_place(module), row.file_id, row.version)
    size = 0
    # Both stores give generators: leaving early closes the file or the connection at once.
    sealed = cast(
        "AsyncGenerator[bytes, None]", shelf.objects.get(object_key(shelf.tenant_id, row.object_id))
    )
    async with aclosing(sealed):
        async for piece in sealed:
            (await open_keys(keyring, shelf.tenant_id)).open_key(module.category, generation)
            plain = opener.push(piece)
            size += len(plain)
            if plain:
                yield plain
    last = opener.finish()
    if size + len(last) != row.size:
        raise Unopenable("a file has another size than its row says")
    yield last
