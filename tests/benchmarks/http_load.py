"""Sends one GET again and again over some connections that stay open; prints what it saw as JSON.

python -m tests.benchmarks.http_load PORT PATH AUTHORIZATION CONNECTIONS SECONDS

Bare asyncio protocols: a client library would need more of a core than the server that is measured.
"""

from __future__ import annotations

import asyncio
import sys
from time import perf_counter, process_time

import msgspec

__all__ = ["Seen"]


class Seen(msgspec.Struct, frozen=True):
    """`rate`: answers a second, all of them 200. `busy`: share of a core that the generator itself used."""

    rate: float
    busy: float


class _Connection(asyncio.Protocol):
    """One request under way at a time."""

    def __init__(self, request: bytes, until: float) -> None:
        self.answers = 0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._request = request
        self._until = until
        self._got = b""
        self._length = -1  # of a whole answer, as the first one was

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._got = self._got + data if self._got else data
        if self._length < 0:
            self._length = _length(self._got)
        if len(self._got) != self._length:
            return
        if not self._got.startswith(b"HTTP/1.1 200 "):
            self.ended.set_exception(RuntimeError(self._got[:200].decode(errors="replace")))
            self._transport.close()
            return
        self._got = b""
        self.answers += 1
        if perf_counter() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


def _length(answer: bytes) -> int:
    """Bytes of the whole answer; -1 while its headers are not all here."""
    head, end, _ = answer.partition(b"\r\n\r\n")
    if not end:
        return -1
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(head) + len(end) + int(line[15:])
    raise RuntimeError("an answer without Content-Length")


async def _load(port: int, path: str, authorization: str, connections: int, seconds: float) -> Seen:
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {authorization}\r\n\r\n".encode()
    loop = asyncio.get_running_loop()
    started, used = perf_counter(), process_time()
    made = [
        (await loop.create_connection(lambda: _Connection(request, started + seconds), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.ended for connection in made))
    took = perf_counter() - started
    return Seen(sum(connection.answers for connection in made) / took, (process_time() - used) / took)


if __name__ == "__main__":
    port, path, authorization, connections, seconds = sys.argv[1:]
    seen = asyncio.run(_load(int(port), path, authorization, int(connections), float(seconds)))
    sys.stdout.write(msgspec.json.encode(seen).decode())
