"""What a running job is given."""

from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from mandant.vault.clock import Clock

__all__ = ["JobContext", "JobServices"]


class JobServices(Protocol):
    """What the worker needs of the service; tasks reach their tenant's session through the same object."""

    @property
    def clock(self) -> Clock: ...

    async def tenant_is_gone(self, tenant_id: UUID) -> bool:
        """Whether the tenant was purged, is being purged, or never was."""
        ...


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt of one job. `attempt` counts from 1; `tenant_id` is None in an operator's job only."""

    services: Any
    clock: Clock
    task: str
    queue_id: int
    attempt: int
    tenant_id: UUID | None
