"""The sweep: jobs whose worker died are put back, or end on the list that a person sees.

Procrastinate leaves a job `doing` for ever when its worker's row was pruned (its issue 1518).
"""

from procrastinate import RetryDecision
from procrastinate.connector import BaseAsyncConnector
from procrastinate.manager import JobManager

from mandant.service.jobs.errors import UnknownTask
from mandant.service.jobs.registry import Registry
from mandant.vault.clock import Clock

__all__ = ["sweep_stalled"]

# For a job whose task this worker does not know: another one may.
_WAIT_OF_UNKNOWN = 60


async def sweep_stalled(
    queue: BaseAsyncConnector, registry: Registry, clock: Clock, *, attempts: int, stalled_after: float
) -> dict[int, str]:
    """Recover every job whose worker has shown no heartbeat for `stalled_after` seconds.

    `attempts` bounds the tasks that declare no bound of their own.
    Returns what became of each: alive (somebody holds its lock), moved, again, exhausted, superseded (a
    timer: its next tick replaces it). Several sweeps may run at once.
    """
    # Which hearts have stopped, and when a job is due again, procrastinate decides by the database's and
    # the machine's own clocks; an injected clock that jumps a month must kill no worker.
    stalled = await JobManager(queue).get_stalled_jobs(seconds_since_heartbeat=stalled_after)
    became: dict[int, str] = {}
    for job in stalled:
        if job.id is None:
            continue  # only in its type: a job that was fetched has a number
        bound, wait = _patience(registry, job.task_name, job.attempts + 1, attempts)
        row = await queue.execute_query_one_async(
            "SELECT queue_api.recover(%(job)s, %(worker)s, %(attempts)s, %(retry_at)s, %(at)s) AS became",
            job=job.id,
            worker=job.worker_id,
            attempts=bound,
            retry_at=RetryDecision(retry_in={"seconds": wait}).retry_at,
            at=clock.now(),
        )
        became[job.id] = str(row["became"])
    return became


def _patience(registry: Registry, name: str, attempt: int, attempts: int) -> tuple[int, int]:
    try:
        task = registry.get(name)
    except UnknownTask:
        return attempts, _WAIT_OF_UNKNOWN
    return task.attempts or attempts, task.wait_after(attempt)
