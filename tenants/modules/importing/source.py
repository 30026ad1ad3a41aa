"""From a stored file to an open reader, and the threads that readers run in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from mandant.tenants.modules import files
from mandant.tenants.modules.importing.formats import HEAD, Format, open_reader, sniff
from mandant.tenants.modules.importing.rows import FileRefused, Reader
from mandant.tenants.modules.importing.spool import Spool
from mandant.tenants.modules.shelf import Shelf

Answer = TypeVar("Answer")

# Reading is Python's own work: more threads would only take turns, and each holds pieces of a file.
_THREADS = ThreadPoolExecutor(2, thread_name_prefix="import")


@dataclass(frozen=True, slots=True)
class Source:
    """A file, understood: `reader` is blocking and belongs in `in_thread`."""

    reader: Reader
    format: Format
    spool: Spool


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """Run blocking work beside the event loop; at most two at a time in one process."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, work)


@asynccontextmanager
async def opened_source(shelf: Shelf, file_id: UUID) -> AsyncIterator[Source]:
    """The stored file, whole and authentic, for as long as the block runs.

    Raises: FileRefused; NotFound; as files.download.
    """
    download = await files.download(shelf, file_id)
    spool = Spool()
    try:
        async with aclosing(download.chunks) as chunks:
            async for chunk in chunks:
                spool.add(chunk)
        name = download.file.name
        yield await in_thread(lambda: understood(spool, name))
    finally:
        spool.close()


def understood(spool: Spool, name: str) -> Source:
    """Blocking. Raises: FileRefused."""
    file = spool.finish()
    head = file.read(HEAD)
    if head and not head.strip(b"\0"):
        raise FileRefused("the file begins with nothing but zero bytes; it is damaged")
    reader = open_reader(file, name)
    for heading in reader.header:
        try:
            heading.encode()
        except UnicodeEncodeError:
            raise FileRefused("a heading contains bytes that are not text in this file's encoding") from None
    return Source(reader, sniff(head, name), spool)
