"""The worker's own connections: direct ones, for LISTEN and for locks that outlive a transaction."""

from typing import Any

import psycopg
from procrastinate import PsycopgConnector

__all__ = ["connect", "connector"]

# Procrastinate's statements name their tables without a schema. Said when the connection starts and not
# with SET, so that no reset loses it; the role's other connections keep their own path.
_OPTIONS: dict[str, Any] = {"options": "-c search_path=queue,pg_temp"}


def connector(url: str, connections: int) -> PsycopgConnector:
    """Procrastinate's pool of `connections`; besides those it opens one to listen on."""
    return PsycopgConnector(conninfo=url, kwargs=_OPTIONS, min_size=1, max_size=connections)


async def connect(url: str) -> psycopg.AsyncConnection[tuple[Any, ...]]:
    """One connection; every statement is a transaction of its own."""
    return await psycopg.AsyncConnection.connect(url, autocommit=True, **_OPTIONS)
