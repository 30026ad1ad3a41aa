"""C11: every user can switch on a second factor at any time."""

import asyncio
from base64 import b32decode
from datetime import UTC, datetime, timedelta

import pytest

from mandant.tenants.errors import Invalid
from mandant.tenants.people import People, SignedIn, current_person, sign_in
from mandant.tenants.people.code_tries import FREE, wait_after
from mandant.tenants.people.errors import (
    CodesWait,
    NotSignedIn,
    SecondFactorNeeded,
    SecondFactorState,
    SignInRefused,
)
from mandant.tenants.people.second_factor import STEP, begin, code_at, confirm, switch_off
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, Newcomer, a_newcomer


def the_code(secret: bytes, at: datetime, steps: int = 0) -> str:
    return code_at(secret, int(at.timestamp()) // STEP + steps)


async def switched_on(people: People) -> tuple[Newcomer, bytes, list[str]]:
    newcomer = await a_newcomer(people)
    secret = b32decode((await begin(people, newcomer.person))[0])
    codes = await confirm(people, newcomer.person, PASSWORD, the_code(secret, people.clock.now()))
    return newcomer, secret, codes


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    assert the_code(b"12345678901234567890", datetime.fromtimestamp(seconds, UTC)) == code


async def test_from_then_on_a_code_is_asked_for(people: People, stack: Stack) -> None:
    newcomer, secret, _ = await switched_on(people)
    with pytest.raises(SecondFactorNeeded):
        await sign_in(people, newcomer.email, PASSWORD)
    stack.clock.advance(timedelta(seconds=STEP))
    await sign_in(people, newcomer.email, PASSWORD, the_code(secret, stack.clock.now()))


async def test_a_wrong_password_is_refused_before_the_code_is_asked_for(people: People) -> None:
    newcomer, _, _ = await switched_on(people)
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, "not the password")


async def test_a_code_is_good_once(people: People, stack: Stack) -> None:
    newcomer, secret, _ = await switched_on(people)
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, PASSWORD, the_code(secret, stack.clock.now()))
    stack.clock.advance(timedelta(seconds=STEP))
    code = the_code(secret, stack.clock.now())
    await sign_in(people, newcomer.email, PASSWORD, code)
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, PASSWORD, code)


async def test_of_two_sign_ins_at_once_with_one_code_one_is_let_in(people: People, stack: Stack) -> None:
    newcomer, secret, _ = await switched_on(people)
    stack.clock.advance(timedelta(seconds=STEP))
    code = the_code(secret, stack.clock.now())
    answers = await asyncio.gather(
        *(sign_in(people, newcomer.email, PASSWORD, code) for _ in range(3)), return_exceptions=True
    )
    assert sum(isinstance(one, SignedIn) for one in answers) == 1
    assert sum(isinstance(one, SignInRefused) for one in answers) == 2


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_clocks_may_differ_by_one_step(people: People, stack: Stack, steps: int) -> None:
    newcomer, secret, _ = await switched_on(people)
    stack.clock.advance(timedelta(seconds=5 * STEP))
    await sign_in(people, newcomer.email, PASSWORD, the_code(secret, stack.clock.now(), steps))


@pytest.mark.parametrize("steps", [-2, 2])
async def test_and_by_no_more(people: People, stack: Stack, steps: int) -> None:
    newcomer, secret, _ = await switched_on(people)
    stack.clock.advance(timedelta(seconds=5 * STEP))
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, PASSWORD, the_code(secret, stack.clock.now(), steps))


async def test_a_recovery_code_is_good_once_however_it_is_typed(people: People) -> None:
    newcomer, _, codes = await switched_on(people)
    assert len(set(codes)) == 10
    await sign_in(people, newcomer.email, PASSWORD, codes[3].lower().replace("-", " "))
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, PASSWORD, codes[3])
    await sign_in(people, newcomer.email, PASSWORD, codes[4])


async def test_a_secret_that_no_code_confirmed_is_not_asked_for(people: People) -> None:
    newcomer = await a_newcomer(people)
    await begin(people, newcomer.person)
    with pytest.raises(Invalid):
        await confirm(people, newcomer.person, PASSWORD, "000000")
    await sign_in(people, newcomer.email, PASSWORD)


async def test_a_stolen_session_alone_does_not_switch_it_on(people: People) -> None:
    """Else its thief would lock the owner out, who has no code."""
    newcomer = await a_newcomer(people)
    secret = b32decode((await begin(people, newcomer.person))[0])
    right = the_code(secret, people.clock.now())
    answers = []
    for password, code in (("not the password", right), (PASSWORD, "000000")):
        with pytest.raises(Invalid) as refused:
            await confirm(people, newcomer.person, password, code)
        answers.append(refused.value.problems)
    assert answers[0] == answers[1]
    await sign_in(people, newcomer.email, PASSWORD)
    await confirm(people, newcomer.person, PASSWORD, right)


async def test_switching_it_on_ends_the_other_sessions(people: People) -> None:
    newcomer = await a_newcomer(people)
    other = (await sign_in(people, newcomer.email, PASSWORD)).token
    secret = b32decode((await begin(people, newcomer.person))[0])
    await confirm(people, newcomer.person, PASSWORD, the_code(secret, people.clock.now()))
    await current_person(people, newcomer.token)
    with pytest.raises(NotSignedIn):
        await current_person(people, other)


async def test_switching_it_off_needs_password_and_code(people: People, stack: Stack) -> None:
    newcomer, secret, _ = await switched_on(people)
    stack.clock.advance(timedelta(seconds=STEP))
    code = the_code(secret, stack.clock.now())
    for password, typed in (("not the password", code), (PASSWORD, "000000")):
        with pytest.raises(Invalid):
            await switch_off(people, newcomer.person, password, typed)
    await switch_off(people, newcomer.person, PASSWORD, code)
    await sign_in(people, newcomer.email, PASSWORD)
    with pytest.raises(SecondFactorState):
        await switch_off(people, newcomer.person, PASSWORD, code)


async def test_while_it_is_on_it_cannot_be_begun_again(people: People) -> None:
    newcomer, _, _ = await switched_on(people)
    with pytest.raises(SecondFactorState):
        await begin(people, newcomer.person)


WRONG = "AAAAAA"  # no app shows letters


async def after_wrong_codes(people: People, email: str, how_many: int) -> None:
    for _ in range(how_many):
        with pytest.raises(SignInRefused) as refused:
            await sign_in(people, email, PASSWORD, WRONG)
        assert not isinstance(refused.value, CodesWait)


async def test_after_some_wrong_codes_not_even_the_right_one_is_looked_at(
    people: People, stack: Stack
) -> None:
    newcomer, secret, codes = await switched_on(people)
    stack.clock.advance(timedelta(seconds=2 * STEP))
    await after_wrong_codes(people, newcomer.email, FREE)
    for code in (the_code(secret, stack.clock.now()), codes[0]):
        with pytest.raises(CodesWait) as waits:
            await sign_in(people, newcomer.email, PASSWORD, code)
        assert waits.value.retry_after == 30
        assert str(waits.value) == str(SignInRefused())
    stack.clock.advance(timedelta(seconds=30))
    await sign_in(people, newcomer.email, PASSWORD, the_code(secret, stack.clock.now()))


async def test_each_more_wrong_code_doubles_the_wait_and_a_right_one_ends_the_count(
    people: People, stack: Stack
) -> None:
    newcomer, _, codes = await switched_on(people)
    await after_wrong_codes(people, newcomer.email, FREE)
    for seconds in (30, 60, 120, 240):
        with pytest.raises(CodesWait) as waits:
            await sign_in(people, newcomer.email, PASSWORD, WRONG)
        assert waits.value.retry_after == seconds
        stack.clock.advance(timedelta(seconds=seconds))
        await after_wrong_codes(people, newcomer.email, 1)
    stack.clock.advance(timedelta(hours=1))
    await sign_in(people, newcomer.email, PASSWORD, codes[0])
    await after_wrong_codes(people, newcomer.email, FREE)


def test_nobody_waits_longer_than_an_hour() -> None:
    waits = [wait_after(wrong) for wrong in range(1, 10**4)]
    assert waits == sorted(waits)
    assert waits[-1] == timedelta(hours=1)


async def test_who_does_not_have_the_password_makes_nobody_wait(people: People) -> None:
    newcomer, _, codes = await switched_on(people)
    for _ in range(FREE + 1):
        with pytest.raises(SignInRefused):
            await sign_in(people, newcomer.email, "not the password", WRONG)
    await sign_in(people, newcomer.email, PASSWORD, codes[0])


async def test_codes_that_switch_it_off_are_counted_with_them(people: People) -> None:
    newcomer, _, codes = await switched_on(people)
    for _ in range(FREE):
        with pytest.raises(Invalid):
            await switch_off(people, newcomer.person, PASSWORD, WRONG)
    with pytest.raises(CodesWait):
        await switch_off(people, newcomer.person, PASSWORD, codes[0])
    with pytest.raises(CodesWait):
        await sign_in(people, newcomer.email, PASSWORD, codes[0])
