"""After a rotation everything this package stored is brought to the newest keys, and opens as before."""

from collections.abc import AsyncIterator

from mandant.tenants.database import DataDatabase
from mandant.tenants.people import People, sign_in
from mandant.tenants.people.agreements import list_agreements
from mandant.tenants.people.company import read_company
from mandant.tenants.people.invitations import invite, list_invitations
from mandant.tenants.people.members import list_members
from mandant.tenants.people.roles import Role
from mandant.tenants.people.tokens import create_token, list_tokens
from mandant.tenants.sealed_rows import RowsDone, person_rows, tenant_rows
from mandant.vault.category import Category
from mandant.vault.rotation import rotate
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_newcomer, an_address


async def resealed(run: AsyncIterator[RowsDone]) -> int:
    return sum([done.resealed async for done in run])


async def test_rotated_keys_reach_every_row_and_nothing_is_lost(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    await invite(people, owner.member, an_address(), Role.MEMBER, "Bookkeeper")
    await create_token(people, owner.member, "import", Role.MEMBER, 1)
    at = people.clock.now()
    tenant, person = owner.ids.tenant_id, owner.ids.person_id
    for category in (Category.REGISTRATION, Category.CONTRACT):
        scope = scope_id(tenant, ScopeKind.OPERATOR)
        state = await rotate(stack.control, stack.provider, scope, category, Purpose.SEAL, at)
        await stack.worker_data.pool.execute("SELECT mandant.applied($1, $2, $3)", tenant, state, at)
    scope = scope_id(person, ScopeKind.PERSON)
    state = await rotate(stack.control, stack.provider, scope, Category.REGISTRATION, Purpose.SEAL, at)
    await stack.worker_data.pool.execute("SELECT mandant.applied_person($1, $2, $3)", person, state, at)

    worker = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    try:
        for old in (6, 0):
            assert await resealed(tenant_rows(worker, people.keyring, tenant, reseal=True)) == old
        for old in (2, 0):
            assert await resealed(person_rows(worker, people.keyring, person, reseal=True)) == old
    finally:
        await worker.close()

    assert (await read_company(people, tenant)).company.name == "Muster AG"
    assert [one.profile.name for one in await list_members(people, owner.member)] == ["Anna Muster"]
    assert {one.evidence.email for one in await list_agreements(people, tenant)} == {owner.email}
    assert [one.invited.function for one in await list_invitations(people, owner.member)] == ["Bookkeeper"]
    assert [one.name for one in await list_tokens(people, owner.member)] == ["import"]
    await sign_in(people, owner.email, PASSWORD)
