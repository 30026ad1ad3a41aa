"""A database administrator who writes into the rows that say who may: nobody gets in by it. Promise 1.

Each row is bound by a key that the database does not have; what was changed is an incident, not a refusal.
"""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from mandant.tenants.people import People, current_member, current_person
from mandant.tenants.people.invitations import accept_as_newcomer, invite
from mandant.tenants.people.roles import Role
from mandant.tenants.people.tokens import create_token
from mandant.vault.errors import Unopenable
from tests.stack import Stack
from tests.tenants.people.support import a_colleague, a_newcomer, an_address


@pytest.fixture
async def admin(stack: Stack) -> AsyncIterator[Any]:
    connection = await stack.connect("postgres")
    yield connection
    await connection.close()


async def test_a_membership_that_was_written_in_opens_nothing(people: People, admin: Any) -> None:
    victim, eve = await a_newcomer(people), await a_newcomer(people)
    await admin.execute(
        "INSERT INTO mandant.membership (tenant_id, person_id, role, version, sealed, created_at, updated_at)"
        " SELECT $1, person_id, 'owner', version, sealed, created_at, updated_at FROM mandant.membership"
        " WHERE person_id = $2",
        victim.ids.tenant_id,
        eve.ids.person_id,
    )
    with pytest.raises(Unopenable):
        await current_member(people, eve.token, victim.ids.tenant_id)


async def test_a_role_that_was_raised_is_noticed(people: People, admin: Any) -> None:
    owner = await a_newcomer(people)
    bruno = await a_colleague(people, owner)
    await admin.execute(
        "UPDATE mandant.membership SET role = 'owner' WHERE person_id = $1", bruno.ids.person_id
    )
    with pytest.raises(Unopenable):
        await current_member(people, bruno.token, owner.ids.tenant_id)


@pytest.mark.parametrize("change", ["person_id = $2", "expires_at = expires_at + interval '1 year'"])
async def test_a_session_is_its_persons_until_its_end(people: People, admin: Any, change: str) -> None:
    victim, eve = await a_newcomer(people), await a_newcomer(people)
    statement = f"UPDATE directory.entry SET {change} WHERE kind = 'session' AND entry_id = $1"
    values = (eve.person.session_id, victim.ids.person_id) if "$2" in change else (eve.person.session_id,)
    assert await admin.execute(statement, *values) == "UPDATE 1"
    with pytest.raises(Unopenable):
        await current_person(people, eve.token)
    with pytest.raises(Unopenable):
        await current_member(people, eve.token, victim.ids.tenant_id)


async def test_a_tokens_limit_that_was_raised_is_noticed(people: People, admin: Any) -> None:
    owner = await a_newcomer(people)
    token, secret = await create_token(people, owner.member, "script", Role.MEMBER, 30)
    assert (await current_member(people, secret, owner.ids.tenant_id)).role is Role.MEMBER
    await admin.execute("UPDATE mandant.api_token SET role = 'admin' WHERE token_id = $1", token.token_id)
    with pytest.raises(Unopenable):
        await current_member(people, secret, owner.ids.tenant_id)


async def test_an_invitations_role_that_was_raised_is_noticed(people: People, admin: Any) -> None:
    owner = await a_newcomer(people)
    made, secret = await invite(people, owner.member, an_address(), Role.MEMBER)
    await admin.execute(
        "UPDATE mandant.invitation SET role = 'owner' WHERE invitation_id = $1", made.invitation_id
    )
    with pytest.raises(Unopenable):
        await accept_as_newcomer(people, secret, "Eve", "correct horse battery")
