"""The record of a job's attempts, beside procrastinate's own row: `queue_api.run`."""

from datetime import datetime, timedelta

from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import ConnectorException

__all__ = ["ended", "failed", "forget_earlier", "forget_ended", "give_back", "starts"]

_KEPT = timedelta(days=30)


async def starts(queue: BaseAsyncConnector, job: int) -> int:
    """How often the job was started, this time included. Counted in the commit that fetched it."""
    row = await queue.execute_query_one_async(
        "SELECT starts FROM queue_api.run WHERE job_id = %(job)s", job=job
    )
    return int(row["starts"])


async def give_back(queue: BaseAsyncConnector, job: int) -> None:
    """The attempt does not count: the worker stops, or keys and databases cannot be reached."""
    statement = "UPDATE queue_api.run SET starts = greatest(starts - 1, 0) WHERE job_id = %(job)s"
    try:
        await queue.execute_query_async(statement, job=job)
    except ConnectorException:
        # Often the reason why the attempt is given back: the pool has a new connection for a second try.
        await queue.execute_query_async(statement, job=job)


async def failed(queue: BaseAsyncConnector, job: int, error_class: str) -> None:
    """The attempt failed and there will be another."""
    await queue.execute_query_async(
        "UPDATE queue_api.run SET error_class = %(error)s WHERE job_id = %(job)s", job=job, error=error_class
    )


async def ended(queue: BaseAsyncConnector, job: int, outcome: str, error_class: str, at: datetime) -> None:
    """The job will not run again by itself. `outcome` is exhausted or gone."""
    await queue.execute_query_async(
        "UPDATE queue_api.run SET outcome = %(outcome)s, error_class = %(error)s, ended_at = %(at)s"
        " WHERE job_id = %(job)s",
        job=job,
        outcome=outcome,
        error=error_class,
        at=at,
    )


async def forget_earlier(queue: BaseAsyncConnector, task: str, job: int) -> None:
    """Of a timer that fails at every tick, only the last failure stays on the list."""
    await queue.execute_query_async(
        "DELETE FROM queue.procrastinate_jobs WHERE queue_name = 'timers' AND task_name = %(task)s"
        " AND status = 'failed' AND id < %(job)s",
        task=task,
        job=job,
    )


async def forget_ended(queue: BaseAsyncConnector, at: datetime) -> None:
    """Delete the rows of jobs that ended 30 days before `at`, but not of those a person still has to see."""
    await queue.execute_query_async(
        "DELETE FROM queue.procrastinate_jobs j USING queue_api.run r WHERE r.job_id = j.id"
        " AND j.status IN ('aborted', 'cancelled', 'succeeded') AND r.ended_at < %(before)s",
        before=at - _KEPT,
    )
