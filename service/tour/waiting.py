"""Waiting for something that another process does."""

import asyncio
import time
from collections.abc import Callable

__all__ = ["until"]


async def until(happened: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it happened within `seconds`; looks ten times a second."""
    deadline = time.monotonic() + seconds
    while not happened():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)
    return True
