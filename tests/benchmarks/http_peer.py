"""The bare Litestar route that GET over HTTP is measured against: one plain row by asyncpg, the same answer."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import msgspec
from litestar import Litestar, get
from litestar.datastructures import State
from litestar.params import FromPath

from mandant.tenants.database import DataDatabase
from mandant.tenants.modules.customers import Customer, customers
from tests.benchmarks import plain

__all__ = ["DATABASE_VARIABLE", "POOL_VARIABLE", "create_app"]

DATABASE_VARIABLE = "BENCH_DATABASE_URL"
POOL_VARIABLE = "BENCH_DATABASE_POOL"


class StoredCustomer(msgspec.Struct, frozen=True):
    """What our handler answers, too."""

    id: UUID
    version: int
    created_at: datetime
    updated_at: datetime
    record: Customer


@get("/records/{tenant_id:uuid}/{record_id:uuid}")
async def read(state: State, tenant_id: FromPath[UUID], record_id: FromPath[UUID]) -> StoredCustomer:
    """Nobody is asked who they are; nothing is opened, logged or counted."""
    version, content, created, updated = await state.pool.fetchrow(
        plain.SELECT_ONE, tenant_id, customers.name, record_id
    )
    return StoredCustomer(record_id, version, created, updated, customers.decode(content))


@asynccontextmanager
async def _pool(app: Litestar) -> AsyncIterator[None]:
    data = await DataDatabase.open(os.environ[DATABASE_VARIABLE], size=int(os.environ[POOL_VARIABLE]))
    app.state.pool = data.pool
    try:
        yield
    finally:
        await data.close()


def create_app() -> Litestar:
    """An application with that one route."""
    return Litestar([read], openapi_config=None, logging_config=None, lifespan=[_pool])
