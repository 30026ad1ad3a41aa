"""Timers: found in one file, run by the clock, replaced by their next tick."""

from pathlib import Path

from mandant.service.jobs import JobContext, Registry, timer_job
from mandant.service.jobs.admin import exhausted_jobs
from tests.service.jobs.support import QueueDatabase, Services, until, worker

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
    rows = await database.fetch(
        "INSERT INTO queue.procrastinate_jobs (queue_name, task_name, args) VALUES ('timers', 'tick',"
        " '{\"timestamp\": 1}') RETURNING id"
    )
    job = rows[0]["id"]
    await database.fetch("UPDATE queue.procrastinate_jobs SET status = 'doing' WHERE id = $1", job)
    assert await database.sweep(registry) == {job: "superseded"}
    assert await database.status(job) == "aborted"
    assert await exhausted_jobs(database.urls["mandant_worker"]) == []


def test_timers_are_declared_in_the_timetable_only() -> None:
    declaring = [p.name for p in SERVICE.rglob("*.py") if "@timer_job" in p.read_text()]
    assert declaring == ["timetable.py"]


async def _never(context: JobContext) -> None:
    raise AssertionError(context)
