"""C4.3: users are added, changed and removed; a leaving one's data goes without the company's."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from mandant.tenants.errors import Forbidden, NotFound
from mandant.tenants.people import Action, People, current_member, current_person, sign_in
from mandant.tenants.people.errors import AlreadyMember, InvitationOver, LastOwner, NotSignedIn
from mandant.tenants.people.invitations import (
    accept_as_newcomer,
    accept_as_person,
    invite,
    list_invitations,
    withdraw,
)
from mandant.tenants.people.leaving import ends_at
from mandant.tenants.people.listing import memberships_of
from mandant.tenants.people.members import change_member, list_members, remove_member
from mandant.tenants.people.roles import ALLOWED, Role
from mandant.tenants.people.tokens import create_token, revoke_token
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_colleague, a_newcomer, an_address, signed_in


async def the_end_of(stack: Stack, person_id: UUID) -> datetime | None:
    connection = await stack.connect("postgres")
    try:
        ends: datetime | None = await connection.fetchval(
            "SELECT ends_at FROM mandant.person WHERE person_id = $1", person_id
        )
        return ends
    finally:
        await connection.close()


async def test_a_colleague_is_invited_and_listed(people: People) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    listed = await list_members(people, colleague.member)
    assert [(one.profile.name, one.profile.email, one.role, one.function) for one in listed] == [
        ("Anna Muster", owner.email, Role.OWNER, "Director"),
        ("Bruno Beispiel", colleague.email, Role.MEMBER, "Bookkeeper"),
    ]


async def test_a_removed_member_is_out_at_the_next_request_and_stays_a_person(people: People) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    await remove_member(people, owner.member, colleague.ids.person_id)
    with pytest.raises(NotFound):
        await current_member(people, colleague.token, owner.ids.tenant_id)
    await current_person(people, colleague.token)
    assert [one.person_id for one in await list_members(people, owner.member)] == [owner.ids.person_id]


async def test_who_leaves_the_last_tenant_is_kept_three_months(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    assert await the_end_of(stack, colleague.ids.person_id) is None
    await remove_member(people, owner.member, colleague.ids.person_id)
    expected = ends_at(people.clock.now(), "Europe/Zurich")
    assert await the_end_of(stack, colleague.ids.person_id) == expected


async def test_who_belongs_to_another_tenant_has_no_end(people: People, stack: Stack) -> None:
    owner, other = await a_newcomer(people), await a_newcomer(people)
    _, secret = await invite(people, owner.member, other.email, Role.MEMBER)
    await accept_as_person(people, other.person, secret)
    assert {one.tenant_id for one in await memberships_of(people, other.ids.person_id)} == {
        owner.ids.tenant_id,
        other.ids.tenant_id,
    }
    await remove_member(people, owner.member, other.ids.person_id)
    assert await the_end_of(stack, other.ids.person_id) is None


async def test_who_comes_back_has_no_end_any_more(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    await remove_member(people, owner.member, colleague.ids.person_id)
    _, secret = await invite(people, owner.member, colleague.email, Role.ADMIN, "Head of accounts")
    await accept_as_person(people, colleague.person, secret)
    assert await the_end_of(stack, colleague.ids.person_id) is None
    again = await current_member(people, colleague.token, owner.ids.tenant_id)
    assert again.role is Role.ADMIN
    assert (await list_members(people, again))[-1].function == "Head of accounts"


@pytest.mark.parametrize(
    ("left", "zone", "ends"),
    [
        ("2026-11-30T12:00Z", "Europe/Zurich", "2027-02-28T23:00Z"),
        ("2026-11-30T23:30Z", "Europe/Zurich", "2027-03-01T23:00Z"),
        ("2027-11-30T12:00Z", "Europe/Zurich", "2028-02-29T23:00Z"),
        ("2026-01-15T12:00Z", "Europe/Zurich", "2026-04-15T22:00Z"),
    ],
)
def test_three_months_are_calendar_months_of_the_tenants_zone(left: str, zone: str, ends: str) -> None:
    assert ends_at(datetime.fromisoformat(left), zone) == datetime.fromisoformat(ends).astimezone(UTC)


async def test_the_last_owner_neither_leaves_nor_steps_down(people: People) -> None:
    owner = await a_newcomer(people)
    admin = await a_colleague(people, owner, Role.ADMIN)
    with pytest.raises(LastOwner):
        await remove_member(people, owner.member, owner.ids.person_id)
    with pytest.raises(LastOwner):
        await change_member(people, owner.member, owner.ids.person_id, role=Role.ADMIN)
    with pytest.raises(Forbidden):
        await remove_member(people, admin.member, owner.ids.person_id)


async def test_of_two_owners_who_leave_at_once_one_stays(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    second = await a_colleague(people, owner, Role.OWNER)
    gate, watcher = await stack.connect(), await stack.connect("postgres")
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    try:
        async with gate.transaction():
            await gate.execute("SELECT mandant.set_tenant($1)", owner.ids.tenant_id)
            await gate.execute("SELECT 1 FROM mandant.tenant FOR NO KEY UPDATE")
            leaving = asyncio.gather(
                remove_member(people, owner.member, owner.ids.person_id),
                remove_member(people, second.member, second.ids.person_id),
                return_exceptions=True,
            )
            while not leaving.done() and await watcher.fetchval(waiting) < 2:
                pass  # the question itself lets the others run
            assert not leaving.done(), "they do not wait for each other"
        answers = await leaving
    finally:
        await gate.close()
        await watcher.close()
    assert sorted(type(one).__name__ for one in answers) == ["LastOwner", "NoneType"]


async def test_roles_change_at_the_next_request(people: People) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    await change_member(people, owner.member, colleague.ids.person_id, role=Role.ADMIN)
    assert (await current_member(people, colleague.token, owner.ids.tenant_id)).role is Role.ADMIN


async def test_a_member_manages_nobody_and_an_admin_no_owners(people: People) -> None:
    owner = await a_newcomer(people)
    member = await a_colleague(people, owner)
    admin = await a_colleague(people, owner, Role.ADMIN)
    with pytest.raises(Forbidden):
        await invite(people, member.member, an_address(), Role.MEMBER)
    with pytest.raises(Forbidden):
        await change_member(people, member.member, member.ids.person_id, role=Role.OWNER)
    with pytest.raises(Forbidden):
        await remove_member(people, member.member, admin.ids.person_id)
    with pytest.raises(Forbidden):
        await invite(people, admin.member, an_address(), Role.OWNER)
    with pytest.raises(Forbidden):
        await change_member(people, admin.member, admin.ids.person_id, role=Role.OWNER)
    await remove_member(people, member.member, member.ids.person_id)


def test_each_role_may_what_the_one_below_may() -> None:
    assert ALLOWED[Role.MEMBER] < ALLOWED[Role.ADMIN] < ALLOWED[Role.OWNER] == frozenset(Action)


async def test_an_invitation_is_good_once(people: People) -> None:
    owner = await a_newcomer(people)
    _, secret = await invite(people, owner.member, an_address(), Role.MEMBER)
    answers = await asyncio.gather(
        *(accept_as_newcomer(people, secret, "Bruno", PASSWORD) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, tuple) for one in answers) == 1
    assert sum(isinstance(one, InvitationOver) for one in answers) == 2
    with pytest.raises(InvitationOver):
        await accept_as_newcomer(people, secret, "Bruno", PASSWORD)


async def test_an_invitation_is_good_for_seven_days(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    _, secret = await invite(people, owner.member, an_address(), Role.MEMBER)
    stack.clock.advance(timedelta(days=7))
    with pytest.raises(InvitationOver):
        await accept_as_newcomer(people, secret, "Bruno", PASSWORD)


async def test_an_invitation_is_for_its_address_only(people: People) -> None:
    owner, stranger = await a_newcomer(people), await a_newcomer(people)
    invited = await a_newcomer(people)
    _, secret = await invite(people, owner.member, invited.email, Role.MEMBER)
    with pytest.raises(InvitationOver):
        await accept_as_person(people, stranger.person, secret)
    with pytest.raises(InvitationOver):
        await accept_as_newcomer(people, secret, "Impostor", PASSWORD)
    assert await accept_as_person(people, invited.person, secret) == owner.ids.tenant_id


async def test_an_invitation_opens_its_tenant_only(people: People) -> None:
    owner, other = await a_newcomer(people), await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    with pytest.raises(NotFound):
        await current_member(people, colleague.token, other.ids.tenant_id)


async def test_a_second_invitation_ends_the_first(people: People) -> None:
    owner = await a_newcomer(people)
    email = an_address()
    _, first = await invite(people, owner.member, email, Role.MEMBER)
    _, second = await invite(people, owner.member, email, Role.ADMIN)
    assert len(await list_invitations(people, owner.member)) == 1
    with pytest.raises(InvitationOver):
        await accept_as_newcomer(people, first, "Bruno", PASSWORD)
    await accept_as_newcomer(people, second, "Bruno", PASSWORD)


async def test_a_withdrawn_invitation_is_over_and_only_ones_own_is_withdrawn(people: People) -> None:
    owner, other = await a_newcomer(people), await a_newcomer(people)
    made, secret = await invite(people, owner.member, an_address(), Role.MEMBER)
    with pytest.raises(NotFound):
        await withdraw(people, other.member, made.invitation_id)
    await withdraw(people, owner.member, made.invitation_id)
    with pytest.raises(InvitationOver):
        await accept_as_newcomer(people, secret, "Bruno", PASSWORD)


async def test_a_member_is_not_invited_again(people: People) -> None:
    owner = await a_newcomer(people)
    colleague = await a_colleague(people, owner)
    with pytest.raises(AlreadyMember):
        await invite(people, owner.member, colleague.email.upper(), Role.MEMBER)


async def test_a_token_ends_with_its_maker(people: People) -> None:
    owner = await a_newcomer(people)
    admin = await a_colleague(people, owner, Role.ADMIN)
    _, secret = await create_token(people, admin.member, "import", Role.ADMIN, 30)
    acting = await current_member(people, secret, owner.ids.tenant_id)
    assert (acting.role, acting.person_id) == (Role.ADMIN, admin.ids.person_id)
    await change_member(people, owner.member, admin.ids.person_id, role=Role.MEMBER)
    assert (await current_member(people, secret, owner.ids.tenant_id)).role is Role.MEMBER
    await remove_member(people, owner.member, admin.ids.person_id)
    with pytest.raises(NotSignedIn):
        await current_member(people, secret, owner.ids.tenant_id)


async def test_a_token_ends_with_its_day_and_with_its_revocation(people: People, stack: Stack) -> None:
    owner = await a_newcomer(people)
    _, short = await create_token(people, owner.member, "short", Role.MEMBER, 1)
    long, secret = await create_token(people, owner.member, "long", Role.MEMBER, 30)
    stack.clock.advance(timedelta(days=1))
    with pytest.raises(NotSignedIn):
        await current_member(people, short, owner.ids.tenant_id)
    await revoke_token(people, owner.member, long.token_id)
    with pytest.raises(NotSignedIn):
        await current_member(people, secret, owner.ids.tenant_id)


async def test_a_token_works_in_its_tenant_only_and_makes_no_tokens(people: People) -> None:
    owner = await a_newcomer(people)
    other = await a_newcomer(people)
    _, secret = await create_token(people, owner.member, "import", Role.ADMIN, 30)
    with pytest.raises(NotFound):
        await current_member(people, secret, other.ids.tenant_id)
    with pytest.raises(NotSignedIn):
        await current_person(people, secret)
    with pytest.raises(Forbidden):
        await create_token(
            people, await current_member(people, secret, owner.ids.tenant_id), "x", Role.MEMBER, 1
        )


async def test_a_token_makes_nobody_an_admin(people: People) -> None:
    owner = await a_newcomer(people)
    bruno = await a_colleague(people, owner)
    _, secret = await create_token(people, owner.member, "script", Role.ADMIN, 30)
    token = await current_member(people, secret, owner.ids.tenant_id)
    with pytest.raises(Forbidden):
        await invite(people, token, an_address(), Role.ADMIN)
    with pytest.raises(Forbidden):
        await change_member(people, token, bruno.member.person_id, role=Role.ADMIN)
    await invite(people, token, an_address(), Role.MEMBER)
    await change_member(people, token, bruno.member.person_id, function="Accountant")


async def test_a_token_has_no_higher_role_than_its_maker(people: People) -> None:
    owner = await a_newcomer(people)
    member = await a_colleague(people, owner)
    with pytest.raises(Forbidden):
        await create_token(people, member.member, "x", Role.ADMIN, 1)


async def test_a_person_in_two_tenants_has_a_role_in_each(people: People) -> None:
    owner, other = await a_newcomer(people), await a_newcomer(people)
    _, secret = await invite(people, owner.member, other.email, Role.MEMBER)
    await accept_as_person(people, other.person, secret)
    roles = [
        (await current_member(people, other.token, tenant_id)).role
        for tenant_id in (other.ids.tenant_id, owner.ids.tenant_id)
    ]
    assert roles == [Role.OWNER, Role.MEMBER]
    again = await signed_in(people, other.email, other.ids)
    assert again.person.person_id == (await sign_in(people, other.email, PASSWORD)).person_id
