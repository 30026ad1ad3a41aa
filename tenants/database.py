"""Connections to the data database: a SQLAlchemy engine, and an asyncpg pool for hot statements.

Neither is used for a tenant's data but through tenants/session.py.
"""

from dataclasses import dataclass
from typing import Any, Self, TypeAlias

import asyncpg
import msgspec
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from mandant.tenants.urls import asyncpg_url, sqlalchemy_url

Pool: TypeAlias = "asyncpg.Pool[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class DataDatabase:
    """The data database as one role sees it.

    `pooled` says that a pooler in transaction mode stands before PostgreSQL: prepared statements are then
    neither cached nor named, because the next statement may meet another server.
    """

    engine: AsyncEngine
    pool: Pool

    @classmethod
    async def open(cls, url: str, *, size: int = 10, pooled: bool = False) -> Self:
        """Connect as the role that `url` names. Raises: OSError, asyncpg.PostgresError when that fails."""
        arguments: dict[str, Any] = {"statement_cache_size": 0} if pooled else {}
        unnamed = (
            {"prepared_statement_cache_size": 0, "prepared_statement_name_func": _unnamed} if pooled else {}
        )
        pool = await asyncpg.create_pool(
            asyncpg_url(url),
            min_size=1,
            max_size=size,
            command_timeout=60,
            init=_codecs,
            reset=_nothing,
            **arguments,
        )
        engine = create_async_engine(
            sqlalchemy_url(url),
            pool_size=size,
            max_overflow=0,
            json_serializer=_to_json,
            json_deserializer=msgspec.json.decode,
            connect_args={**arguments, **unnamed},
        )
        return cls(engine, pool)

    async def close(self) -> None:
        await self.engine.dispose()
        await self.pool.close()


def _unnamed() -> str:
    return ""


async def _codecs(connection: Any) -> None:
    await connection.set_type_codec(
        "jsonb", encoder=_to_json, decoder=msgspec.json.decode, schema="pg_catalog"
    )


def _to_json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


async def _nothing(connection: Any) -> None:
    """No RESET ALL when a connection goes back: statements on this pool leave no session state behind.

    tests/promises/test_isolation.py holds that to be true of every function that it calls.
    """
