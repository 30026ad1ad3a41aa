"""Sealed files in a folder of this machine, readable by its owner only."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import BinaryIO, TypeVar

from mandant.integrations.objects.blocks import blocks
from mandant.integrations.objects.incoming import IncomingFile, remove_abandoned, sync_folder
from mandant.integrations.objects.threads import in_thread
from mandant.tenants.objects import (
    ObjectMissing,
    ObjectsRefused,
    ObjectsUnavailable,
    checked_key,
    checked_prefix,
)

BLOCK = 1 << 20
_INCOMING = ".incoming"  # no uuid, so never a tenant's folder

Result = TypeVar("Result")


class FolderObjectStore:
    """`<root>/<tenant uuid>/<object uuid>`, folders 0700 and files 0600.

    An object is written under `<root>/.incoming`, flushed to the disk and then renamed into its place.
    Several processes may share the folder; it must lie on one local file system (rename, flock).
    """

    def __init__(self, root: Path, *, threads: int = 8) -> None:
        self._root = root
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="objects-folder")

    async def open(self) -> int:
        """Create the folder, and remove what writers that died left behind; returns how many files.

        Raises: ObjectsRefused when the folder cannot be written to.
        """
        return await self._off_loop(partial(_prepare, self._root))

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """See ObjectStore. Durable when it returns: file and folders are flushed to the disk."""
        target = self._root / checked_key(key)
        incoming = await self._off_loop(partial(IncomingFile, self._root / _INCOMING))
        size = 0
        try:
            async for block in blocks(chunks, BLOCK):
                await self._off_loop(partial(incoming.write, block))
                size += len(block)
            await self._off_loop(partial(incoming.publish, target))
        finally:
            await self._off_loop(incoming.end)
        return size

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """See ObjectStore. A deletion or replacement meanwhile does not disturb who is reading."""
        path = self._root / checked_key(key)
        try:
            file: BinaryIO = await self._off_loop(lambda: path.open("rb"))
        except FileNotFoundError as error:
            raise ObjectMissing("no such object in the folder") from error
        with file:
            while chunk := await self._off_loop(partial(file.read, BLOCK)):
                yield chunk

    async def delete(self, key: str) -> None:
        """See ObjectStore. The tenant's folder goes with its last object."""
        await self._off_loop(partial(_remove, self._root / checked_key(key)))

    async def exists(self, key: str) -> bool:
        """See ObjectStore."""
        return await self._off_loop((self._root / checked_key(key)).is_file)

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """See ObjectStore. Holds one folder's names in memory."""
        tenant = checked_prefix(prefix).rstrip("/")
        for folder in [tenant] if tenant else await self._off_loop(partial(_names, self._root)):
            for name in await self._off_loop(partial(_names, self._root / folder)):
                yield f"{folder}/{name}"

    async def close(self) -> None:
        """Wait for the threads to end."""
        await asyncio.to_thread(self._threads.shutdown)

    async def _off_loop(self, call: Callable[[], Result]) -> Result:
        with _port_errors():
            return await in_thread(self._threads, call)


@contextlib.contextmanager
def _port_errors() -> Iterator[None]:
    """What the operating system says, in the port's words; its file names stay in the cause."""
    try:
        yield
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise ObjectsRefused("the object folder is not ours to use: check its owner") from error
    except OSError as error:
        raise ObjectsUnavailable(f"the object folder failed: {error.strerror}") from error


def _prepare(root: Path) -> int:
    incoming = root / _INCOMING
    incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
    root.chmod(0o700)
    return remove_abandoned(incoming)


def _remove(path: Path) -> None:
    try:
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return
    with contextlib.suppress(OSError):  # not empty, or another delete was first
        path.parent.rmdir()


def _names(folder: Path) -> list[str]:
    """Names in order; none for a folder that is not there. Not our own hidden one."""
    try:
        return sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    except FileNotFoundError:
        return []
