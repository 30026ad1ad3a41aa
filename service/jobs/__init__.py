"""Background jobs: declared as tasks, enqueued with the change that causes them, run for one tenant.

    @tenant_job("import_rows", attempts=5)
    async def import_rows(context: JobContext, *, job_id: UUID) -> None:
        ...

    await jobs.enqueue(session, "import_rows", job_id=import_id)

A job runs at least once: it must bear being run again from the start. Its errors never leave it but as the
name of their class. Procrastinate keeps the queue; when a job is due and whether a worker's heart still
beats, it decides by the database's own now(). Everything that a task decides goes by `context.clock`.
"""

from mandant.service.jobs.context import JobContext, JobServices
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.jobs.registry import Registry, Task, operator_job, tenant_job, timer_job
from mandant.service.jobs.worker import WorkerOptions, run_worker

__all__ = [
    "JobContext",
    "JobServices",
    "PostgresJobs",
    "Registry",
    "Task",
    "WorkerOptions",
    "operator_job",
    "run_worker",
    "tenant_job",
    "timer_job",
]
