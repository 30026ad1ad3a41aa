"""kill -9 of a worker: its job is tried again, as often as declared, and by one worker at a time."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from mandant.service.jobs import Registry
from mandant.service.jobs.admin import exhausted_jobs
from tests.service.jobs.support import QueueDatabase, until
from tests.service.jobs.worker_process import KILLS, declare

ROOT = Path(__file__).parents[3]


async def start(database: QueueDatabase, folder: Path) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.service.jobs.worker_process",
        database.urls["mandant_worker"],
        str(folder),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


async def end(*workers: Process) -> None:
    for one in workers:
        if one.returncode is None:
            one.terminate()
        await one.wait()


async def lines(folder: Path, count: int) -> list[str]:
    """The journal, once it has at least so many lines."""
    journal = folder / "journal"

    async def long_enough() -> list[str] | None:
        written = journal.read_text().splitlines() if journal.exists() else []
        return written if len(written) >= count else None

    found: list[str] = await until(long_enough)
    return found


@pytest.fixture
def declared(registry: Registry, tmp_path: Path) -> Registry:
    return declare(registry, tmp_path)


async def test_a_job_that_kills_its_worker_is_exhausted_after_its_attempts(
    database: QueueDatabase, declared: Registry, tmp_path: Path, tenant: UUID
) -> None:
    job = await database.enqueue(tenant, "kill")
    fates = []
    for _ in range(KILLS):
        victim = await start(database, tmp_path)
        assert await victim.wait() == -signal.SIGKILL
        fates.append(await database.sweep_until(declared, job, {"again", "exhausted"}))
    assert fates == ["again"] * (KILLS - 1) + ["exhausted"]
    assert await lines(tmp_path, 1) == [f"kill {n}" for n in range(1, KILLS + 1)]
    (listed,) = await exhausted_jobs(database.urls["mandant_worker"])
    assert (listed.job_id, listed.attempts, listed.error_class) == (job, KILLS, "WorkerLost")


async def test_a_killed_workers_job_is_resumed_by_the_next_one(
    database: QueueDatabase, declared: Registry, tmp_path: Path, tenant: UUID
) -> None:
    import_id = uuid4()
    job = await database.enqueue(tenant, "wait", import_id)
    first = await start(database, tmp_path)
    await lines(tmp_path, 1)
    first.kill()
    await first.wait()
    assert await database.sweep_until(declared, job, {"again", "exhausted"}) == "again"
    second = await start(database, tmp_path)
    await lines(tmp_path, 2)
    (tmp_path / "go").touch()
    assert await lines(tmp_path, 3) == ["start 1", "start 2", f"done {import_id}"]
    await end(second)
    assert await database.status(job) is None


async def test_the_sweep_leaves_a_long_job_alone_whatever_its_heartbeat_says(
    database: QueueDatabase, declared: Registry, tmp_path: Path, tenant: UUID
) -> None:
    job = await database.enqueue(tenant, "wait", uuid4())
    healthy = await start(database, tmp_path)
    await lines(tmp_path, 1)
    assert await database.sweep(declared, stalled_after=30) == {}
    assert await database.sweep(declared, stalled_after=0) == {job: "alive"}
    # Another worker that starts prunes rows whose heartbeat is late.
    await database.fetch("DELETE FROM queue.procrastinate_workers")
    assert await database.sweep(declared, stalled_after=30) == {job: "alive"}
    (tmp_path / "go").touch()
    await lines(tmp_path, 2)
    await end(healthy)
    assert await database.status(job) is None


async def test_a_job_whose_workers_row_was_pruned_is_found(
    database: QueueDatabase, declared: Registry, tmp_path: Path, tenant: UUID
) -> None:
    job = await database.enqueue(tenant, "wait", uuid4())
    first = await start(database, tmp_path)
    await lines(tmp_path, 1)
    first.kill()
    await first.wait()
    await database.fetch("DELETE FROM queue.procrastinate_workers")
    assert await database.status(job) == "doing"
    assert await database.sweep_until(declared, job, {"again", "exhausted"}) == "again"


async def test_two_workers_never_run_one_job_at_once(
    database: QueueDatabase, declared: Registry, tmp_path: Path, tenant: UUID
) -> None:
    import_id = uuid4()
    job = await database.enqueue(tenant, "wait", import_id)
    workers = [await start(database, tmp_path), await start(database, tmp_path)]
    await lines(tmp_path, 1)
    # The worst case: the row says that the job waits, though it runs. The other worker fetches it.
    await database.fetch("UPDATE queue.procrastinate_jobs SET status = 'todo' WHERE id = $1", job)

    async def put_back() -> bool:
        rows = await database.fetch(
            "SELECT FROM queue.procrastinate_jobs WHERE id = $1 AND status = 'todo' AND attempts > 0", job
        )
        return bool(rows)

    await until(put_back)
    (tmp_path / "go").touch()
    assert await lines(tmp_path, 2) == ["start 1", f"done {import_id}"]
    await end(*workers)
