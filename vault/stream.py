"""Seal and open files in chunks of 64 KiB, in bounded memory. Specified in vault/FORMAT.md.

Pure functions of what is fed to them: no I/O, no waiting; a chunk takes some 50 microseconds, so an
event loop may feed them directly.

Example::

    sealer = FileSealer(key, Place("files", "content"), file_id, 1)
    sealed = sealer.header + sealer.push(b"...") + sealer.finish()
    opener = FileOpener(key, Place("files", "content"), file_id, 1)
    assert opener.push(sealed) + opener.finish() == b"..."
"""

from __future__ import annotations

from hmac import compare_digest
from os import urandom
from typing import NoReturn, SupportsIndex
from uuid import UUID

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as aead_open
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as aead_seal
from nacl.exceptions import CryptoError

from mandant.vault.envelope import FORMAT, DataKey, Place, place_state
from mandant.vault.errors import Unopenable

__all__ = ["CHUNK", "HEADER", "FileOpener", "FileSealer", "file_generation", "opened_size", "sealed_size"]

CHUNK = 65536  # bytes of plaintext; measured: 16 KiB is slower, 256 KiB no faster
HEADER = 61  # format 1, generation 4, salt 24, commitment 32
TAG = 16
STREAM = b"mandant/stream/1"


def sealed_size(size: int) -> int:
    """Bytes that a file of `size` bytes has when sealed: 61, and 16 a chunk of 64 KiB, more."""
    return HEADER + size + TAG * max(1, -(-size // CHUNK))


def opened_size(size: int) -> int:
    """Bytes that a sealed file of `size` bytes has when opened. Raises: Unopenable if none has that size."""
    chunks = -(-(size - HEADER) // (CHUNK + TAG))
    opened = size - HEADER - TAG * chunks
    if chunks < 1 or opened < 0 or sealed_size(opened) != size:
        raise Unopenable("a sealed file does not open")
    return opened


def file_generation(header: bytes) -> int:
    """The generation of the category key that opens a file: from its first 5 bytes or more.

    Not yet authenticated. Raises: Unopenable when the format is unknown.
    """
    if len(header) < 5 or header[0] != FORMAT:
        raise Unopenable("a sealed file has a format that this version does not know")
    return int.from_bytes(header[1:5], "big")


class FileSealer:
    """Seals one file: write `header`, then what each `push` returns, then what `finish` returns.

    Holds at most one chunk between calls. `version` fits 64 bits.
    """

    __slots__ = ("_buffer", "_chunks", "header")

    header: bytes  # 61 bytes

    def __init__(self, key: DataKey, place: Place, file_id: UUID, version: int) -> None:
        salt = urandom(24)
        file_key, commitment = _derive(key, place, file_id, version, salt)
        self.header = bytes((FORMAT,)) + key.generation.to_bytes(4, "big") + salt + commitment
        self._chunks = _Chunks(file_key)
        self._buffer = bytearray()

    def push(self, data: bytes) -> bytes:
        """Take any number of bytes of the file; return the chunks that are complete, often none."""
        self._chunks.check_open()
        self._buffer += data
        sealed = []
        # A full chunk waits for a byte after it: only then is it known not to be the last.
        while len(self._buffer) > CHUNK:
            sealed.append(self._chunks.seal(bytes(self._buffer[:CHUNK]), last=False))
            del self._buffer[:CHUNK]
        return b"".join(sealed)

    def finish(self) -> bytes:
        """The last chunk: without it the file does not open."""
        self._chunks.check_open()
        return self._chunks.seal(bytes(self._buffer), last=True)

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a file key is neither pickled nor copied")


class FileOpener:
    """Opens one file: feed it the sealed bytes in pieces of any size, then call `finish`.

    What `push` returns is authentic and in its place, but only `finish` knows that nothing is missing
    at the end: whoever needs the whole file discards what came before when `finish` raises.
    """

    __slots__ = ("_buffer", "_chunks", "_context")

    def __init__(self, key: DataKey, place: Place, file_id: UUID, version: int) -> None:
        self._context = (key, place, file_id, version)
        self._chunks: _Chunks | None = None
        self._buffer = bytearray()

    def push(self, sealed: bytes) -> bytes:
        """Take any number of sealed bytes; return what opens. Raises: Unopenable, and for good."""
        self._buffer += sealed
        if self._chunks is None:
            if len(self._buffer) < HEADER:
                return b""
            self._chunks = _Chunks(self._read_header(bytes(self._buffer[:HEADER])))
            del self._buffer[:HEADER]
        self._chunks.check_open()
        opened = []
        while len(self._buffer) > CHUNK + TAG:
            opened.append(self._chunks.open(bytes(self._buffer[: CHUNK + TAG]), last=False))
            del self._buffer[: CHUNK + TAG]
        return b"".join(opened)

    def finish(self) -> bytes:
        """The last chunk. Raises: Unopenable when the end is missing, cut or not the end."""
        if self._chunks is None:
            raise Unopenable("a sealed file does not open")
        self._chunks.check_open()
        return self._chunks.open(bytes(self._buffer), last=True)

    def _read_header(self, header: bytes) -> bytes:
        """The file key, 32 bytes, once the header's commitment is that of the key and context."""
        key, place, file_id, version = self._context
        if file_generation(header) != key.generation:
            raise Unopenable("a sealed file does not open")
        file_key, commitment = _derive(key, place, file_id, version, header[5:29])
        if not compare_digest(commitment, header[29:HEADER]):
            raise Unopenable("a sealed file does not open")
        return file_key

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a file key is neither pickled nor copied")


class _Chunks:
    """One file's key and the number of its next chunk. The last chunk ends it, or a failure."""

    __slots__ = ("_key", "_next", "_over")

    def __init__(self, file_key: bytes) -> None:
        self._key = file_key
        self._next = 0
        self._over = False

    def check_open(self) -> None:
        if self._over:
            raise ValueError("this file is finished or has failed to open")

    def seal(self, plaintext: bytes, *, last: bool) -> bytes:
        self._over = last
        return aead_seal(plaintext, None, self._nonce(last=last), self._key)

    def open(self, sealed: bytes, *, last: bool) -> bytes:
        # Empty is only the one chunk of an empty file: a file has one sealed length.
        fits = len(sealed) >= TAG if self._next == 0 else len(sealed) > TAG
        nonce = self._nonce(last=last)
        self._over = True  # until it has opened
        if not fits:
            raise Unopenable("a sealed file does not open")
        try:
            opened = aead_open(sealed, None, nonce, self._key)
        except CryptoError:
            raise Unopenable("a sealed file does not open") from None
        self._over = last
        return opened

    def _nonce(self, *, last: bool) -> bytes:
        """24 bytes: 15 zeros, the chunk's number (8, big-endian), 1 for the last chunk or 0."""
        nonce = self._next.to_bytes(23, "big") + bytes((last,))
        self._next += 1
        return nonce


def _derive(key: DataKey, place: Place, file_id: UUID, version: int, salt: bytes) -> tuple[bytes, bytes]:
    """The file key and its commitment, 32 bytes each."""
    state = place_state(key, place, STREAM)
    state.update(file_id.bytes + version.to_bytes(8, "big") + salt)
    derived = state.digest()
    return derived[:32], derived[32:]
