"""Rotate, re-encrypt, reindex, shred: what changes about a tenant's keys is seen at once, and loses nothing."""

from typing import Annotated

import pytest

from mandant.tenants.errors import DataOlderThanControl, NotUnique
from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import Searchable, Unique
from mandant.tenants.modules.keychanges import reindex, rotate_and_apply
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.reseal import reseal
from mandant.tenants.replay import replay
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.envelope import generation_of
from mandant.vault.errors import KeyShredded
from mandant.vault.rotation import rotate, shred
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.stack import Stack


class Person(Record):
    name: Annotated[str, Searchable()]
    email: Annotated[str | None, Unique(as_="email")] = None


people = Module("people", Person)
batch = [Person(name=f"N{i}", email=f"{i}@example.ch") for i in range(1200)]


async def generations(stack: Stack, tenant: Tenant) -> set[tuple[int, int]]:
    connection = await stack.connect("postgres")
    rows = await connection.fetch(
        "SELECT sealed, index_generation FROM mandant.record WHERE tenant_id = $1", tenant.tenant_id
    )
    await connection.close()
    return {(generation_of(row["sealed"]), row["index_generation"]) for row in rows}


async def test_rotate_reaches_new_writes_and_re_encrypt_the_old_ones(stack: Stack) -> None:
    tenant = await stack.tenant()
    ids = await store.create_many(tenant, people, batch, at=stack.clock.now())
    await rotate_and_apply(
        stack.control,
        stack.provider,
        stack.as_worker(tenant),
        Category.MODULE,
        Purpose.SEAL,
        stack.clock.now(),
    )
    await store.create(tenant, people, Person(name="new"), at=stack.clock.now())
    assert await generations(stack, tenant) == {(1, 1), (2, 1)}
    *_, last = [progress async for progress in reseal(tenant, people)]
    assert (last.seen, last.resealed) == (1201, 1200)
    assert await generations(stack, tenant) == {(2, 1)}
    assert (await store.get(tenant, people, ids[7])).record == batch[7]
    assert (await store.get(tenant, people, ids[7])).version == 1
    *_, again = [progress async for progress in reseal(tenant, people)]
    assert again.resealed == 0


async def test_a_record_changed_during_re_encryption_keeps_the_change(stack: Stack) -> None:
    tenant = await stack.tenant()
    ids = await store.create_many(tenant, people, batch, at=stack.clock.now())
    await rotate_and_apply(
        stack.control,
        stack.provider,
        stack.as_worker(tenant),
        Category.MODULE,
        Purpose.SEAL,
        stack.clock.now(),
    )
    run = reseal(tenant, people)
    await anext(run)
    await store.update(tenant, people, ids[-1], 1, Person(name="changed"), at=stack.clock.now())
    _ = [progress async for progress in run]
    assert (await store.get(tenant, people, ids[-1])).record.name == "changed"


async def test_while_a_reindex_runs_everything_is_found_and_unique_stays_unique(stack: Stack) -> None:
    tenant = await stack.tenant()
    await store.create_many(tenant, people, batch, at=stack.clock.now())
    await rotate_and_apply(
        stack.control,
        stack.provider,
        stack.as_worker(tenant),
        Category.MODULE,
        Purpose.INDEX,
        stack.clock.now(),
    )
    look = people.look("name", "n3")
    assert [s.record for s in await store.search(tenant, people, [look])] == [batch[3]]
    with pytest.raises(NotUnique):
        await store.create(tenant, people, Person(name="x", email="900@example.ch"), at=stack.clock.now())
    await store.create(tenant, people, Person(name="y", email="new@example.ch"), at=stack.clock.now())
    _ = [
        p
        async for p in reindex(
            stack.worker_control,
            stack.provider,
            stack.as_worker(tenant),
            [people],
            Category.MODULE,
            stack.clock,
        )
    ]
    assert {index for _, index in await generations(stack, tenant)} == {3}
    assert [s.record for s in await store.search(tenant, people, [look])] == [batch[3]]
    for taken in ("900@example.ch", "new@example.ch"):
        with pytest.raises(NotUnique):
            await store.create(tenant, people, Person(name="x", email=taken), at=stack.clock.now())
    connection = await stack.connect("postgres")
    living = await connection.fetchval(
        "SELECT count(DISTINCT index_generation) FROM mandant.unique_term WHERE tenant_id = $1",
        tenant.tenant_id,
    )
    await connection.close()
    assert living == 1


async def test_a_shredded_category_is_gone_at_once_in_every_process(stack: Stack) -> None:
    tenant = await stack.tenant()
    made = await store.create(tenant, people, Person(name="Anna"), at=stack.clock.now())
    await stack.keyring.open(scope_id(tenant.tenant_id, ScopeKind.TENANT))  # warm
    await shred(
        stack.worker_control, scope_id(tenant.tenant_id, ScopeKind.TENANT), Category.MODULE, stack.clock.now()
    )
    await replay(stack.control, stack.worker_data, tenant.tenant_id, stack.clock.now())
    with pytest.raises(KeyShredded):
        await store.get(tenant, people, made.record_id)


async def test_data_that_has_not_seen_a_fact_is_not_served(stack: Stack) -> None:
    tenant = await stack.tenant()
    made = await store.create(tenant, people, Person(name="Anna"), at=stack.clock.now())
    await rotate(
        stack.control,
        stack.provider,
        scope_id(tenant.tenant_id, ScopeKind.TENANT),
        Category.MODULE,
        Purpose.SEAL,
        stack.clock.now(),
    )
    stack.keyring.evict(scope_id(tenant.tenant_id, ScopeKind.TENANT))  # as a process that starts now
    with pytest.raises(DataOlderThanControl):
        await store.get(tenant, people, made.record_id)
    await replay(stack.control, stack.worker_data, tenant.tenant_id, stack.clock.now())
    assert (await store.get(tenant, people, made.record_id)).record.name == "Anna"
