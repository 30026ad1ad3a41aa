"""The worker: runs jobs until it is told to stop."""

import asyncio
import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
from procrastinate import App, exceptions

from mandant.service.edge.logs import get_logger
from mandant.service.jobs.attempt import Runtime
from mandant.service.jobs.connection import connector
from mandant.service.jobs.context import JobServices
from mandant.service.jobs.errors import QueueLost
from mandant.service.jobs.locks import JobLocks
from mandant.service.jobs.queue import queue_app, quiet_logs
from mandant.service.jobs.registry import REGISTRY, Registry
from mandant.service.jobs.timetable import add_queue_timers

__all__ = ["WorkerOptions", "run_worker"]

_log = get_logger("mandant.jobs")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """How one worker runs. Times are in seconds."""

    url: str
    """Data database as mandant_worker, past any pooler: LISTEN and session locks need a direct connection."""
    concurrency: int = 4
    """Jobs at a time; timers have a place of their own beside them."""
    attempts: int = 5
    """Starts of a job whose task declares no bound."""
    grace: float = 30.0
    """Time that running jobs have to end when the worker stops; after it they go back into the queue."""
    heartbeat: float = 10.0
    stalled_after: float = 30.0
    """Without a heartbeat for so long a worker counts as dead."""
    poll: float = 5.0
    """New jobs announce themselves; those that are due again are found by looking."""

    def __repr__(self) -> str:
        return f"WorkerOptions(concurrency={self.concurrency}, attempts={self.attempts})"


async def run_worker(
    services: JobServices, stop: asyncio.Event, options: WorkerOptions, *, registry: Registry = REGISTRY
) -> None:
    """Run jobs until `stop` is set. When the database goes away: wait, connect again, go on."""
    quiet_logs()
    while not stop.is_set():
        try:
            await _run(services, stop, options, registry)
        except (QueueLost, exceptions.ConnectorException, psycopg.OperationalError) as error:
            _log.error("queue lost, connecting again", error=type(error).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), options.poll)


async def _run(
    services: JobServices, stop: asyncio.Event, options: WorkerOptions, declared: Registry
) -> None:
    """One life of the connections. Raises: QueueLost, ConnectorException."""
    locks = await JobLocks.open(options.url)
    pool = connector(options.url, connections=options.concurrency + 2)
    runtime = Runtime(services, pool, locks, options.attempts)
    registry = declared.copy()
    add_queue_timers(registry, runtime, options.stalled_after)
    app = queue_app(registry, pool, runtime)
    try:
        async with app.open_async():
            await _until_stopped(app, stop, locks, options)
    finally:
        await locks.close()


async def _until_stopped(app: App, stop: asyncio.Event, locks: JobLocks, options: WorkerOptions) -> None:
    # Timers have a worker of their own: long jobs that fill the other must not keep the sweep from running.
    # Two workers, so two heartbeats; each job names the one that runs it.
    running = [
        asyncio.create_task(_work(app, ["tenant", "operator"], options.concurrency, options), name="jobs"),
        asyncio.create_task(_work(app, ["timers"], 1, options), name="timers"),
    ]
    watching = asyncio.create_task(locks.watch(options.poll), name="locks")
    stopping = asyncio.create_task(stop.wait(), name="stop")
    everything = [*running, watching, stopping]
    try:
        await asyncio.wait(everything, return_when=asyncio.FIRST_COMPLETED)
    finally:
        # Cancelling procrastinate's worker means: take no more, give what runs its grace, then abort it.
        for task in everything:
            task.cancel()
        ended = await asyncio.gather(*everything, return_exceptions=True)
    for error in _failures(ended):
        raise error
    if not stop.is_set():
        raise QueueLost("procrastinate's worker ended by itself")


def _failures(ended: Sequence[object]) -> Iterator[BaseException]:
    for one in ended:
        if isinstance(one, BaseException) and not isinstance(one, asyncio.CancelledError):
            yield one


async def _work(app: App, queues: list[str], concurrency: int, options: WorkerOptions) -> None:
    await app.run_worker_async(
        queues=queues,
        name=queues[0],
        concurrency=concurrency,
        install_signal_handlers=False,
        shutdown_graceful_timeout=options.grace,
        fetch_job_polling_interval=options.poll,
        update_heartbeat_interval=options.heartbeat,
        stalled_worker_timeout=options.stalled_after,
        delete_jobs="successful",
    )
