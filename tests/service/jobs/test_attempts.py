"""How attempts end: done, again later, exhausted, gone, postponed."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from mandant.service.jobs import JobContext, Registry, operator_job, tenant_job
from mandant.service.jobs.admin import exhausted_jobs, list_jobs, retry_job
from mandant.tenants.errors import DataOlderThanControl, DataUnavailable, Gone, NotFound
from mandant.vault.errors import ControlUnavailable, KeyShredded, KeyUnavailable
from tests.service.jobs.support import QueueDatabase, Services, until, worker


def raising(error: Exception) -> Callable[..., Awaitable[None]]:
    async def task(context: JobContext, **_: Any) -> None:
        context.services.journal.append(context.attempt)
        raise error

    return task


async def outcome(database: QueueDatabase, job: int) -> tuple[str, str | None, str | None] | None:
    rows = await database.fetch(
        "SELECT status, outcome, error_class FROM queue_api.job WHERE job_id = $1", job
    )
    return tuple(rows[0]) if rows and rows[0]["outcome"] else None


async def test_a_task_is_called_with_its_tenant_and_its_ids(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    @tenant_job("note", registry=registry)
    async def _(context: JobContext, **ids: Any) -> None:
        context.services.journal.append((context.tenant_id, context.attempt, ids))

    import_id = uuid4()
    job = await database.enqueue(tenant, "note", import_id, module="customers", step=2)
    async with worker(database, services, registry):
        await until(lambda: _is_deleted(database, job))
    assert services.journal == [(tenant, 1, {"job_id": import_id, "module": "customers", "step": 2})]


async def test_a_failing_job_is_tried_as_often_as_declared_and_then_listed(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    tenant_job("fail", attempts=3, wait=0, registry=registry)(raising(ValueError("canary-8731")))
    job = await database.enqueue(tenant, "fail")
    async with worker(database, services, registry):
        await until(lambda: outcome(database, job))
    assert services.journal == [1, 2, 3]
    (listed,) = await exhausted_jobs(database.urls["mandant_worker"])
    assert (listed.job_id, listed.task, listed.tenant_id) == (job, "fail", tenant)
    assert (listed.attempts, listed.error_class, listed.ended_at) == (3, "ValueError", services.clock.now())


async def test_an_errors_message_is_neither_stored_nor_logged(
    database: QueueDatabase,
    services: Services,
    registry: Registry,
    tenant: UUID,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tenant_job("fail", attempts=2, wait=0, registry=registry)(raising(ValueError("canary-8731")))
    job = await database.enqueue(tenant, "fail")
    async with worker(database, services, registry):
        await until(lambda: outcome(database, job))
    captured = capfd.readouterr()
    assert "canary-8731" not in caplog.text + captured.out + captured.err
    assert str(tenant) not in caplog.text
    rows = await database.fetch(
        "SELECT j::text || r::text AS row FROM queue.procrastinate_jobs j, queue_api.run r"
    )
    assert "canary-8731" not in rows[0]["row"]


async def test_a_person_gives_an_exhausted_job_its_attempts_again(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    tenant_job("fail", attempts=2, wait=0, registry=registry)(raising(ValueError()))
    job = await database.enqueue(tenant, "fail")
    url = database.urls["mandant_worker"]
    async with worker(database, services, registry):
        await until(lambda: outcome(database, job))
        assert await retry_job(url, job)
        await until(lambda: _has(services, 4))
        await until(lambda: outcome(database, job))
    assert services.journal == [1, 2, 1, 2]
    assert not await retry_job(url, job + 1000)


@pytest.mark.parametrize("error", [Gone("tenant"), KeyShredded("shredded"), NotFound("tenant")], ids=repr)
async def test_a_job_whose_tenant_goes_while_it_runs_ends_as_gone(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID, error: Exception
) -> None:
    tenant_job("fail", wait=0, registry=registry)(raising(error))
    job = await database.enqueue(tenant, "fail")
    async with worker(database, services, registry):
        await until(lambda: _has_status(database, job, "aborted"))
    assert services.journal == [1]
    assert await exhausted_jobs(database.urls["mandant_worker"]) == []


@pytest.mark.parametrize("state", ["purging", "purged", "deleted"])
async def test_a_job_of_a_gone_tenant_does_not_run_and_ends_as_gone(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID, state: str
) -> None:
    tenant_job("fail", wait=0, registry=registry)(raising(ValueError()))
    job = await database.enqueue(tenant, "fail")
    if state == "deleted":
        await database.fetch("DELETE FROM mandant.tenant WHERE tenant_id = $1", tenant)
    else:
        await database.fetch("UPDATE mandant.tenant SET state = $2 WHERE tenant_id = $1", tenant, state)
    async with worker(database, services, registry):
        await until(lambda: _has_status(database, job, "aborted"))
    assert services.journal == []
    (listed,) = await list_jobs(database.urls["mandant_worker"])
    assert (listed.status, listed.outcome) == ("aborted", "gone")


@pytest.mark.parametrize(
    "error",
    [KeyUnavailable(5), ControlUnavailable(), DataUnavailable(), DataOlderThanControl()],
    ids=lambda error: type(error).__name__,
)
async def test_an_outage_costs_no_attempt(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID, error: Exception
) -> None:
    tenant_job("fail", attempts=1, registry=registry)(raising(error))
    job = await database.enqueue(tenant, "fail")
    async with worker(database, services, registry):
        await until(lambda: _has(services, 1))
        await until(lambda: _has_status(database, job, "todo"))
    rows = await database.fetch("SELECT attempts, scheduled_at FROM queue_api.job WHERE job_id = $1", job)
    assert rows[0]["attempts"] == 0
    assert rows[0]["scheduled_at"] is not None


async def test_a_tenants_task_without_a_tenant_never_runs(
    database: QueueDatabase, services: Services, registry: Registry
) -> None:
    tenant_job("fail", registry=registry)(raising(ValueError()))
    rows = await database.fetch(
        "SELECT queue_api.enqueue_operator('fail', '{}') AS job", role="mandant_worker"
    )
    async with worker(database, services, registry):
        await until(lambda: _has_status(database, rows[0]["job"], "failed"))
    assert services.journal == []
    assert (await exhausted_jobs(database.urls["mandant_worker"]))[0].error_class == "NoTenant"


async def test_an_operators_task_asked_for_by_a_tenant_never_runs(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    operator_job("fail", registry=registry)(raising(ValueError()))
    job = await database.enqueue(tenant, "fail")
    async with worker(database, services, registry):
        await until(lambda: _has_status(database, job, "failed"))
    assert services.journal == []
    assert (await exhausted_jobs(database.urls["mandant_worker"]))[0].error_class == "WrongQueue"


async def test_an_operators_job_runs_without_a_tenant(
    database: QueueDatabase, services: Services, registry: Registry
) -> None:
    @operator_job("sweep_dues", registry=registry)
    async def _(context: JobContext, **ids: Any) -> None:
        context.services.journal.append((context.tenant_id, ids))

    await database.fetch(
        "SELECT queue_api.enqueue_operator('sweep_dues', '{\"step\": 1}')", role="mandant_worker"
    )
    async with worker(database, services, registry):
        await until(lambda: _has(services, 1))
    assert services.journal == [(None, {"step": 1})]


async def test_a_job_whose_task_nobody_knows_is_listed(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    job = await database.enqueue(tenant, "of_a_newer_version")
    async with worker(database, services, registry):
        await until(lambda: _has_status(database, job, "failed"))
    (listed,) = await exhausted_jobs(database.urls["mandant_worker"])
    assert (listed.job_id, listed.error_class) == (job, "TaskNotFound")


async def test_a_worker_that_stops_puts_its_jobs_back_uncounted(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    @tenant_job("hang", attempts=1, registry=registry)
    async def _(context: JobContext) -> None:
        context.services.journal.append(context.attempt)
        if len(context.services.journal) == 1:
            await asyncio.Event().wait()

    job = await database.enqueue(tenant, "hang")
    async with worker(database, services, registry, grace=0):
        await until(lambda: _has(services, 1))
    assert await database.status(job) == "todo"
    async with worker(database, services, registry):
        await until(lambda: _is_deleted(database, job))
    assert services.journal == [1, 1]


async def test_a_worker_that_loses_its_locks_stops_what_it_runs_and_connects_again(
    database: QueueDatabase, services: Services, registry: Registry, tenant: UUID
) -> None:
    @tenant_job("hang", registry=registry)
    async def _(context: JobContext) -> None:
        services.journal.append("start")
        try:
            if len(services.journal) == 1:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            services.journal.append("cancelled")
            raise

    async def restarted() -> bool:
        # Where the end could not be written, the sweep finds the job; nobody here waits until it is due.
        await database.sweep(registry)
        await database.fetch("UPDATE queue.procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo'")
        return len(services.journal) >= 3

    await database.enqueue(tenant, "hang")
    # A grace that nobody waits for: without its locks a job stops at once.
    async with worker(database, services, registry, grace=90):
        await until(lambda: _has(services, 1))
        await database.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", WORKER
        )
        await until(restarted)
    assert services.journal == ["start", "cancelled", "start"]


WORKER = "mandant_worker"


async def _is_deleted(database: QueueDatabase, job: int) -> bool:
    return await database.status(job) is None


async def _has_status(database: QueueDatabase, job: int, status: str) -> bool:
    return await database.status(job) == status


async def _has(services: Services, count: int) -> bool:
    return len(services.journal) >= count
