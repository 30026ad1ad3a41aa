"""The services of one process, opened once: databases, keys, objects, clock, modules.

async with open_runtime(settings, modules, metrics) as runtime: ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from mandant.service.edge.edge import RUNTIME_KEY
from mandant.service.errors import NotStarted
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import Tenant

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from mandant.service.edge.health import Check
    from mandant.service.edge.metrics import Metrics
    from mandant.service.edge.rate_limit import RateLimiter
    from mandant.service.jobs.enqueue import PostgresJobs
    from mandant.service.settings import Settings
    from mandant.tenants.database import DataDatabase
    from mandant.tenants.modules import Module
    from mandant.tenants.objects import ObjectStore
    from mandant.tenants.people.deployment import People
    from mandant.vault.clock import Clock
    from mandant.vault.control import ControlDatabase
    from mandant.vault.keyring import Keyring
    from mandant.vault.kms.provider import KeyProvider


@dataclass(frozen=True, slots=True)
class Runtime:
    """What handlers, jobs and commands work with. Nothing in it changes while it is open.

    `modules`: name -> module. `checks`: part -> what the health page asks.
    """

    settings: Settings
    data: DataDatabase
    control: ControlDatabase
    provider: KeyProvider
    keyring: Keyring
    objects: ObjectStore
    jobs: PostgresJobs
    people: People
    limiter: RateLimiter
    clock: Clock
    modules: Mapping[str, Module[Any]]
    metrics: Metrics
    checks: Mapping[str, Check]

    def tenant(self, tenant_id: UUID) -> Tenant:
        """The door to a tenant's data. Whether whoever asks may pass was asked before."""
        return Tenant(self.data, self.keyring, tenant_id)

    def shelf(self, tenant_id: UUID) -> Shelf:
        """A tenant's data with its files, as `tenant`."""
        return Shelf(self.tenant(tenant_id), self.objects, self.clock, self.modules)


def runtime_or_none(connection: ASGIConnection[Any, Any, Any, Any]) -> Runtime | None:
    """The open services, None while the process starts or stops."""
    return cast("Runtime | None", cast("dict[str, Any]", connection.scope).get(RUNTIME_KEY))


def runtime_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Runtime:
    """The services, for a handler: `runtime = runtime_of(request)`. Raises: NotStarted."""
    runtime = runtime_or_none(connection)
    if runtime is None:
        raise NotStarted
    return runtime
