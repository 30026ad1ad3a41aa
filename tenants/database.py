"""Connections to the data database: one asyncpg pool a role.

It is not used for a tenant's data but through tenants/session.py.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import asyncpg
import msgspec

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class DataDatabase:
    """The data database as one role sees it."""

    pool: Pool

    @classmethod
    async def open(cls, url: str, *, size: int = 10, pooled: bool = False) -> Self:
        """Connect as the role that `url` names. Raises: OSError, asyncpg.PostgresError when that fails.

        `pooled` says that a pooler in transaction mode stands before PostgreSQL: prepared statements are then
        not kept, because the next statement may meet another server process.
        """
        arguments: dict[str, Any] = {"statement_cache_size": 0} if pooled else {}
        pool = await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            command_timeout=60,
            init=_codecs,
            reset=_nothing,
            **arguments,
        )
        return cls(pool)

    async def close(self) -> None:
        await self.pool.close()


async def _codecs(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=_to_json, decoder=msgspec.json.decode, schema="pg_catalog"
    )


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def _nothing(connection: Any) -> None:
    """No RESET ALL when a connection goes back: statements on this pool leave no session state behind.

    tests/promises/test_isolated.py holds that to be true of every function that it calls.
    """
