"""The queue of the stack's data database, emptied before each test."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from mandant.service.jobs import Registry
from mandant.tenants.database import DataDatabase
from tests.service.jobs.support import QueueDatabase, Services
from tests.stack import Stack

ROLES = ("postgres", "mandant_owner", "mandant_app", "mandant_worker")


@pytest.fixture
async def database(stack: Stack) -> QueueDatabase:
    """The stack's data database, its queue emptied."""
    database = QueueDatabase({role: stack.data_url(role) for role in ROLES})
    await database.fetch("DELETE FROM queue.procrastinate_jobs")
    await database.fetch("DELETE FROM queue.procrastinate_workers")
    return database


@pytest.fixture
async def services(database: QueueDatabase) -> AsyncIterator[Services]:
    data = await DataDatabase.open(database.urls["mandant_worker"], size=2)
    yield Services(data)
    await data.close()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def tenant(stack: Stack) -> UUID:
    return (await stack.tenant()).tenant_id
