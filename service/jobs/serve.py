"""A worker process: the services opened as mandant_worker, jobs until a signal says stop."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Any

from mandant.service.databases import databases
from mandant.service.jobs.tasks_replay import replay_now
from mandant.service.jobs.worker import WorkerOptions, run_worker
from mandant.service.opening import open_runtime
from mandant.service.settings import Settings
from mandant.tenants.modules import Module

__all__ = ["serve_jobs"]


async def serve_jobs(settings: Settings, modules: Sequence[Module[Any]] = ()) -> None:
    """Run jobs until SIGTERM or SIGINT; what runs then has half a minute to end.

    The modules that declare the tasks have to be imported before.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stop.set)
    async with (
        databases(settings) as where,
        open_runtime(settings, modules, role="mandant_worker") as runtime,
    ):
        options = WorkerOptions(
            url=where.data("mandant_worker"),
            concurrency=settings.job_concurrency,
            attempts=settings.job_attempts,
        )
        await replay_now(runtime)
        await run_worker(runtime, stop, options)
