"""Reads away what a refused request still sends, so that its sender gets to see the refusal.

A server that answers and closes while the client is still writing resets the connection, and the client
reports a broken pipe instead of our 413. Bounded: whoever sends more than that does not listen anyway.
"""

from __future__ import annotations

import asyncio
from typing import Any

from litestar.types import Receive

DRAINED = 128 * 1024 * 1024  # bytes: a file that just misses its limit of 100 MiB, too
DRAIN_SECONDS = 10.0


class Intake:
    """A `receive` that knows whether the body has ended."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._ended = False

    async def __call__(self) -> Any:
        """The next message."""
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._ended = True
        return message

    async def drain(self) -> None:
        """Read on to the body's end, at most DRAINED bytes and DRAIN_SECONDS."""
        left = DRAINED
        try:
            async with asyncio.timeout(DRAIN_SECONDS):
                while not self._ended and left > 0:
                    message = await self()
                    if message["type"] == "http.request":
                        left -= len(message["body"])
        except TimeoutError:
            return
