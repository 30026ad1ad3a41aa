"""Every way into a tenant's data compares the key state of the keys in hand with the data's own."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest

from mandant.tenants.errors import DataOlderThanControl
from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.session import Tenant, open_session
from mandant.vault.keyring import Keyring
from mandant.vault.keys import load_scope, record_fact
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from tests.stack import Stack

CUSTOMER = Customer(last_name="Alder")


async def by_session(stack: Stack, tenant: Tenant) -> None:
    async with open_session(tenant.data, tenant.keyring, tenant.tenant_id):
        pass


async def by_reading(stack: Stack, tenant: Tenant) -> None:
    await store.page(tenant, customers, before=None, limit=1)


async def by_writing(stack: Stack, tenant: Tenant) -> None:
    await store.create(tenant, customers, CUSTOMER, at=stack.clock.now())


async def by_counting(stack: Stack, tenant: Tenant) -> None:
    await store.count(tenant, customers)


WAYS: tuple[Callable[[Stack, Tenant], Awaitable[None]], ...] = (
    by_session,
    by_reading,
    by_writing,
    by_counting,
)


def newcomer(stack: Stack, tenant: Tenant) -> Tenant:
    """The same tenant in a process that has just started: it loads control's present number."""
    keyring = Keyring(partial(load_scope, stack.control), stack.provider, clock=stack.clock)
    return Tenant(tenant.data, keyring, tenant.tenant_id)


async def a_fact(stack: Stack, tenant: Tenant) -> int:
    async with stack.control.transaction() as connection:
        return await record_fact(connection, tenant.tenant_id, "a-test", {}, stack.clock.now())


async def apply(stack: Stack, tenant: Tenant, sequence: int) -> None:
    connection: Any = await stack.connect("mandant_worker")
    await connection.execute(
        "SELECT mandant.applied($1, $2, $3)", tenant.tenant_id, sequence, stack.clock.now()
    )
    await connection.close()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_data_that_is_older_than_control_serves_nobody_until_the_fact_is_applied(
    stack: Stack, way: Callable[[Stack, Tenant], Awaitable[None]]
) -> None:
    tenant = await stack.tenant()
    await way(stack, tenant)
    sequence = await a_fact(stack, tenant)
    late = newcomer(stack, tenant)

    with pytest.raises(DataOlderThanControl):
        await way(stack, late)
    await apply(stack, tenant, sequence)
    await way(stack, late)
    await late.keyring.close()


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_keys_that_are_older_than_the_data_are_loaded_again(
    stack: Stack, way: Callable[[Stack, Tenant], Awaitable[None]]
) -> None:
    tenant = await stack.tenant()
    await way(stack, tenant)
    sequence = await a_fact(stack, tenant)
    await apply(stack, tenant, sequence)

    await way(stack, tenant)

    keys = await stack.keyring.open(scope_id(tenant.tenant_id, ScopeKind.TENANT))
    assert keys.key_state == sequence
