"""One embedded server for these tests; the queue is emptied before each."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from mandant.service.jobs import Registry
from mandant.service.migrations.run import upgrade
from mandant.service.postgres import DATA_DATABASE, EmbeddedPostgres
from mandant.tenants.database import DataDatabase
from tests.service.jobs.support import QueueDatabase, Services

ROLES = ("postgres", "mandant_owner", "mandant_app", "mandant_worker")


@pytest.fixture(scope="session")
async def migrated(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[QueueDatabase]:
    async with EmbeddedPostgres(tmp_path_factory.mktemp("queue"), {"fsync": "off"}) as server:
        await upgrade(server.dsn("mandant_owner", DATA_DATABASE), "data")
        yield QueueDatabase({role: server.dsn(role, DATA_DATABASE) for role in ROLES})


@pytest.fixture
async def database(migrated: QueueDatabase) -> QueueDatabase:
    await migrated.fetch("DELETE FROM queue.procrastinate_jobs")
    await migrated.fetch("DELETE FROM queue.procrastinate_workers")
    return migrated


@pytest.fixture
async def services(database: QueueDatabase) -> AsyncIterator[Services]:
    data = await DataDatabase.open(database.urls["mandant_worker"], size=2)
    yield Services(data)
    await data.close()


@pytest.fixture
def registry() -> Registry:
    return Registry()


@pytest.fixture
async def tenant(database: QueueDatabase) -> UUID:
    return await database.tenant()
