"""A PostgreSQL of its own with durable settings, an installation on it, and plain tables for the peers."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from mandant.service.postgres import EmbeddedPostgres
from mandant.service.settings import Settings
from mandant.tenants.database import DataDatabase, Pool
from mandant.tenants.session import Tenant
from tests.benchmarks import plain
from tests.stack import Stack, make_templates, open_stack

__all__ = ["SETTINGS", "World", "open_world", "world_of"]

SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",  # so that no peer's turn pays for the checkpoint of what was loaded before
    "checkpoint_timeout": "30min",
}


@dataclass(frozen=True, slots=True)
class World:
    """An installation whose data database has the schema `plain` too. `data`: as many connections as a
    web process has by default; ours and the peers take theirs from this one pool.
    """

    stack: Stack
    data: DataDatabase

    @property
    def pool(self) -> Pool:
        """Where the peers' statements go, and ours."""
        return self.data.pool

    @property
    def now(self) -> datetime:
        """The installation's time."""
        return self.stack.clock.now()

    async def tenant(self) -> Tenant:
        """A new tenant behind the pool that is measured."""
        made = await self.stack.tenant()
        return Tenant(self.data, self.stack.keyring, made.tenant_id)

    async def as_admin(self, *statements: str) -> None:
        """Run statements as the superuser, each in a transaction of its own."""
        admin = await self.stack.connect("postgres")
        try:
            for statement in statements:
                await admin.execute(statement, timeout=300)
        finally:
            await admin.close()

    async def copy(
        self, table: str, columns: tuple[str, ...], rows: list[tuple[Any, ...]], schema: str = "plain"
    ) -> None:
        """COPY as the superuser, whom no row policy holds up."""
        admin = await self.stack.connect("postgres")
        try:
            await admin.copy_records_to_table(table, schema_name=schema, columns=columns, records=rows)
        finally:
            await admin.close()

    async def sealed(self, record_id: UUID) -> bytes:
        """A record's bytes as they are stored."""
        admin = await self.stack.connect("postgres")
        try:
            return bytes(
                await admin.fetchval("SELECT sealed FROM mandant.record WHERE record_id = $1", record_id)
            )
        finally:
            await admin.close()


@asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """Start the server in a temporary folder; everything is gone when the block ends."""
    folder = Path(tempfile.mkdtemp(prefix="mandant-bench-"))
    folder.chmod(0o755)  # as root the server's user must reach it
    try:
        async with EmbeddedPostgres(folder, SETTINGS) as server:
            await make_templates(server)
            opening = asynccontextmanager(open_stack)
            async with opening(server, "bench", folder) as stack, world_of(stack) as world:
                yield world
    finally:
        shutil.rmtree(folder)


@asynccontextmanager
async def world_of(stack: Stack) -> AsyncIterator[World]:
    """The plain tables and a pool, in an installation that runs already."""
    data = await DataDatabase.open(stack.data_url(), size=Settings().database_pool)
    try:
        world = World(stack, data)
        await world.as_admin(plain.CREATE)
        yield world
    finally:
        await data.close()
        await _drop(stack)


async def _drop(stack: Stack) -> None:
    admin = await stack.connect("postgres")
    try:
        await admin.execute("DROP SCHEMA IF EXISTS plain CASCADE")
    finally:
        await admin.close()
