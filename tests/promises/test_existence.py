"""What another tenant has behaves exactly as what nobody has: ids, unique values, idempotency keys."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from mandant.tenants.errors import NotFound, NotUnique
from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.session import Tenant
from tests.promises.catalog import Table, fill, rows_of, tables
from tests.stack import Stack


@dataclass
class Pair:
    """Two tenants, and a superuser's connection."""

    stack: Stack
    mine: Tenant
    others: Tenant
    admin: Any
    tables: list[Table]


@pytest.fixture(scope="module")
async def pair(stack: Stack) -> AsyncIterator[Pair]:
    admin: Any = await stack.connect("postgres")
    found = [table for table in await tables(admin) if table.kind == "tenant"]
    yield Pair(stack, await stack.tenant(), await stack.tenant(), admin, found)
    await admin.close()


async def test_no_constraint_of_any_table_notices_another_tenants_row(pair: Pair) -> None:
    """The same row under another tenant_id is taken everywhere; a second time it is refused."""
    for table in pair.tables:
        if table.name == "mandant.tenant":
            continue  # its key is the tenant
        await fill(pair.admin, table, pair.others.tenant_id)
        names = ", ".join(f'"{c.name}"' for c in table.columns if not c.generated)
        values = names.replace('"tenant_id"', "$2")
        copy = f"INSERT INTO {table.name} ({names}) SELECT {values} FROM {table.name} WHERE tenant_id = $1"
        async with pair.admin.transaction():
            await pair.admin.execute("SET LOCAL session_replication_role = replica")
            await pair.admin.execute(copy, pair.others.tenant_id, pair.mine.tenant_id)
            assert await rows_of(pair.admin, table, pair.mine.tenant_id), table.name
            with pytest.raises(asyncpg.UniqueViolationError):
                async with pair.admin.transaction():
                    await pair.admin.execute(copy, pair.others.tenant_id, pair.mine.tenant_id)


async def test_a_unique_value_of_another_tenants_is_free(pair: Pair) -> None:
    at = pair.stack.clock.now()
    for tenant in (pair.others, pair.mine):
        await store.create(tenant, customers, Customer(company="Muster", number="K-1"), at=at)
    with pytest.raises(NotUnique):
        await store.create(pair.mine, customers, Customer(company="Muster", number="K-1"), at=at)
    with pytest.raises(NotUnique):
        await store.create_many(pair.mine, customers, [Customer(company="Muster", number="K-1")], at=at)


async def test_a_record_id_of_another_tenants_is_free(pair: Pair) -> None:
    record_id = uuid4()
    for tenant in (pair.others, pair.mine):
        await _insert(pair, tenant.tenant_id, record_id)
    with pytest.raises(asyncpg.UniqueViolationError):
        await _insert(pair, pair.mine.tenant_id, record_id)


@pytest.mark.parametrize("whose", ["another tenant's", "nobody's"])
async def test_to_read_change_or_delete_a_record_that_is_not_ones_own_says_not_found(
    pair: Pair, whose: str
) -> None:
    at = pair.stack.clock.now()
    theirs = await store.create(pair.others, customers, Customer(company="Muster"), at=at)
    record_id = theirs.record_id if whose == "another tenant's" else uuid4()
    said = []
    for attempt in (
        store.get(pair.mine, customers, record_id),
        store.update(pair.mine, customers, record_id, 1, Customer(company="Mine"), at=at),
        store.update(pair.mine, customers, record_id, 7, Customer(company="Mine"), at=at),
        store.delete(pair.mine, customers, record_id, 1),
        store.delete(pair.mine, customers, record_id, None),
    ):
        with pytest.raises(NotFound) as refused:
            await attempt
        said.append(str(refused.value))
    assert set(said) == {str(NotFound("record"))}
    assert (await store.get(pair.others, customers, theirs.record_id)).record == Customer(company="Muster")


async def test_a_foreign_key_to_another_tenants_row_fails_as_one_to_nobodys(pair: Pair) -> None:
    theirs = await store.create(pair.others, customers, Customer(company="Muster"), at=pair.stack.clock.now())
    said = []
    for record_id in (theirs.record_id, uuid4()):
        connection: Any = await pair.stack.connect()
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            async with connection.transaction():
                await connection.execute("SELECT mandant.set_tenant($1)", pair.mine.tenant_id)
                await connection.execute(
                    "INSERT INTO mandant.unique_term VALUES ($1, 'customers', 'number', $2, 1, $3)",
                    *(pair.mine.tenant_id, uuid4().bytes, record_id),
                )
        said.append(f"{refused.value} {refused.value.detail}".replace(str(record_id), "<id>"))
        await connection.close()
    assert said[0] == said[1]


async def test_a_search_finds_nothing_of_another_tenants(pair: Pair) -> None:
    await store.create(pair.others, customers, Customer(last_name="Unmistakable"), at=pair.stack.clock.now())
    look = customers.look("last_name", "Unmistakable")
    assert await store.search(pair.mine, customers, [look], before=None, limit=10) == []
    assert len(await store.search(pair.others, customers, [look], before=None, limit=10)) == 1


async def _insert(pair: Pair, tenant_id: UUID, record_id: UUID) -> None:
    connection: Any = await pair.stack.connect()
    try:
        await connection.execute(
            "SELECT mandant.record_insert($1, 0, 'x', $2, 1, 1, '{}', 'x', $3, '{}', '{}', '{}')",
            *(tenant_id, record_id, pair.stack.clock.now()),
        )
    finally:
        await connection.close()
