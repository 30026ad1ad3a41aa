"""Sealed records: what goes in comes out, to its own tenant only, and nothing else does."""

from typing import Annotated
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from mandant.tenants.errors import NotFound, NotUnique, StaleVersion
from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import Searchable, Unique
from mandant.tenants.modules.record import Record
from mandant.tenants.session import Tenant, open_session
from tests.stack import Stack


class Person(Record):
    name: Annotated[str, Searchable(prefix=3)]
    email: Annotated[str | None, Unique(as_="email")] = None


people = Module("people", Person)


@pytest.fixture
async def tenant(stack: Stack) -> Tenant:
    return await stack.tenant()


async def test_a_record_is_created_read_updated_and_deleted(stack: Stack, tenant: Tenant) -> None:
    made = await store.create(tenant, people, Person(name="Anna"), at=stack.clock.now())
    assert (await store.get(tenant, people, made.record_id)) == made
    changed = await store.update(
        tenant, people, made.record_id, 1, Person(name="Anna Muster"), at=stack.clock.now()
    )
    assert changed.version == 2
    assert (await store.get(tenant, people, made.record_id)).record.name == "Anna Muster"
    await store.delete(tenant, people, made.record_id, 2)
    with pytest.raises(NotFound):
        await store.get(tenant, people, made.record_id)


async def test_a_stale_version_changes_nothing(stack: Stack, tenant: Tenant) -> None:
    made = await store.create(tenant, people, Person(name="Anna"), at=stack.clock.now())
    await store.update(tenant, people, made.record_id, 1, Person(name="Berta"), at=stack.clock.now())
    with pytest.raises(StaleVersion):
        await store.update(tenant, people, made.record_id, 1, Person(name="Carla"), at=stack.clock.now())
    with pytest.raises(StaleVersion):
        await store.delete(tenant, people, made.record_id, 1)
    assert (await store.get(tenant, people, made.record_id)).record.name == "Berta"


async def test_a_unique_value_stands_once_in_a_tenant_and_again_in_another(
    stack: Stack, tenant: Tenant
) -> None:
    anna = Person(name="Anna", email="anna@example.ch")
    first = await store.create(tenant, people, anna, at=stack.clock.now())
    with pytest.raises(NotUnique) as refused:
        await store.create(tenant, people, Person(name="X", email=" ANNA@example.ch"), at=stack.clock.now())
    assert refused.value.field == "email"
    assert await store.count(tenant, people) == 1
    await store.create(await stack.tenant(), people, anna, at=stack.clock.now())
    await store.update(tenant, people, first.record_id, 1, Person(name="Anna"), at=stack.clock.now())
    await store.create(tenant, people, anna, at=stack.clock.now())


async def test_many_are_created_all_or_none(stack: Stack, tenant: Tenant) -> None:
    batch = [Person(name=f"N{i}", email=f"{i}@example.ch") for i in range(20)]
    ids = await store.create_many(tenant, people, batch, at=stack.clock.now())
    assert [s.record for s in reversed(await store.page(tenant, people))] == batch
    assert [s.record_id for s in reversed(await store.page(tenant, people))] == ids
    for clash in (
        [Person(name="A", email="x@y.ch"), Person(name="B", email="x@y.ch")],
        [Person(name="C"), batch[3]],
    ):
        with pytest.raises(NotUnique):
            await store.create_many(tenant, people, clash, at=stack.clock.now())
    assert await store.count(tenant, people) == 20


async def test_pages_are_newest_first_and_have_no_gap(stack: Stack, tenant: Tenant) -> None:
    ids = await store.create_many(
        tenant, people, [Person(name=str(i)) for i in range(7)], at=stack.clock.now()
    )
    seen: list[UUID] = []
    before: UUID | None = None
    while found := await store.page(tenant, people, before=before, limit=3):
        seen += [stored.record_id for stored in found]
        before = seen[-1]
    assert seen == list(reversed(ids))


async def test_search_finds_by_whole_value_and_by_beginning(stack: Stack, tenant: Tenant) -> None:
    await store.create_many(
        tenant,
        people,
        [
            Person(name="Hans Müller", email="hans@example.ch"),
            Person(name="Petra Muster"),
            Person(name="Mül"),
        ],
        at=stack.clock.now(),
    )

    async def found(*looks: tuple[str, str, bool]) -> list[str]:
        asked = [people.look(path, text, beginnings=beginnings) for path, text, beginnings in looks]
        return sorted(stored.record.name for stored in await store.search(tenant, people, asked))

    assert await found(("name", "HANS MULLER", False)) == ["Hans Müller"]
    assert await found(("name", "mul", True)) == ["Hans Müller", "Mül"]
    assert await found(("name", "mull", True), ("email", "Hans@Example.ch", False)) == ["Hans Müller"]
    assert await found(("name", "mull", True), ("email", "other@example.ch", False)) == []


async def test_another_tenant_neither_reads_finds_changes_nor_deletes(stack: Stack, tenant: Tenant) -> None:
    made = await store.create(tenant, people, Person(name="Anna", email="a@b.ch"), at=stack.clock.now())
    other = await stack.tenant()
    for attempt in (
        store.get(other, people, made.record_id),
        store.update(other, people, made.record_id, 1, Person(name="x"), at=stack.clock.now()),
        store.delete(other, people, made.record_id),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert await store.search(other, people, [people.look("email", "a@b.ch")]) == []
    assert await store.page(other, people) == []


async def test_a_tenant_that_does_not_exist_is_not_found(stack: Stack) -> None:
    with pytest.raises(NotFound):
        await store.page(Tenant(stack.data, stack.keyring, uuid7()), people)


async def test_a_session_commits_at_its_end_and_rolls_back_when_it_raises(
    stack: Stack, tenant: Tenant
) -> None:
    async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
        await store.create(session, people, Person(name="kept"), at=stack.clock.now())
        assert await store.count(session, people) == 1
    with pytest.raises(ZeroDivisionError):
        async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
            await store.create(session, people, Person(name="lost"), at=stack.clock.now())
            raise ZeroDivisionError
    assert [stored.record.name for stored in await store.page(tenant, people)] == ["kept"]
