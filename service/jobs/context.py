"""What a running job is given."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.vault.clock import Clock

__all__ = ["JobContext", "JobServices"]


class JobServices(Protocol):
    """What the worker itself needs of `mandant.service.runtime.Runtime`; tasks find all of that in their
    context, and go to their tenant through the same door as a request."""

    @property
    def clock(self) -> Clock: ...

    @property
    def data(self) -> DataDatabase: ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt of one job. `attempt` counts from 1; `tenant_id` is None in an operator's job only."""

    services: Any
    clock: Clock
    task: str
    queue_id: int
    attempt: int
    tenant_id: UUID | None
