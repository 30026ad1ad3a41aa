"""A worker as a process of its own, to be killed. Its tasks append lines to the journal file.

Arguments: database URL, folder. A task named `wait` ends once `<folder>/go` is there.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

from mandant.service.jobs import JobContext, Registry, WorkerOptions, run_worker, tenant_job
from mandant.tenants.database import DataDatabase
from tests.service.jobs.support import Services

KILLS = 3


def declare(registry: Registry, folder: Path) -> Registry:
    """The tasks of this process; the test that sweeps after it declares the same ones."""

    def write(line: str) -> None:
        with (folder / "journal").open("a") as journal:
            journal.write(line + "\n")

    @tenant_job("kill", attempts=KILLS, wait=0, registry=registry)
    async def _(context: JobContext) -> None:
        write(f"kill {context.attempt}")
        os.kill(os.getpid(), signal.SIGKILL)

    @tenant_job("wait", wait=0, registry=registry)
    async def _(context: JobContext, *, job_id: UUID) -> None:
        write(f"start {context.attempt}")
        while not (folder / "go").exists():  # noqa: ASYNC110 - the other process has no event to share
            await asyncio.sleep(0.02)
        write(f"done {job_id}")

    return registry


async def main(url: str, folder: Path) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    options = WorkerOptions(url=url, poll=0.05)
    data = await DataDatabase.open(url, size=2)
    await run_worker(Services(data), stop, options, registry=declare(Registry(), folder))
    await data.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2])))
