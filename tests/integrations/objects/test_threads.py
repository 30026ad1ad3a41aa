"""A cancelled caller waits for its call: nobody cleans up under a thread that still works."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from mandant.integrations.objects.threads import in_thread


async def test_a_cancelled_call_ends_before_its_caller_goes_on() -> None:
    started, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def call() -> None:
        started.set()
        go_on.wait()
        ended.set()

    with ThreadPoolExecutor(1) as pool:
        calling = asyncio.create_task(in_thread(pool, call))
        await asyncio.to_thread(started.wait)
        for _ in range(3):  # asked again and again, it still waits
            calling.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            still_waiting = not calling.done()
        go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await calling
        ended_before = ended.is_set()

    assert still_waiting
    assert ended_before


async def test_what_the_call_raises_reaches_the_caller() -> None:
    def call() -> None:
        raise OSError("disk full")

    with ThreadPoolExecutor(1) as pool, pytest.raises(OSError, match="disk full"):
        await in_thread(pool, call)
