"""One advisory lock for each running job, all on one connection: they end when the process ends.

A heartbeat that is late proves nothing about a job: an event loop may be blocked, a clock may jump. A lock
does: PostgreSQL drops it when the worker's connection is gone, and as long as it is held nobody else runs
the job, whatever the queue's table says.
"""

import asyncio
import contextlib
from typing import Any, Self

import psycopg

from mandant.service.jobs.connection import connect
from mandant.service.jobs.errors import QueueLost

__all__ = ["JobLocks"]


class JobLocks:
    """The locks of one worker process."""

    def __init__(self, connection: psycopg.AsyncConnection[tuple[Any, ...]]) -> None:
        self._connection = connection
        # By job, what runs it. PostgreSQL would let a session take its own lock twice.
        self._held: dict[int, asyncio.Task[Any] | None] = {}

    @classmethod
    async def open(cls, url: str) -> Self:
        return cls(await connect(url))

    async def close(self) -> None:
        await self._connection.close()

    async def hold(self, job: int) -> bool:
        """Take the job's lock; False while anybody runs it. Raises: QueueLost."""
        if job in self._held:
            return False
        self._held[job] = asyncio.current_task()
        taken = False
        try:
            taken = bool(await self._ask("SELECT pg_try_advisory_lock(queue_api.lock_key(%s))", job))
        finally:
            if not taken:
                del self._held[job]
        return taken

    async def drop(self, job: int) -> None:
        """Give the lock back. Where the connection is gone, so is the lock."""
        try:
            with contextlib.suppress(QueueLost):
                await self._ask("SELECT pg_advisory_unlock(queue_api.lock_key(%s))", job)
        finally:
            self._held.pop(job, None)

    async def watch(self, every: float) -> None:
        """Look every `every` seconds whether the connection stands; once it does not, cancel what runs.

        Never returns. Raises: QueueLost.
        """
        try:
            while True:
                await asyncio.sleep(every)
                await self._ask("SELECT %s::bigint", 1)
        except QueueLost:
            for running in self._held.values():
                if running is not None:
                    running.cancel()
            raise

    async def _ask(self, statement: str, number: int) -> object:
        try:
            cursor = await self._connection.execute(statement.encode(), (number,))
            rows = await cursor.fetchall()
        except psycopg.OperationalError:
            raise QueueLost("the connection with the jobs' locks is gone") from None
        return rows[0][0]
