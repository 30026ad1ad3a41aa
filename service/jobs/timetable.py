"""All timers, and nothing else: when, and what it calls. Cron fields, UTC.

A timer only looks: what is due it asks the database for, with `context.clock`, so a clock that moves moves
everything. The ticks themselves come by the machine's clock, which is procrastinate's.
"""

from mandant.service.jobs.attempt import Runtime
from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import Registry, timer_job
from mandant.service.jobs.runs import forget_ended
from mandant.service.jobs.sweep import sweep_stalled
from mandant.service.jobs.tasks_directory import forget_expired
from mandant.service.jobs.tasks_files import sweep_files
from mandant.service.jobs.tasks_imports import forget_imports
from mandant.service.jobs.tasks_replay import replay_missing

__all__ = ["EVERY_HOUR", "EVERY_MINUTE", "EVERY_NIGHT", "add_queue_timers"]

EVERY_MINUTE = "* * * * *"
EVERY_HOUR = "41 * * * *"
EVERY_NIGHT = "17 2 * * *"

timer_job("replay_missing_facts", EVERY_MINUTE)(replay_missing)
timer_job("sweep_files", EVERY_HOUR)(sweep_files)
timer_job("forget_expired_entries", EVERY_HOUR)(forget_expired)
timer_job("forget_imports", EVERY_NIGHT)(forget_imports)


def add_queue_timers(registry: Registry, runtime: Runtime, stalled_after: float) -> None:
    """The queue's own timers: they need the queue itself, which no task of a module gets to see."""

    @timer_job("sweep_stalled_jobs", EVERY_MINUTE, registry=registry)
    async def _(context: JobContext) -> None:
        await sweep_stalled(
            runtime.queue, registry, context.clock, attempts=runtime.attempts, stalled_after=stalled_after
        )

    @timer_job("forget_ended_jobs", EVERY_NIGHT, registry=registry)
    async def _(context: JobContext) -> None:
        await forget_ended(runtime.queue, context.clock.now())
