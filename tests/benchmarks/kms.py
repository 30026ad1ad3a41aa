"""Calls of the KMS: none for 10,000 warm operations of 100 tenants; cold one a scope, two with BYOK."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import cast
from uuid import UUID

from uuid_utils.compat import uuid7

from mandant.tenants.modules import store
from mandant.tenants.session import Tenant
from mandant.vault.keyring import Keyring
from mandant.vault.keys import create_scope, load_scope
from mandant.vault.kms.provider import Answer, KeyProvider
from mandant.vault.stored import ScopeKind
from tests.benchmarks.clients import clients, make_clients
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure
from tests.benchmarks.world import World

__all__ = ["figures"]

TASKS = 16


class _Counting:
    """A provider that counts what is asked of the one behind it."""

    def __init__(self, provider: KeyProvider) -> None:
        self._provider = provider
        self.name = provider.name
        self.calls = 0

    async def encrypt(self, key_ref: str, plaintext: bytes, context: Mapping[str, str]) -> Answer:
        self.calls += 1
        return await self._provider.encrypt(key_ref, plaintext, context)

    async def decrypt(self, key_ref: str, wrapped: bytes, context: Mapping[str, str]) -> Answer:
        self.calls += 1
        return await self._provider.decrypt(key_ref, wrapped, context)


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Counted at the provider, for a keyring that has opened nothing yet."""
    provider = _Counting(world.stack.provider)
    # A clock that stands still: what is counted does not depend on how long the machine takes.
    keyring = Keyring(
        partial(load_scope, world.stack.control),
        cast("KeyProvider", provider),
        clock=world.stack.clock,
        monotonic=lambda: 0.0,
    )
    made = [await world.tenant() for _ in range(effort.records(100))]
    tenants = [Tenant(world.data, keyring, tenant.tenant_id) for tenant in made]
    record = make_clients(1)[0]

    before = provider.calls
    await asyncio.gather(*(store.create(tenant, clients, record, at=world.now) for tenant in tenants))
    cold = (provider.calls - before) / len(tenants)

    before, operations = provider.calls, iter(range(effort.records(10_000)))

    async def one_after_the_other() -> None:
        for number in operations:
            tenant = tenants[number % len(tenants)]
            if number // len(tenants) % 2:
                await store.create(tenant, clients, record, at=world.now)
            else:
                await store.page(tenant, clients, limit=1)

    await asyncio.gather(*(one_after_the_other() for _ in range(TASKS)))
    warm = provider.calls - before

    byok = await _scopes_with_byok(world, len(tenants))
    before = provider.calls
    for scope in byok:
        await keyring.open(scope)
    byok_cold = (provider.calls - before) / len(byok)
    await keyring.close()
    return [
        Figure.counted(
            f"KMS calls for {effort.records(10_000):,} warm operations of {len(tenants)} tenants", warm, 0
        ),
        Figure.counted("KMS calls a scope, cold", cold, 1),
        Figure.counted("KMS calls a scope with BYOK, cold", byok_cold, 2),
    ]


async def _scopes_with_byok(world: World, count: int) -> list[UUID]:
    """Scopes whose key a KMS key of the tenant's own wraps first."""
    provider, control = world.stack.provider, world.stack.control
    key_ref = await provider.create_key({"mandant:bench": "byok"}, "a tenant's own key")
    return [
        await create_scope(control, provider, uuid7(), ScopeKind.TENANT, world.now, byok_key_ref=key_ref)
        for _ in range(count)
    ]
