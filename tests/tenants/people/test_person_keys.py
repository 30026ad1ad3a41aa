"""A person's row carries the last control fact, as a tenant's does; nobody reads it with older keys."""

import logging

import pytest

from mandant.tenants.errors import DataOlderThanControl
from mandant.tenants.people import People, register, sign_in
from mandant.tenants.people.errors import AddressTaken, SignInRefused
from mandant.tenants.people.person import read_person
from mandant.tenants.people.transaction import open_person
from mandant.vault.category import Category
from mandant.vault.errors import KeyShredded
from mandant.vault.rotation import rotate, shred
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_newcomer, a_registration, an_address


async def test_data_behind_control_is_refused_until_the_fact_is_applied(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    person, at = newcomer.ids.person_id, people.clock.now()
    scope = scope_id(person, ScopeKind.PERSON)
    state = await rotate(stack.control, stack.provider, scope, Category.REGISTRATION, Purpose.SEAL, at)
    stack.keyring.evict(scope)
    with pytest.raises(DataOlderThanControl):
        async with open_person(people.data, people.keyring, person):
            pass
    await stack.worker_data.pool.execute("SELECT mandant.applied_person($1, $2, $3)", person, state, at)
    async with open_person(people.data, people.keyring, person) as session:
        assert (await read_person(session)).profile.email == newcomer.email


async def test_a_shredded_person_is_gone_for_a_process_that_still_holds_the_keys(
    people: People, stack: Stack
) -> None:
    newcomer = await a_newcomer(people)
    person, at = newcomer.ids.person_id, people.clock.now()
    scope = scope_id(person, ScopeKind.PERSON)
    state = await shred(stack.worker_control, scope, Category.REGISTRATION, at)
    await stack.worker_data.pool.execute("SELECT mandant.applied_person($1, $2, $3)", person, state, at)
    with pytest.raises(KeyShredded):
        await sign_in(people, newcomer.email, PASSWORD)


async def test_a_known_address_costs_the_same_keys_as_an_unknown_one(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)

    async def scopes() -> int:
        count: int = await stack.control.pool.fetchval("SELECT count(*) FROM control.scope")
        return count

    before = await scopes()
    await register(people, a_registration(an_address()))
    unknown = await scopes() - before
    with pytest.raises(AddressTaken):
        await register(people, a_registration(newcomer.email))
    assert await scopes() - before - unknown == unknown


async def test_what_people_send_is_not_logged(people: People, caplog: pytest.LogCaptureFixture) -> None:
    canary = "kanarienvogel"
    with caplog.at_level(logging.DEBUG):
        wanted = a_registration(f"{canary}@example.ch", name=canary, company=canary)
        await register(people, wanted)
        made = await sign_in(people, f"{canary}@example.ch", PASSWORD)
        with pytest.raises(SignInRefused) as refused:
            await sign_in(people, f"{canary}@example.ch", f"{canary} wrong")
        with pytest.raises(AddressTaken) as taken:
            await register(people, wanted)
    shown = caplog.text + repr([wanted, wanted.profile, wanted.company, made, refused.value, taken.value])
    assert canary not in shown
    assert PASSWORD not in shown
    assert made.token not in shown
