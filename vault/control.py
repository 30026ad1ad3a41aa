"""The one way to the control database: wrapped keys and the facts about them.

It is small and is never restored to an earlier day. A fact commits here before what it describes.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import asyncpg

from mandant.vault.errors import ControlUnavailable
from mandant.vault.guard import transaction_open

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class ControlDatabase:
    """Connections to the control database as one role."""

    pool: Pool

    @classmethod
    async def open(cls, url: str, *, size: int = 5, pooled: bool = False) -> Self:
        """Connect. `pooled`: a pooler in transaction mode stands before it. Raises: ControlUnavailable."""
        arguments: dict[str, Any] = {"statement_cache_size": 0} if pooled else {}
        try:
            return cls(
                await asyncpg.create_pool(url, min_size=1, max_size=size, command_timeout=10, **arguments)
            )
        except (OSError, asyncpg.PostgresError) as error:
            raise ControlUnavailable("the control database does not answer") from error

    async def close(self) -> None:
        await self.pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """One transaction on control, committed when the block ends. Raises: ControlUnavailable.

        No network call (KMS, mail, HTTP) is possible inside (vault/guard.py).
        """
        try:
            async with self.pool.acquire(timeout=10) as connection, connection.transaction():
                guard = transaction_open.set(True)
                try:
                    yield connection
                finally:
                    transaction_open.reset(guard)
        except (
            OSError,
            asyncpg.InterfaceError,
            asyncpg.CannotConnectNowError,
            asyncpg.AdminShutdownError,
        ) as error:
            raise ControlUnavailable("the control database does not answer") from error
