"""What the tests of the queue share: a database with the real migrations, stand-ins, waiting for a fact."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID

import asyncpg
from procrastinate import PsycopgConnector

from mandant.service.jobs import PostgresJobs, Registry, WorkerOptions, run_worker
from mandant.service.jobs.connection import connector
from mandant.service.jobs.sweep import sweep_stalled
from mandant.tenants.database import DataDatabase
from mandant.tenants.session import TenantSession
from mandant.vault.clock import MovingClock

START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class QueueDatabase:
    """Addresses of the migrated data database, by role."""

    urls: Mapping[str, str]

    async def fetch(self, statement: str, *arguments: Any, role: str = "postgres") -> list[asyncpg.Record]:
        """Run one statement; without a role as the superuser, whom no policy binds."""
        connection = await asyncpg.connect(self.urls[role])
        try:
            return await connection.fetch(statement, *arguments)
        finally:
            await connection.close()

    async def status(self, job: int) -> str | None:
        """None where the job is not there any more: it succeeded."""
        rows = await self.fetch("SELECT status FROM queue_api.job WHERE job_id = $1", job)
        return rows[0]["status"] if rows else None

    @asynccontextmanager
    async def session(self, tenant: UUID) -> AsyncIterator[TenantSession]:
        """A transaction of mandant_app with its tenant set, as `enqueue` sees it."""
        connection = await asyncpg.connect(self.urls["mandant_app"])
        try:
            async with connection.transaction():
                await connection.execute("SELECT mandant.set_tenant($1)", tenant)
                yield cast("TenantSession", Session(tenant, connection))
        finally:
            await connection.close()

    async def enqueue(self, tenant: UUID, task: str, job_id: UUID | None = None, /, **ids: Any) -> int:
        async with self.session(tenant) as session:
            return await PostgresJobs().enqueue(session, task, job_id, **ids)

    @asynccontextmanager
    async def queue(self) -> AsyncIterator[PsycopgConnector]:
        pool = connector(self.urls["mandant_worker"], connections=1)
        await pool.open_async()
        try:
            yield pool
        finally:
            await pool.close_async()

    async def sweep(self, registry: Registry, stalled_after: float = 0) -> dict[int, str]:
        """Sweep as if every heartbeat older than `stalled_after` seconds were stale."""
        async with self.queue() as queue:
            return await sweep_stalled(
                queue, registry, MovingClock(START), attempts=5, stalled_after=stalled_after
            )

    async def sweep_until(self, registry: Registry, job: int, became: set[str]) -> str:
        """Sweep until the job was recovered: PostgreSQL notices a dead client in its own time."""

        async def recovered() -> str | None:
            fate = (await self.sweep(registry)).get(job)
            return fate if fate in became else None

        return cast("str", await until(recovered))


@dataclass
class Session:
    tenant_id: UUID
    connection: "asyncpg.Connection[Any]"


@dataclass
class Services:
    """The worker's services, and a journal that tasks write to."""

    data: DataDatabase
    clock: MovingClock = field(default_factory=lambda: MovingClock(START))
    journal: list[Any] = field(default_factory=list)


def options(database: QueueDatabase, **other: Any) -> WorkerOptions:
    return WorkerOptions(url=database.urls["mandant_worker"], poll=0.05, **other)


@asynccontextmanager
async def worker(
    database: QueueDatabase, services: Services, registry: Registry, **other: Any
) -> AsyncIterator[None]:
    """A worker in this process, stopped as an operator would."""
    stop = asyncio.Event()
    running = asyncio.create_task(run_worker(services, stop, options(database, **other), registry=registry))
    try:
        yield
    finally:
        stop.set()
        await running


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is true. Fails after a minute, which is no measure of anything."""
    async with asyncio.timeout(60):
        while not (answer := await condition()):  # noqa: ASYNC110 - the fact is another process's
            await asyncio.sleep(0.02)
    return answer
