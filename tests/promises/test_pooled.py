"""Through PgBouncer in transaction mode: the tests of the store again, and two tenants who share one server
connection. The tests of the API follow in test_pooled_api.py.

Every statement may meet another server process, and every server process the next tenant.
"""

import asyncio
from typing import Any

import pytest

from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.session import Tenant, open_session
from tests.promises import pooled
from tests.promises.bouncer import server_pid
from tests.stack import Stack
from tests.tenants.modules.test_store import *  # noqa: F403 - the same tests, by another way

stack = pooled.stack


@pytest.fixture
async def two(stack: Stack) -> tuple[Tenant, Tenant]:
    return await stack.tenant(), await stack.tenant()


async def test_the_clients_are_more_than_the_server_processes(stack: Stack) -> None:
    """Else nothing here would prove anything."""
    pids = await asyncio.gather(*(server_pid(stack.data.pool) for _ in range(32)))
    assert len(set(pids)) <= 3 < stack.data.pool.get_max_size()


async def test_two_tenants_in_turn_on_the_same_connections_see_their_own(
    stack: Stack, two: tuple[Tenant, Tenant]
) -> None:
    at = stack.clock.now()

    async def work(tenant: Tenant, word: str) -> None:
        made = await store.create(tenant, customers, Customer(last_name=word), at=at)
        assert (await store.get(tenant, customers, made.record_id)).record.last_name == word
        look = customers.look("last_name", word)
        found = await store.search(tenant, customers, [look], before=None, limit=200)
        assert {one.record.last_name for one in found} == {word}

    await asyncio.gather(*(work(two[i % 2], ("Alder", "Birch")[i % 2]) for i in range(40)))

    for tenant, word in zip(two, ("Alder", "Birch"), strict=True):
        page = await store.page(tenant, customers, before=None, limit=200)
        assert [one.record.last_name for one in page] == [word] * 20


async def test_sessions_in_turn_leave_no_tenant_behind(stack: Stack, two: tuple[Tenant, Tenant]) -> None:
    async def visit(tenant: Tenant, *, fail: bool) -> None:
        try:
            async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
                seen = await session.connection.fetchval("SELECT current_setting('mandant.tenant')")
                assert seen == str(tenant.tenant_id)
                await asyncio.sleep(0)
                rows = await session.connection.fetch("SELECT tenant_id FROM mandant.tenant")
                assert [row["tenant_id"] for row in rows] == [tenant.tenant_id]
                if fail:
                    raise ZeroDivisionError
        except ZeroDivisionError:
            pass

    await asyncio.gather(*(visit(two[i % 2], fail=i % 3 == 0) for i in range(30)))

    for _ in range(8):
        assert await stack.data.pool.fetchval("SELECT current_setting('mandant.tenant', true)") in (None, "")
        assert await stack.data.pool.fetch("SELECT * FROM mandant.tenant") == []


async def test_a_savepoint_that_is_rolled_back_keeps_the_tenant(
    stack: Stack, two: tuple[Tenant, Tenant]
) -> None:
    async with open_session(stack.data, stack.keyring, two[0].tenant_id, write=True) as session:
        connection: Any = session.connection
        with pytest.raises(ZeroDivisionError):
            async with connection.transaction():
                raise ZeroDivisionError
        rows = await connection.fetch("SELECT tenant_id FROM mandant.tenant")
        assert [row["tenant_id"] for row in rows] == [two[0].tenant_id]
