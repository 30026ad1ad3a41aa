"""A fact whose data was never told: 503, then the timer replays it, then the owner is served."""

from collections.abc import AsyncIterator
from types import SimpleNamespace
from uuid import UUID

import pytest
import pytest_asyncio

from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import REGISTRY
from mandant.service.jobs.tasks_replay import replay_now
from mandant.service.jobs.timetable import EVERY_MINUTE
from mandant.tenants.behind import differences
from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import DataOlderThanControl
from mandant.tenants.people import People
from mandant.tenants.people.company import read_company
from mandant.tenants.people.person import read_person
from mandant.tenants.people.transaction import open_person
from mandant.vault.category import Category
from mandant.vault.keys import record_fact
from mandant.vault.rotation import rotate
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.stack import Stack
from tests.tenants.people.support import a_newcomer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(stack: Stack) -> AsyncIterator[SimpleNamespace]:
    data = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    yield SimpleNamespace(data=data, control=stack.worker_control, clock=stack.clock)
    await data.close()


async def a_lost_fact(stack: Stack, owner: UUID, kind: ScopeKind) -> None:
    """The process died between control's commit and data's."""
    scope = scope_id(owner, kind)
    at = stack.clock.now()
    await rotate(stack.control, stack.provider, scope, Category.REGISTRATION, Purpose.SEAL, at)
    stack.keyring.evict(scope)


async def test_tenants_and_persons_behind_are_refused_then_replayed_then_served(
    stack: Stack, people: People, worker: SimpleNamespace
) -> None:
    newcomer, neighbour = await a_newcomer(people), await a_newcomer(people)
    tenant_id, person_id = newcomer.ids.tenant_id, newcomer.ids.person_id
    await a_lost_fact(stack, tenant_id, ScopeKind.OPERATOR)
    await a_lost_fact(stack, person_id, ScopeKind.PERSON)
    with pytest.raises(DataOlderThanControl):
        await read_company(people, tenant_id)
    with pytest.raises(DataOlderThanControl):
        async with open_person(people.data, people.keyring, person_id):
            pass
    await read_company(people, neighbour.ids.tenant_id)
    timer = REGISTRY.get("replay_missing_facts")
    assert timer.cron == EVERY_MINUTE
    await timer.function(JobContext(worker, stack.clock, timer.name, 1, 1, None))
    assert (await read_company(people, tenant_id)).company.name == "Muster AG"
    async with open_person(people.data, people.keyring, person_id) as session:
        assert (await read_person(session)).profile.email == newcomer.email
    assert [one async for one in differences(stack.control, worker.data)] == []
    assert (await replay_now(worker)).owners == 0


async def test_a_fact_of_a_newer_version_keeps_its_owner_refused_and_nobody_else(
    stack: Stack, people: People, worker: SimpleNamespace
) -> None:
    stuck, behind = await a_newcomer(people), await a_newcomer(people)
    async with stack.control.transaction() as connection:
        await record_fact(connection, stuck.ids.tenant_id, "erased", {}, stack.clock.now())
    await a_lost_fact(stack, behind.ids.tenant_id, ScopeKind.OPERATOR)
    replayed = await replay_now(worker)
    assert (replayed.owners, replayed.stuck) == (1, (stuck.ids.tenant_id,))
    stack.keyring.evict(scope_id(stuck.ids.tenant_id, ScopeKind.OPERATOR))
    with pytest.raises(DataOlderThanControl):
        await read_company(people, stuck.ids.tenant_id)
    await read_company(people, behind.ids.tenant_id)
