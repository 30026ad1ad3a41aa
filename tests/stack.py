"""A whole installation on an embedded PostgreSQL, for tests: two migrated databases, keys, a keyring.

    async def test_x(stack: Stack) -> None:
        tenant = await stack.tenant()

Databases are copies of a template that was migrated once; each test module that asks for `stack` has
its own pair, with the real roles.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import asyncpg
from uuid_utils.compat import uuid7

from mandant.service.migrations import upgrade
from mandant.service.postgres.roles import ensure_database
from mandant.service.postgres.server import EmbeddedPostgres
from mandant.tenants.database import DataDatabase
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.clock import MovingClock
from mandant.vault.control import ControlDatabase
from mandant.vault.envelope import Place
from mandant.vault.keyring import Keyring
from mandant.vault.keys import create_scope, ensure_epoch, load_scope
from mandant.vault.kms.local import LocalKeyProvider
from mandant.vault.local_start import open_local, remember_counter
from mandant.vault.scopes import SYSTEM, scope_id
from mandant.vault.stored import ScopeKind

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass
class Stack:
    """What a process of the service holds, and the addresses of its two databases."""

    server: EmbeddedPostgres
    data_name: str
    control_name: str
    data: DataDatabase
    worker_data: DataDatabase
    control: ControlDatabase
    worker_control: ControlDatabase
    provider: LocalKeyProvider
    keyring: Keyring
    clock: MovingClock
    folder: Path
    tenants: list[UUID] = field(default_factory=list)

    def data_url(self, role: str = "mandant_app") -> str:
        return self.server.dsn(role, self.data_name)

    def control_url(self, role: str = "mandant_app") -> str:
        return self.server.dsn(role, self.control_name)

    async def tenant(self) -> Tenant:
        """A new, active tenant with its keys and nothing else."""
        tenant_id = uuid7()
        for kind in (ScopeKind.TENANT, ScopeKind.OPERATOR):
            await create_scope(self.control, self.provider, tenant_id, kind, self.clock.now())
        operator = await self.keyring.open(scope_id(tenant_id, ScopeKind.OPERATOR))
        key = operator.seal_key(Category.REGISTRATION)
        sealed = key.sealer(Place("tenant", "record")).seal(tenant_id, 1, b"{}")
        await self.data.pool.execute(
            "SELECT mandant.create_tenant($1, $2, $3)", tenant_id, sealed, self.clock.now()
        )
        self.tenants.append(tenant_id)
        return Tenant(self.data, self.keyring, tenant_id)

    def as_worker(self, tenant: Tenant) -> Tenant:
        """The same tenant for mandant_worker, who alone carries out what control records."""
        return Tenant(self.worker_data, tenant.keyring, tenant.tenant_id)

    async def connect(self, role: str = "mandant_app") -> "asyncpg.Connection[asyncpg.Record]":
        """A bare connection to data as one role, or as `postgres`, the superuser."""
        return await asyncpg.connect(self.data_url(role))


async def make_templates(server: EmbeddedPostgres) -> None:
    """Two migrated databases that every stack is copied from."""
    admin = await asyncpg.connect(server.dsn("postgres", "postgres"))
    try:
        await ensure_database(admin, "template_data")
        await ensure_database(admin, "template_control")
    finally:
        await admin.close()
    await upgrade(server.dsn("mandant_owner", "template_data"), "data")
    await upgrade(server.dsn("mandant_owner", "template_control"), "control")


async def open_stack(server: EmbeddedPostgres, name: str, folder: Path) -> AsyncIterator[Stack]:
    """A stack of its own, its databases dropped at the end."""
    data_name, control_name = f"data_{name}", f"control_{name}"
    admin = await asyncpg.connect(server.dsn("postgres", "postgres"))
    try:
        await ensure_database(admin, data_name, template="template_data")
        await ensure_database(admin, control_name, template="template_control")
        clock = MovingClock(START)
        data = await DataDatabase.open(server.dsn("mandant_app", data_name), size=8)
        worker_data = await DataDatabase.open(server.dsn("mandant_worker", data_name), size=4)
        control = await ControlDatabase.open(server.dsn("mandant_app", control_name))
        worker_control = await ControlDatabase.open(server.dsn("mandant_worker", control_name), size=2)
        provider = await open_local(control, folder / "keys.json", clock)
        await ensure_epoch(control, provider, clock.now())
        await remember_counter(control, provider)
        await create_scope(control, provider, SYSTEM, ScopeKind.SYSTEM, clock.now())
        keyring = Keyring(partial(load_scope, control), provider, clock=clock)
        try:
            yield Stack(
                server,
                data_name,
                control_name,
                data,
                worker_data,
                control,
                worker_control,
                provider,
                keyring,
                clock,
                folder,
            )
        finally:
            await keyring.close()
            await data.close()
            await worker_data.close()
            await control.close()
            await worker_control.close()
            await admin.execute(f'DROP DATABASE "{data_name}" WITH (FORCE)')
            await admin.execute(f'DROP DATABASE "{control_name}" WITH (FORCE)')
    finally:
        await admin.close()
