"""Chunks of any size, regrouped into blocks of one size: what disks and multipart uploads want."""

from collections.abc import AsyncIterator


async def blocks(chunks: AsyncIterator[bytes], size: int) -> AsyncIterator[bytes]:
    """Yield `size` bytes at a time and the rest at the end; nothing for an empty input.

    Holds at most one block and one incoming chunk.
    """
    waiting = bytearray()
    async for chunk in chunks:
        waiting += chunk
        start = 0
        while len(waiting) - start >= size:
            yield bytes(memoryview(waiting)[start : start + size])
            start += size
        del waiting[:start]
    if waiting:
        yield bytes(waiting)
