"""`mandant jobs` shows what gave up and gives it another chance."""

import asyncio
from collections.abc import Callable
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from mandant.service.cli.jobs import jobs
from tests.service.jobs.support import QueueDatabase
from tests.stack import Stack


@pytest.fixture
def mandant_jobs(
    database: QueueDatabase, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.setenv("MANDANT_DATABASE_URL", stack.data_url())
    monkeypatch.setenv("MANDANT_CONTROL_URL", stack.control_url())
    monkeypatch.setenv("MANDANT_DATABASE_WORKER_URL", database.urls["mandant_worker"])
    return lambda *words: CliRunner().invoke(jobs, words)


async def test_an_exhausted_job_is_listed_and_retried(
    database: QueueDatabase, mandant_jobs: Callable[..., Result], tenant: UUID
) -> None:
    job = await database.enqueue(tenant, "import_rows")
    await database.fetch("UPDATE queue.procrastinate_jobs SET status = 'failed' WHERE id = $1", job)

    async def run(*words: str) -> Result:
        # Its own event loop, as on the command line.
        return await asyncio.to_thread(mandant_jobs, *words)

    for listing in ("list", "exhausted"):
        shown = (await run(listing)).output
        assert str(job) in shown
        assert str(tenant) in shown
    assert (await run("retry", str(job))).output == f"job {job} waits again\n"
    assert await database.status(job) == "todo"
    again = await run("retry", str(job))
    assert again.exit_code == 1
    assert f"no exhausted job {job}" in again.output
