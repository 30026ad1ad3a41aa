"""Row-level security is the net, not the path: asked as the superuser, whom no policy holds, the statements
alone keep tenants apart, because each of them names its tenant.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import pytest

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import NotFound
from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.session import Tenant
from tests.stack import Stack


@dataclass
class Unheld:
    """Two tenants behind a connection that sees every row. `shared`: an id that both have a record of."""

    stack: Stack
    mine: Tenant
    others: Tenant
    shared: UUID


@pytest.fixture
async def unheld(stack: Stack) -> AsyncIterator[Unheld]:
    data = await DataDatabase.open(stack.data_url("postgres"), size=2)
    mine, others = (
        Tenant(data, stack.keyring, (await stack.tenant()).tenant_id),
        Tenant(data, stack.keyring, (await stack.tenant()).tenant_id),
    )
    shared = uuid4()
    for tenant in (mine, others):
        await store.create(tenant, customers, Customer(last_name="Alder"), at=stack.clock.now())
        await data.pool.execute(
            "UPDATE mandant.record SET record_id = $2 WHERE tenant_id = $1", tenant.tenant_id, shared
        )
    assert await data.pool.fetchval("SELECT count(*) FROM mandant.record WHERE record_id = $1", shared) == 2
    yield Unheld(stack, mine, others, shared)
    await data.close()


async def rows(unheld: Unheld, tenant: Tenant) -> list[Any]:
    found: list[Any] = await tenant.data.pool.fetch(
        "SELECT r::text FROM mandant.record r WHERE tenant_id = $1 ORDER BY 1", tenant.tenant_id
    )
    return found


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT count(*) FROM mandant.record_get($1, 0, 'customers', $2)",
        "SELECT count(*) FROM mandant.record_page($1, 0, 'customers', NULL, 100)",
        "SELECT count(*) FROM mandant.record_scan($1, 0, 'customers', NULL, 100)",
        "SELECT mandant.record_count($1, 0, 'customers')",
        "SELECT count(*) FROM mandant.record_search($1, 0, 'customers', '{}', NULL, 100)",
    ],
)
async def test_a_reading_function_reads_one_tenants_rows(unheld: Unheld, statement: str) -> None:
    arguments = (unheld.mine.tenant_id, unheld.shared)[: 2 if "$2" in statement else 1]
    assert await unheld.mine.data.pool.fetchval(statement, *arguments) == 1


async def test_a_change_changes_one_tenants_row(unheld: Unheld) -> None:
    before = await rows(unheld, unheld.others)
    changed = Customer(last_name="Birch")
    await store.update(unheld.mine, customers, unheld.shared, 1, changed, at=unheld.stack.clock.now())
    assert await rows(unheld, unheld.others) == before


async def test_a_deletion_deletes_one_tenants_row(unheld: Unheld) -> None:
    before = await rows(unheld, unheld.others)
    await store.delete(unheld.mine, customers, unheld.shared, None)
    assert await rows(unheld, unheld.mine) == []
    assert await rows(unheld, unheld.others) == before
    with pytest.raises(NotFound):
        await store.delete(unheld.mine, customers, unheld.shared, None)


async def test_a_search_by_term_finds_one_tenants_records(unheld: Unheld) -> None:
    terms = await unheld.others.data.pool.fetchval(
        "SELECT terms FROM mandant.record WHERE tenant_id = $1", unheld.others.tenant_id
    )
    async with unheld.mine.data.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT mandant.set_tenant($1)", unheld.mine.tenant_id)
        found = "SELECT * FROM mandant.find_terms($1, 'customers', $2)"
        assert await connection.fetch(found, unheld.mine.tenant_id, terms) == []
