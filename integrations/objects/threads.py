"""Blocking calls off the event loop, each of which ends before its caller goes on."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(executor: Executor, call: Callable[[], Result]) -> Result:
    """Run `call` in the pool. When cancelled, first wait for the call to end, then pass the cancellation on.

    Without the wait a cancelled write would go on into a file, or an upload into a part, that the
    caller is already cleaning up. So `call` must be bounded in time by its own time-outs.
    """
    work = asyncio.get_running_loop().run_in_executor(executor, call)
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        while not work.done():
            try:
                await asyncio.wait([work])
            except asyncio.CancelledError:
                continue  # asked again: the answer is the same, and the raise below gives it
        raise
