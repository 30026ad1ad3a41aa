"""What somebody takes away while somebody else is about to use it: it stays taken away."""

import asyncio
from base64 import b32decode
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

import pytest

from mandant.tenants.errors import Forbidden, NotFound
from mandant.tenants.people import PasswordCost, Passwords, People, sign_in
from mandant.tenants.people.code_tries import FREE
from mandant.tenants.people.errors import CodesWait, PasswordsBusy, SignInRefused
from mandant.tenants.people.invitations import accept_as_person, invite
from mandant.tenants.people.members import change_member, list_members, remove_member
from mandant.tenants.people.membership import join
from mandant.tenants.people.roles import Role
from mandant.tenants.people.second_factor import STEP, begin, code_at, confirm
from mandant.tenants.people.signin import change_password
from mandant.tenants.people.tokens import create_token
from mandant.tenants.people.transaction import open_operator
from mandant.vault.stored import ScopeKind
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_colleague, a_newcomer, an_address


class Meanwhile:
    """Passwords with which something else happens after one was compared."""

    def __init__(self, passwords: Passwords, happens: Callable[[], Awaitable[object]]) -> None:
        self._passwords, self._happens = passwords, happens
        self.outdated = passwords.outdated

    async def matches(self, encoded: str | None, password: str) -> bool:
        right = await self._passwords.matches(encoded, password)
        await self._happens()
        return right


def with_meanwhile(people: People, happens: Callable[[], Awaitable[object]]) -> People:
    return replace(people, passwords=cast("Passwords", Meanwhile(people.passwords, happens)))


async def test_the_old_password_opens_no_session_that_outlives_its_change(people: People) -> None:
    anna = await a_newcomer(people)
    slow = with_meanwhile(people, lambda: change_password(people, anna.person, PASSWORD, "a new password 1"))
    with pytest.raises(SignInRefused):
        await sign_in(slow, anna.email, PASSWORD)


async def test_no_session_without_a_code_begins_once_the_second_factor_is_on(people: People) -> None:
    anna = await a_newcomer(people)
    secret, _ = await begin(people, anna.person)

    async def switch_on() -> None:
        step = int(people.clock.now().timestamp()) // STEP
        await confirm(people, anna.person, PASSWORD, code_at(b32decode(secret), step))

    with pytest.raises(SignInRefused):
        await sign_in(with_meanwhile(people, switch_on), anna.email, PASSWORD)


async def test_of_many_wrong_codes_at_once_each_is_counted(people: People) -> None:
    """Else whoever asks often enough at once tries many codes for the price of one."""
    anna = await a_newcomer(people)
    secret, _ = await begin(people, anna.person)
    step = int(people.clock.now().timestamp()) // STEP
    await confirm(people, anna.person, PASSWORD, code_at(b32decode(secret), step))
    together = asyncio.Barrier(FREE + 2)
    slow = with_meanwhile(people, together.wait)
    answers = await asyncio.gather(
        *(sign_in(slow, anna.email, PASSWORD, "AAAAAA") for _ in range(FREE + 2)), return_exceptions=True
    )
    assert sum(type(one) is SignInRefused for one in answers) == FREE
    assert sum(isinstance(one, CodesWait) for one in answers) == 2


async def test_what_an_admin_asked_for_is_not_done_once_the_admin_is_none(people: People) -> None:
    owner = await a_newcomer(people)
    bruno, carol = await a_colleague(people, owner, Role.ADMIN), await a_colleague(people, owner)
    carol_id = carol.member.person_id
    await change_member(people, owner.member, bruno.member.person_id, role=Role.MEMBER)
    for request in (  # bruno's requests were let in before
        invite(people, bruno.member, an_address(), Role.MEMBER),
        create_token(people, bruno.member, "backdoor", Role.ADMIN, 30),
        change_member(people, bruno.member, carol_id, function="nothing"),
        remove_member(people, bruno.member, carol_id),
    ):
        with pytest.raises(Forbidden):
            await request
    await remove_member(people, owner.member, bruno.member.person_id)
    with pytest.raises(NotFound):
        await remove_member(people, bruno.member, carol_id)
    assert carol_id in {one.person_id for one in await list_members(people, owner.member)}


async def test_a_demoted_member_still_leaves_with_a_request_from_before(people: People) -> None:
    owner = await a_newcomer(people)
    bruno = await a_colleague(people, owner, Role.ADMIN)
    await change_member(people, owner.member, bruno.member.person_id, role=Role.MEMBER)
    await remove_member(people, bruno.member, bruno.member.person_id)
    assert len(await list_members(people, owner.member)) == 1


async def test_a_token_made_while_its_maker_is_removed_does_not_come_back_with_the_member(
    people: People,
) -> None:
    owner = await a_newcomer(people)
    bruno = await a_colleague(people, owner, Role.ADMIN)
    await remove_member(people, owner.member, bruno.member.person_id)
    with pytest.raises(NotFound):  # bruno's request was let in before
        await create_token(people, bruno.member, "backdoor", Role.ADMIN, 30)


async def waits_for_a_lock(stack: Stack, call: "asyncio.Task[object]") -> None:
    admin = await stack.connect("postgres")
    waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    while not call.done() and await admin.fetchval(waiting) is None:  # noqa: ASYNC110 - of the server
        await asyncio.sleep(0.01)
    await admin.close()


async def end_of(stack: Stack, person_id: UUID) -> datetime | None:
    admin = await stack.connect("postgres")
    ends_at: datetime | None = await admin.fetchval(
        "SELECT ends_at FROM mandant.person WHERE person_id = $1", person_id
    )
    await admin.close()
    return ends_at


async def test_who_leaves_one_tenant_while_joining_another_has_no_end(people: People, stack: Stack) -> None:
    first, second = await a_newcomer(people), await a_newcomer(people)
    bruno = (await a_colleague(people, first)).member.person_id
    async with open_operator(people, second.member.tenant_id, write=True) as joining:
        await join(
            joining.connection,
            joining.keys(ScopeKind.OPERATOR),
            second.member.tenant_id,
            bruno,
            Role.MEMBER,
            "",
            people.clock.now(),
        )
        leaving = asyncio.create_task(remove_member(people, first.member, bruno), context=Context())
        await waits_for_a_lock(stack, cast("asyncio.Task[object]", leaving))
    await leaving
    assert await end_of(stack, bruno) is None


async def test_who_leaves_two_tenants_at_once_has_an_end(people: People, stack: Stack) -> None:
    first, second = await a_newcomer(people), await a_newcomer(people)
    bruno = await a_colleague(people, first)
    _, secret = await invite(people, second.member, bruno.email, Role.MEMBER)
    await accept_as_person(people, bruno.person, secret)
    person_id, at = bruno.member.person_id, people.clock.now()
    async with open_operator(people, first.member.tenant_id, write=True) as session:
        await session.connection.execute(
            "UPDATE mandant.membership SET ended_at = $2 WHERE person_id = $1", person_id, at
        )
        await session.connection.execute(
            "SELECT directory.left_tenant($1, $2, $3)", first.member.tenant_id, person_id, at
        )
        leaving = asyncio.create_task(remove_member(people, second.member, person_id), context=Context())
        await waits_for_a_lock(stack, cast("asyncio.Task[object]", leaving))
    await leaving
    assert await end_of(stack, person_id) is not None


async def test_more_sign_ins_than_can_be_served_are_refused_at_once() -> None:
    passwords = Passwords(PasswordCost(2, 19 << 20), lanes=1, queue=3)
    tries = [asyncio.create_task(passwords.matches(None, "a password")) for _ in range(5)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool, bool, bool, PasswordsBusy, PasswordsBusy]
    assert not await passwords.matches(None, "a password")
    passwords.close()
