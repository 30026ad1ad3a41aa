"""Data that is behind control is brought up to it: each minute, and before a worker takes its first job.

Such a tenant is answered 503 until then (docs/DESIGN.md, Two databases).
"""

from typing import Protocol

from mandant.service.edge.logs import get_logger
from mandant.service.jobs.context import JobContext
from mandant.tenants.behind import Replayed, replay_all
from mandant.tenants.database import DataDatabase
from mandant.vault.clock import Clock
from mandant.vault.control import ControlDatabase

__all__ = ["replay_missing", "replay_now"]

_log = get_logger("mandant.jobs")


class Databases(Protocol):
    """What replaying needs of `mandant.service.runtime.Runtime`."""

    @property
    def data(self) -> DataDatabase: ...

    @property
    def control(self) -> ControlDatabase: ...

    @property
    def clock(self) -> Clock: ...


async def replay_missing(context: JobContext) -> None:
    """The timer."""
    await replay_now(context.services)


async def replay_now(services: Databases) -> Replayed:
    """Carry out what is missing, and say so in the log. Raises: ControlUnavailable."""
    replayed = await replay_all(services.control, services.data, services.clock.now())
    if replayed.owners:
        _log.warning("control facts replayed", count=replayed.owners)
    if replayed.stuck:
        _log.error("facts of a newer version: update before these are served", count=len(replayed.stuck))
    return replayed
