"""Where the two databases are: real servers by settings, or the embedded one.

Of the embedded server there is one a folder. Whoever comes first holds it (`mandant up`, or a host that
was started alone); everybody else on the machine finds it through var/run.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from mandant.service.migrations import TREES, head, upgrade
from mandant.service.migrations.run import Tree
from mandant.service.postgres import (
    CONTROL_DATABASE,
    DATA_DATABASE,
    AlreadyRunning,
    EmbeddedPostgres,
    find_running,
)
from mandant.service.settings import Settings

ATTEMPTS = 240  # half a second each: another process may be recovering or migrating the server


class _Server(Protocol):
    def dsn(self, role: str, database: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Databases:
    """URLs by role; `server` is the embedded one, None where the settings name servers."""

    settings: Settings
    server: _Server | None

    def data(self, role: str) -> str:
        """The data database as `mandant_app`, `mandant_worker` or `mandant_owner`."""
        if self.server is not None:
            return self.server.dsn(role, DATA_DATABASE)
        s = self.settings
        return _named(
            role,
            {
                "mandant_app": s.database_url,
                "mandant_worker": s.database_worker_url,
                "mandant_owner": s.database_owner_url,
            },
        )

    def control(self, role: str) -> str:
        """The control database as one of the same roles."""
        if self.server is not None:
            return self.server.dsn(role, CONTROL_DATABASE)
        s = self.settings
        return _named(
            role,
            {
                "mandant_app": s.control_url,
                "mandant_worker": s.control_worker_url or s.control_url,
                "mandant_owner": s.control_owner_url,
            },
        )

    async def migrations_current(self) -> str:
        """`ok`, or which database needs `mandant database upgrade`."""
        behind = [tree for tree in TREES if not await self._current(tree)]
        return f"run 'mandant database upgrade': {', '.join(behind)}" if behind else "ok"

    async def _current(self, tree: Tree) -> bool:
        url, schema = (
            (self.data("mandant_app"), "mandant")
            if tree == "data"
            else (self.control("mandant_app"), "control")
        )
        connection = await asyncpg.connect(url, statement_cache_size=0)
        try:
            found: str | None = await connection.fetchval(f"SELECT version_num FROM {schema}.schema_version")
        finally:
            await connection.close()
        return found == head(tree)


def _named(role: str, urls: dict[str, str | None]) -> str:
    url = urls[role]
    if url is None:
        raise LookupError(f"no database URL is set for {role}; see `mandant doctor`")
    return url


async def _usable(found: Databases) -> bool:
    """Whether the process that holds the server has got it ready and migrated."""
    try:
        return await found.migrations_current() == "ok"
    except (OSError, asyncpg.PostgresError):
        return False


@asynccontextmanager
async def databases(settings: Settings) -> AsyncIterator[Databases]:
    """Where the databases are; starts the embedded server and migrates it when nobody else holds it."""
    if not settings.embedded:
        yield Databases(settings, None)
        return
    for _ in range(ATTEMPTS):
        running = find_running(settings.var)
        if running is not None:
            if not await _usable(Databases(settings, running)):
                await asyncio.sleep(0.5)
                continue
            yield Databases(settings, running)
            return
        server = EmbeddedPostgres(settings.var)
        try:
            await server.start()
        except AlreadyRunning:
            await asyncio.sleep(0.5)
            continue
        try:
            where = Databases(settings, server)
            for tree in TREES:
                await upgrade(getattr(where, tree)("mandant_owner"), tree)
            yield where
        finally:
            await server.stop()
        return
    raise TimeoutError("another process holds the embedded server and does not get it ready")
