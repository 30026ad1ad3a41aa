"""Sessions on the server; refusals that say nothing."""

from datetime import timedelta

import pytest

from mandant.tenants.errors import Invalid, NotFound
from mandant.tenants.people import People, current_member, current_person, sign_in, sign_out
from mandant.tenants.people.directory import sweep
from mandant.tenants.people.errors import NotSignedIn, SignInRefused
from mandant.tenants.people.passwords import PasswordCost, Passwords
from mandant.tenants.people.signin import change_password, sign_out_everywhere
from tests.stack import Stack
from tests.tenants.people.support import PASSWORD, a_newcomer, an_address


class CountingPasswords(Passwords):
    """Counts the hashes that are computed."""

    count = 0

    async def matches(self, encoded: str | None, password: str) -> bool:
        self.count += 1
        return await super().matches(encoded, password)

    async def hash(self, password: str) -> str:
        self.count += 1
        return await super().hash(password)


async def test_unknown_address_and_wrong_password_do_the_same_work_and_say_the_same(people: People) -> None:
    newcomer = await a_newcomer(people)
    counting = CountingPasswords(people.passwords.cost)
    watched = People(
        people.data,
        people.control,
        people.keyring,
        people.provider,
        people.clock,
        counting,
        refusal_seconds=0.0,
    )
    words = []
    for email in (newcomer.email, an_address()):
        counting.count = 0
        with pytest.raises(SignInRefused) as refused:
            await sign_in(watched, email, "not the password")
        words.append((str(refused.value), counting.count))
    assert words[0] == words[1]
    assert words[0][1] == 1


async def test_the_hash_that_stands_for_nobody_matches_nothing(people: People) -> None:
    assert await people.passwords.matches(None, "") is False


async def test_a_session_ends_when_it_is_signed_out(people: People) -> None:
    newcomer = await a_newcomer(people)
    await sign_out(people, newcomer.token)
    with pytest.raises(NotSignedIn):
        await current_person(people, newcomer.token)
    await sign_out(people, newcomer.token)


async def test_a_session_ends_after_half_an_hour_that_nobody_uses_it(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    for _ in range(3):
        stack.clock.advance(timedelta(minutes=29))
        await current_person(people, newcomer.token)
    stack.clock.advance(timedelta(minutes=31))
    with pytest.raises(NotSignedIn):
        await current_person(people, newcomer.token)


async def test_a_session_ends_after_twelve_hours_however_busy(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    for _ in range(47):
        stack.clock.advance(timedelta(minutes=15))
        await current_person(people, newcomer.token)
    stack.clock.advance(timedelta(minutes=15))
    with pytest.raises(NotSignedIn):
        await current_person(people, newcomer.token)


async def test_a_busy_session_is_not_written_to_at_every_request(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    connection = await stack.connect("postgres")
    try:
        row = "SELECT ctid::text FROM directory.entry WHERE kind = 'session' AND person_id = $1"
        before = await connection.fetchval(row, newcomer.ids.person_id)
        stack.clock.advance(timedelta(minutes=4))
        await current_member(people, newcomer.token, newcomer.ids.tenant_id)
        assert await connection.fetchval(row, newcomer.ids.person_id) == before
        stack.clock.advance(timedelta(minutes=2))
        await current_member(people, newcomer.token, newcomer.ids.tenant_id)
        assert await connection.fetchval(row, newcomer.ids.person_id) != before
    finally:
        await connection.close()


@pytest.mark.parametrize(
    "forged", ["", "mds_", "mds_" + "A" * 43, "mdt_" + "A" * 43, "mdi_" + "A" * 43, "x" * 5000]
)
async def test_a_forged_secret_opens_nothing(people: People, forged: str) -> None:
    newcomer = await a_newcomer(people)
    with pytest.raises(NotSignedIn):
        await current_member(people, forged, newcomer.ids.tenant_id)
    with pytest.raises(NotSignedIn):
        await current_person(people, forged)


async def test_a_stolen_directory_row_opens_nothing(people: People, stack: Stack) -> None:
    newcomer = await a_newcomer(people)
    connection = await stack.connect("postgres")
    try:
        term = await connection.fetchval(
            "SELECT encode(term, 'base64') FROM directory.entry WHERE kind = 'session' AND person_id = $1",
            newcomer.ids.person_id,
        )
    finally:
        await connection.close()
    assert term not in newcomer.token
    with pytest.raises(NotSignedIn):
        await current_person(people, "mds_" + term.ljust(43, "A"))


async def test_another_tenant_and_an_unknown_one_look_the_same(people: People, stack: Stack) -> None:
    one, other = await a_newcomer(people), await a_newcomer(people)
    for tenant_id in (other.ids.tenant_id, one.ids.person_id):
        with pytest.raises(NotFound):
            await current_member(people, one.token, tenant_id)


async def test_what_is_over_is_swept_and_what_is_not_stays(people: People, stack: Stack) -> None:
    old = await a_newcomer(people)
    stack.clock.advance(timedelta(hours=12))
    new = await a_newcomer(people)
    worker = await stack.connect("mandant_worker")
    try:
        assert await sweep(worker, stack.clock.now()) >= 1
        assert await sweep(worker, stack.clock.now()) == 0
    finally:
        await worker.close()
    await current_person(people, new.token)
    assert (await sign_in(people, old.email, PASSWORD)).person_id == old.ids.person_id


async def test_signing_out_everywhere_ends_every_session(people: People) -> None:
    newcomer = await a_newcomer(people)
    second = (await sign_in(people, newcomer.email, PASSWORD)).token
    assert await sign_out_everywhere(people, newcomer.person) == 2
    for token in (newcomer.token, second):
        with pytest.raises(NotSignedIn):
            await current_person(people, token)


async def test_a_new_password_ends_the_other_sessions_and_the_old_password(people: People) -> None:
    newcomer = await a_newcomer(people)
    second = (await sign_in(people, newcomer.email, PASSWORD)).token

    await change_password(people, newcomer.person, PASSWORD, "another long password")

    await current_person(people, newcomer.token)
    with pytest.raises(NotSignedIn):
        await current_person(people, second)
    with pytest.raises(SignInRefused):
        await sign_in(people, newcomer.email, PASSWORD)
    await sign_in(people, newcomer.email, "another long password")


async def test_the_old_password_is_asked_for_and_the_new_one_is_long_enough(people: People) -> None:
    newcomer = await a_newcomer(people)
    with pytest.raises(Invalid):
        await change_password(people, newcomer.person, "not the password", "another long password")
    with pytest.raises(Invalid):
        await change_password(people, newcomer.person, PASSWORD, "short")


async def test_a_hash_of_another_cost_is_made_anew_at_sign_in(people: People) -> None:
    newcomer = await a_newcomer(people)
    dearer = Passwords(PasswordCost(3, 19 << 20))
    changed = People(people.data, people.control, people.keyring, people.provider, people.clock, dearer)
    counting = CountingPasswords(dearer.cost)
    await sign_in(changed, newcomer.email, PASSWORD)
    again = People(people.data, people.control, people.keyring, people.provider, people.clock, counting)
    await sign_in(again, newcomer.email, PASSWORD)
    assert counting.count == 1


@pytest.mark.parametrize(("passes", "memory"), [(1, 64 << 20), (2, 8 << 20)])
def test_a_cost_below_owasps_is_refused(passes: int, memory: int) -> None:
    with pytest.raises(ValueError, match="at least"):
        PasswordCost(passes, memory)
