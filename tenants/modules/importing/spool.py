"""A file that readers can seek in, on disk as ciphertext only, and never more than a piece of it in memory.

Readers go back and forth; a sealed object can only be read from its start. So it is sealed once more, in
pieces that open each on their own, under a key that lives as long as the spool does.
"""

from __future__ import annotations

import io
import os
import tempfile
from uuid import UUID, uuid4

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place

PIECE = 64 * 1024

_PLACE = Place("imports", "spool")


class Spool(io.RawIOBase):
    """Write it with `add`, then `finish`; from then on it reads and seeks like a file of `size` bytes.

    `position` is where reading stands. Not for two threads at once. The disk space goes with `close`, or
    with the process: the file has no name.
    """

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the spool
        key = DataKey(scope=uuid4(), category=Category.MODULE, generation=1, key=os.urandom(32))
        self._sealer = key.sealer(_PLACE)
        self._buffer = bytearray()
        self._sealed_piece = 0
        self._count = 0
        self._open: tuple[int, bytes] = (-1, b"")
        self.size = 0
        self.position = 0

    def add(self, data: bytes) -> None:
        """Any number of bytes behind those before."""
        self.size += len(data)
        self._buffer += data
        while len(self._buffer) >= PIECE:
            self._put(bytes(self._buffer[:PIECE]))
            del self._buffer[:PIECE]

    def finish(self) -> io.BufferedReader:
        """The file to read, from its start."""
        if self._buffer:
            self._put(bytes(self._buffer))
            self._buffer.clear()
        return io.BufferedReader(self, PIECE)

    def _put(self, piece: bytes) -> None:
        sealed = self._sealer.seal(UUID(int=self._count), 1, piece)
        if self._count == 0:
            self._sealed_piece = len(sealed)
        self._file.write(sealed)
        self._count += 1

    def _piece(self, number: int) -> bytes:
        if self._open[0] != number:
            self._file.seek(number * self._sealed_piece)
            sealed = self._file.read(self._sealed_piece)
            self._open = number, self._sealer.open(UUID(int=number), 1, sealed)
        return self._open[1]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        self.position = max(0, start + offset)
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        if self.position >= self.size:
            return 0
        number, within = divmod(self.position, PIECE)
        found = self._piece(number)[within : within + len(buffer)]
        buffer[: len(found)] = found
        self.position += len(found)
        return len(found)

    def close(self) -> None:
        self._file.close()
        super().close()
