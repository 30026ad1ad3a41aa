"""What is being written, or is reindexed twice, while index keys end: found afterwards, and unique."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest

from mandant.tenants.errors import NotUnique
from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import Searchable, Unique
from mandant.tenants.modules.keychanges import reindex
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.reseal import Progress
from mandant.tenants.session import Tenant, open_session
from mandant.vault.category import Category
from tests.stack import Stack


class Person(Record):
    name: Annotated[str, Searchable()]
    email: Annotated[str | None, Unique(as_="email")] = None


people = Module("people", Person)


def a_run(stack: Stack, tenant: Tenant) -> AsyncIterator[Progress]:
    own = stack.as_worker(tenant)
    return reindex(stack.worker_control, stack.provider, own, [people], Category.MODULE, stack.clock)


async def to_the_end(run: AsyncIterator[Progress]) -> None:
    async for _ in run:
        pass


async def until_it_waits_or_ends(stack: Stack, run: "asyncio.Task[None]") -> None:
    connection = await stack.connect("postgres")
    waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database"
    waiting += " WHERE datname = current_database())"
    while not run.done() and await connection.fetchval(waiting) is None:  # noqa: ASYNC110 - of the server
        await asyncio.sleep(0.01)
    await connection.close()


async def found(tenant: Tenant, name: str) -> list[Any]:
    return [stored.record for stored in await store.search(tenant, people, [people.look("name", name)])]


async def test_a_transaction_that_is_open_while_a_reindex_runs_is_found_afterwards(stack: Stack) -> None:
    tenant = await stack.tenant()
    anna = Person(name="Anna", email="anna@example.ch")
    begun = asyncio.Event()

    async def run_when_begun() -> None:
        await begun.wait()
        await to_the_end(a_run(stack, tenant))

    run = asyncio.create_task(run_when_begun())  # before the transaction: inside, the KMS is out of reach
    async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
        await store.create(session, people, anna, at=stack.clock.now())
        begun.set()
        await until_it_waits_or_ends(stack, run)
        assert not run.done(), "the reindex ended before a transaction with the old keys did"
    await run
    assert await found(tenant, "anna") == [anna]
    with pytest.raises(NotUnique):
        await store.create(tenant, people, anna, at=stack.clock.now())


async def test_two_reindexes_at_once_lose_no_term(stack: Stack) -> None:
    tenant = await stack.tenant()
    batch = [Person(name=f"N{i}", email=f"{i}@example.ch") for i in range(1200)]
    await store.create_many(tenant, people, batch, at=stack.clock.now())
    first, second = a_run(stack, tenant), a_run(stack, tenant)
    await anext(first)
    await anext(first)  # 1,000 records have terms of generation 2
    await anext(second)  # 500 of generation 3
    await to_the_end(first)
    assert await found(tenant, "n3") == [batch[3]]
    assert await found(tenant, "n700") == [batch[700]]
    with pytest.raises(NotUnique):
        await store.create(tenant, people, Person(name="x", email="3@example.ch"), at=stack.clock.now())
    await to_the_end(second)
    assert await found(tenant, "n3") == [batch[3]]
