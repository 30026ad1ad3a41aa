"""Procrastinate's app, made from the declared tasks."""

import asyncio
import functools
import logging

from procrastinate import App, BaseRetryStrategy, RetryDecision, exceptions
from procrastinate import JobContext as QueueContext
from procrastinate.connector import BaseAsyncConnector
from procrastinate.jobs import Job

from mandant.service.jobs.attempt import Attempt, Runtime, run_attempt
from mandant.service.jobs.errors import Again, QueueLost
from mandant.service.jobs.registry import Registry, Task

__all__ = ["queue_app", "quiet_logs"]

# Seconds until a job is tried again whose record could not be written.
_QUEUE_ERROR_WAIT = 30
# What procrastinate says of every job, with its arguments; our own lines say it without.
_OUTCOMES = frozenset({"job_success", "job_aborted", "job_aborted_retry", "job_error", "job_error_retry"})


def queue_app(registry: Registry, connector: BaseAsyncConnector, runtime: Runtime) -> App:
    """The app that runs every task of the registry through `run_attempt`."""
    app = App(connector=connector)
    for task in registry:
        run = functools.partial(_run, task, runtime)
        # procrastinate asks inspect whether it may await; a partial of a coroutine function passes.
        queued = app.task(
            name=task.name,
            pass_context=True,
            queue=task.owner,
            retry=_Outcome(),
            # A timer that still waits is not enqueued a second time.
            queueing_lock=task.name if task.cron else None,
        )(run)
        if task.cron:
            app.periodic(cron=task.cron)(queued)
    return app


async def _run(task: Task, runtime: Runtime, context: QueueContext, **_arguments: object) -> None:
    job = context.job
    if job.id is not None:  # None only in its type: a job that was fetched has a number
        await run_attempt(Attempt(task, job.id, job.queue, job.task_kwargs, runtime))


class _Outcome(BaseRetryStrategy):
    """Our attempt has decided already; this says it in procrastinate's words."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:  # noqa: ARG002
        if isinstance(exception, Again):
            return RetryDecision(retry_in={"seconds": exception.wait})
        if isinstance(exception, asyncio.CancelledError | QueueLost | exceptions.ConnectorException):
            return RetryDecision(retry_in={"seconds": _QUEUE_ERROR_WAIT})
        return None


class _WithoutOutcomes(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return getattr(record, "action", None) not in _OUTCOMES


def quiet_logs() -> None:
    """Let procrastinate report its own troubles only: no jobs, no arguments."""
    logging.getLogger("procrastinate").setLevel(logging.WARNING)
    outcomes = logging.getLogger("procrastinate.worker")
    if not any(isinstance(known, _WithoutOutcomes) for known in outcomes.filters):
        outcomes.addFilter(_WithoutOutcomes())
