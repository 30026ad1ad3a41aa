"""One attempt of a job, from its lock to its outcome."""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from procrastinate.connector import BaseAsyncConnector
from procrastinate.exceptions import JobAborted

from mandant.service.edge.logs import get_logger
from mandant.service.jobs import runs
from mandant.service.jobs.context import JobContext, JobServices
from mandant.service.jobs.errors import Again, Exhausted
from mandant.service.jobs.gone import tenant_is_gone
from mandant.service.jobs.locks import JobLocks
from mandant.service.jobs.registry import Task
from mandant.tenants.errors import DataOlderThanControl, DataUnavailable, Gone, NotFound
from mandant.vault.errors import ControlUnavailable, KeyShredded, KeyUnavailable

__all__ = ["Attempt", "Runtime", "run_attempt"]

_log = get_logger("mandant.jobs")

# Seconds until a job is tried again whose lock somebody still holds.
_HELD_WAIT = 30
_OUTAGES = (KeyUnavailable, ControlUnavailable, DataUnavailable, DataOlderThanControl)
# Seconds until a job is tried again that could not reach its keys or databases.
_OUTAGE_WAIT = 60
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Beside the ids: whose job it is, and a timer's tick.
_NOT_IDS = frozenset({"tenant_id", "timestamp"})


@dataclass(frozen=True, slots=True)
class Runtime:
    """What all attempts of one worker process share. `attempts` bounds tasks that declare no bound."""

    services: JobServices
    queue: BaseAsyncConnector
    locks: JobLocks
    attempts: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A job as it was fetched: its number, the queue it waited in, its arguments as the row holds them."""

    task: Task
    job: int
    queue: str
    stored: Mapping[str, Any]
    runtime: Runtime

    @property
    def tenant(self) -> UUID | None:
        stored = self.stored.get("tenant_id")
        return UUID(str(stored)) if stored is not None else None

    @property
    def bound(self) -> int:
        return self.task.attempts or self.runtime.attempts

    def ids(self) -> dict[str, Any]:
        """What the task's function is called with: UUID, int, or a word."""
        return {
            key: UUID(value) if isinstance(value, str) and _UUID.fullmatch(value) else value
            for key, value in self.stored.items()
            if key not in _NOT_IDS
        }


async def run_attempt(attempt: Attempt) -> None:
    """Run the job once. Returns when it succeeded.

    What the task raised ends here, so that no message and no traceback of it reaches procrastinate's log.

    Raises: Again, Exhausted; JobAborted when what the job was for is gone; QueueLost.
    """
    runtime = attempt.runtime
    if not await runtime.locks.hold(attempt.job):
        await runs.give_back(runtime.queue, attempt.job)
        raise Again(_HELD_WAIT)
    try:
        end = await _outcome(attempt)
    finally:
        await runtime.locks.drop(attempt.job)
    if end is not None:
        raise end


async def _outcome(attempt: Attempt) -> Exception | None:
    """None for success. The error is returned and not raised: so it has no context to print."""
    task, runtime, tenant = attempt.task, attempt.runtime, attempt.tenant
    number = await runs.starts(runtime.queue, attempt.job)
    fault = "WorkerLost" if number > attempt.bound else _misdeclared(attempt)
    if fault is not None:
        return await _exhausted(attempt, number, fault)
    context = JobContext(runtime.services, runtime.services.clock, task.name, attempt.job, number, tenant)
    try:
        if tenant is not None and await tenant_is_gone(runtime.services.data, tenant):
            return await _gone(attempt, number)
        await task.function(context, **attempt.ids())
    except asyncio.CancelledError:
        # The worker stops; that is no fault of the job's.
        await runs.give_back(runtime.queue, attempt.job)
        return Again(0)
    except _OUTAGES as error:
        await runs.give_back(runtime.queue, attempt.job)
        _log.warning("job postponed", task=task.name, job=attempt.job, error=type(error).__name__)
        return Again(_OUTAGE_WAIT)
    except (Gone, KeyShredded):
        return await _gone(attempt, number)
    except Exception as error:  # noqa: BLE001 - the edge of a job: whatever a task raises becomes an outcome
        if isinstance(error, NotFound) and error.what == "tenant":
            return await _gone(attempt, number)
        return await _failed(attempt, number, type(error).__name__)
    _log.info("job done", task=task.name, job=attempt.job, attempt=number)
    return None


def _misdeclared(attempt: Attempt) -> str | None:
    """The class of error under which a job ends whose task belongs to another kind of owner."""
    if attempt.task.owner == "tenant" and attempt.tenant is None:
        return "NoTenant"
    if attempt.queue != attempt.task.owner or (attempt.task.owner != "tenant" and attempt.tenant is not None):
        return "WrongQueue"
    return None


async def _failed(attempt: Attempt, number: int, error: str) -> Exception:
    if number >= attempt.bound:
        return await _exhausted(attempt, number, error)
    await runs.failed(attempt.runtime.queue, attempt.job, error)
    _log.warning(
        "job failed, again later", task=attempt.task.name, job=attempt.job, attempt=number, error=error
    )
    return Again(attempt.task.wait_after(number))


async def _exhausted(attempt: Attempt, number: int, error: str) -> Exception:
    runtime = attempt.runtime
    await runs.ended(runtime.queue, attempt.job, "exhausted", error, runtime.services.clock.now())
    if attempt.task.cron:
        await runs.forget_earlier(runtime.queue, attempt.task.name, attempt.job)
    _log.error("job exhausted", task=attempt.task.name, job=attempt.job, attempt=number, error=error)
    return Exhausted(error)


async def _gone(attempt: Attempt, number: int) -> Exception:
    runtime = attempt.runtime
    await runs.ended(runtime.queue, attempt.job, "gone", "Gone", runtime.services.clock.now())
    _log.info("job gone", task=attempt.task.name, job=attempt.job, attempt=number)
    return JobAborted()
