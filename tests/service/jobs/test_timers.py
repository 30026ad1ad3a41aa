"""Timers: found in one file, run by the clock, replaced by their next tick."""

from datetime import timedelta
from pathlib import Path

from mandant.service.jobs import JobContext, Registry, timer_job
from mandant.service.jobs.admin import exhausted_jobs
from mandant.service.jobs.runs import forget_ended
from tests.service.jobs.support import START, QueueDatabase, Services, until, worker

SERVICE = Path(__file__).parents[3] / "service"


async def test_the_worker_runs_its_timers_and_the_sweep_is_one(
    database: QueueDatabase, services: Services, registry: Registry
) -> None:
    @timer_job("tick", "* * * * *", registry=registry)
    async def _(context: JobContext) -> None:
        context.services.journal.append((context.tenant_id, context.clock.now()))

    async def ticked() -> bool:
        events = await database.fetch(
            "SELECT FROM queue.procrastinate_periodic_defers WHERE task_name = 'sweep_stalled_jobs'"
        )
        return bool(services.journal and events)

    async with worker(database, services, registry):
        await until(ticked)
    assert services.journal[0] == (None, services.clock.now())


async def test_a_timer_that_died_with_its_worker_ends_and_troubles_nobody(
    database: QueueDatabase, registry: Registry
) -> None:
    timer_job("tick", "* * * * *", registry=registry)(_never)
    job = await _tick(database, 1)
    await database.fetch("UPDATE queue.procrastinate_jobs SET status = 'doing' WHERE id = $1", job)
    assert await database.sweep(registry) == {job: "superseded"}
    assert await database.status(job) == "aborted"
    assert await exhausted_jobs(database.urls["mandant_worker"]) == []


async def test_of_a_timer_that_always_fails_one_job_is_listed(
    database: QueueDatabase, services: Services, registry: Registry
) -> None:
    timer_job("tick", "0 0 1 1 *", registry=registry)(_never)
    jobs = [await _tick(database, stamp) for stamp in (1, 2, 3)]

    async def failed() -> bool:
        return await database.status(jobs[-1]) == "failed"

    async with worker(database, services, registry):
        await until(failed)
    listed = await exhausted_jobs(database.urls["mandant_worker"])
    assert [(one.job_id, one.error_class) for one in listed] == [(jobs[-1], "AssertionError")]


async def test_jobs_that_ended_are_forgotten_after_thirty_days_but_not_those_a_person_has_to_see(
    database: QueueDatabase,
) -> None:
    jobs = {}
    for status, outcome in (("aborted", "gone"), ("failed", "exhausted")):
        jobs[status] = job = await _tick(database, 1)
        await database.fetch(f"UPDATE queue.procrastinate_jobs SET status = '{status}' WHERE id = $1", job)
        await database.fetch("INSERT INTO queue_api.run VALUES ($1, 1, $2, 'Gone', $3)", job, outcome, START)
    async with database.queue() as queue:
        await forget_ended(queue, START + timedelta(days=30))
        assert await database.status(jobs["aborted"]) == "aborted"
        await forget_ended(queue, START + timedelta(days=30, seconds=1))
    assert await database.status(jobs["aborted"]) is None
    assert await database.status(jobs["failed"]) == "failed"


def test_timers_are_declared_in_the_timetable_only() -> None:
    declaring = [p.name for p in SERVICE.rglob("*.py") if "@timer_job" in p.read_text()]
    assert declaring == ["timetable.py"]


async def _tick(database: QueueDatabase, stamp: int) -> int:
    rows = await database.fetch(
        "INSERT INTO queue.procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('timers', 'tick', jsonb_build_object('timestamp', $1::int)) RETURNING id",
        stamp,
    )
    return int(rows[0]["id"])


async def _never(context: JobContext) -> None:
    raise AssertionError(context)
