"""What a person may see and do of the queue. Runs as mandant_worker."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg.rows import class_row

from mandant.service.jobs.connection import connect

__all__ = ["ExhaustedJob", "QueuedJob", "exhausted_jobs", "list_jobs", "retry_job"]


@dataclass(frozen=True, slots=True)
class QueuedJob:
    """A job that has not succeeded (those that did are deleted)."""

    job_id: int
    task: str
    tenant_id: UUID | None
    status: str
    attempts: int
    scheduled_at: datetime | None
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ExhaustedJob:
    """A job that will not run again unless a person says so. Of its error only the class is known."""

    job_id: int
    task: str
    tenant_id: UUID | None
    attempts: int
    error_class: str
    ended_at: datetime | None


async def list_jobs(url: str, limit: int = 100) -> Sequence[QueuedJob]:
    """Jobs that wait, run or have ended without success, the newest first."""
    async with (
        await connect(url) as connection,
        connection.cursor(row_factory=class_row(QueuedJob)) as cursor,
    ):
        await cursor.execute(
            "SELECT job_id, task, tenant_id, status, attempts, scheduled_at, outcome FROM queue_api.job"
            " ORDER BY job_id DESC LIMIT %s",
            (limit,),
        )
        return await cursor.fetchall()


async def exhausted_jobs(url: str) -> Sequence[ExhaustedJob]:
    """Jobs that a person has to look at, the oldest first."""
    async with (
        await connect(url) as connection,
        connection.cursor(row_factory=class_row(ExhaustedJob)) as cursor,
    ):
        await cursor.execute(
            "SELECT job_id, task, tenant_id, attempts, error_class, ended_at FROM queue_api.exhausted"
            " ORDER BY job_id"
        )
        return await cursor.fetchall()


async def retry_job(url: str, job: int) -> bool:
    """Give an exhausted job all its attempts again. False where there is no such job."""
    async with await connect(url) as connection:
        cursor = await connection.execute("SELECT queue_api.retry(%s)", (job,))
        rows = await cursor.fetchall()
    return bool(rows[0][0])
