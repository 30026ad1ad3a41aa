"""A job exists if and only if the change that causes it does, and holds ids only."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from mandant.service.jobs import PostgresJobs
from mandant.tenants.jobs import MAX_ARGUMENTS, NotAnId
from mandant.tenants.session import open_session
from tests.service.jobs.support import QueueDatabase
from tests.stack import Stack


class Abandoned(Exception):
    pass


async def test_a_job_is_there_once_its_change_has_committed(database: QueueDatabase, tenant: UUID) -> None:
    async with database.session(tenant) as session:
        job = await PostgresJobs().enqueue(session, "note", rows=3)
        assert await database.status(job) is None
    rows = await database.fetch(
        "SELECT args::text, queue_name FROM queue.procrastinate_jobs WHERE id = $1", job
    )
    assert rows[0]["queue_name"] == "tenant"
    assert rows[0]["args"] == f'{{"rows": 3, "tenant_id": "{tenant}"}}'


async def test_a_real_tenant_session_enqueues_in_its_transaction(
    database: QueueDatabase, stack: Stack
) -> None:
    tenant = await stack.tenant()

    async def change(abandon: bool) -> int:
        async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
            job = await PostgresJobs().enqueue(session, "note", rows=3)
            if abandon:
                raise Abandoned
        return job

    with pytest.raises(Abandoned):
        await change(abandon=True)
    assert await database.fetch("SELECT FROM queue.procrastinate_jobs") == []
    assert await database.status(await change(abandon=False)) == "todo"


async def test_a_job_rolls_back_with_its_change(database: QueueDatabase, tenant: UUID) -> None:
    async def change() -> None:
        async with database.session(tenant) as session:
            await PostgresJobs().enqueue(session, "note")
            raise Abandoned

    with pytest.raises(Abandoned):
        await change()
    assert await database.fetch("SELECT FROM queue.procrastinate_jobs") == []


async def test_one_waiting_job_serves_all_who_ask_for_it(database: QueueDatabase, tenant: UUID) -> None:
    import_id = uuid4()
    jobs = await asyncio.gather(*(database.enqueue(tenant, "import_rows", import_id) for _ in range(4)))
    assert len(set(jobs)) == 1
    assert await database.enqueue(tenant, "import_rows", uuid4()) not in jobs
    assert await database.enqueue(uuid4(), "import_rows", import_id) not in jobs


@pytest.mark.parametrize("given", [None, uuid4()])
@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker"])
async def test_another_tenant_than_the_sessions_is_refused(
    database: QueueDatabase, tenant: UUID, role: str, given: UUID | None
) -> None:
    connection = await asyncpg.connect(database.urls[role])
    try:
        async with connection.transaction():
            await connection.execute("SELECT mandant.set_tenant($1)", tenant)
            with pytest.raises(asyncpg.PostgresError) as refused:
                await connection.fetchval("SELECT queue_api.enqueue($1, 'note', '{}')", given)
    finally:
        await connection.close()
    assert refused.value.sqlstate == "MQ001"


@pytest.mark.parametrize("before", ["SELECT 1", "BEGIN; SET LOCAL mandant.tenant = 'x'; COMMIT"])
async def test_without_a_session_no_tenant_gets_a_job(
    database: QueueDatabase, tenant: UUID, before: str
) -> None:
    connection = await asyncpg.connect(database.urls["mandant_app"])
    try:
        await connection.execute(before)
        with pytest.raises(asyncpg.PostgresError) as refused:
            await connection.fetchval("SELECT queue_api.enqueue($1, 'note', '{}')", tenant)
    finally:
        await connection.close()
    assert refused.value.sqlstate == "MQ001"


NO_IDS: list[dict[str, Any]] = [
    {"name": "hans"},
    {"module": "Hans Muster"},
    {"module": "x" * 33},
    {"phone": 41791234567},
    {"amount": -1},
    {"ratio": 0.5},
    {"flag": True},
    {"nothing": None},
    {"many": [1]},
    {"more": {"a": 1}},
    {"Key": 1},
    {"k" * 41: 1},
    {"key\n": 1},
    {"person_id": "0189d2b8-0000-7000-8000-00000000000Z"},
    {"person_id": "0189d2b8-0000-7000-8000-000000000000\n"},
    {"tenant_id": str(uuid4())},
    {f"n{i}": i for i in range(MAX_ARGUMENTS + 1)},
]


@pytest.mark.parametrize("ids", NO_IDS, ids=[f"no id {n}" for n in range(len(NO_IDS))])
async def test_what_is_no_id_is_refused_before_it_leaves(
    database: QueueDatabase, tenant: UUID, ids: dict[str, Any]
) -> None:
    with pytest.raises(NotAnId) as refused:
        await database.enqueue(tenant, "note", **ids)
    for value in ids.values():
        if isinstance(value, str):
            assert value not in str(refused.value)


@pytest.mark.parametrize("ids", NO_IDS, ids=[f"no id {n}" for n in range(len(NO_IDS))])
async def test_postgresql_refuses_what_is_no_id(
    database: QueueDatabase, tenant: UUID, ids: dict[str, Any]
) -> None:
    async with database.session(tenant) as session:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await session.connection.fetchval(
                "SELECT queue_api.enqueue($1, 'note', $2::text::jsonb)", tenant, json.dumps(ids)
            )
    assert refused.value.sqlstate == "MQ422"


@pytest.mark.parametrize(
    "ids",
    [{"person_id": uuid4()}, {"module": "customers"}, {"step": 3}, {"person_id": str(uuid4())}],
    ids=["uuid", "word", "number", "text"],
)
async def test_ids_numbers_and_the_codes_own_words_pass(
    database: QueueDatabase, tenant: UUID, ids: dict[str, Any]
) -> None:
    assert await database.status(await database.enqueue(tenant, "note", **ids)) == "todo"
