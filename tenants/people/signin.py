"""Signing in and out. Nothing that is refused says whether the address is known. Source: C5.3, C11.

Known or not, an attempt computes one Argon2id hash, and a refusal takes at least
`People.refusal_seconds`, which hides what else differs: a known address opens keys and reads a row.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import msgspec

from mandant.tenants.errors import Invalid
from mandant.tenants.people.deployment import People
from mandant.tenants.people.directory import bound_id, find, kind_of, new_secret, take, term_of
from mandant.tenants.people.errors import SecondFactorNeeded, SignInRefused
from mandant.tenants.people.person import (
    Person,
    change_credentials,
    read_person,
)
from mandant.tenants.people.second_factor import tried
from mandant.tenants.people.sessions import SignedIn, begin_session, end_sessions
from mandant.tenants.people.transaction import open_person
from mandant.tenants.people.who import CurrentPerson
from mandant.tenants.session import transaction


async def sign_in(people: People, email: str, password: str, code: str | None = None) -> SignedIn:
    """A new session, 43 random characters behind `mds_`.

    Raises: SignInRefused, CodesWait; SecondFactorNeeded when only the code is missing; what Keyring.open
    raises.
    """
    async with _not_before(people.refusal_seconds):
        person = await _found(people, email)
        encoded = None if person is None else person.credentials.password_hash
        right = await people.passwords.matches(encoded, password)
        if person is None or not right:
            raise SignInRefused
        if person.credentials.totp is not None and code is None:
            raise SecondFactorNeeded
        return await _begin(people, await _rehashed(people, person, password), person, code)


async def sign_out(people: People, token: str) -> None:
    """End the session that `token` opens. One that is over is over."""
    if kind_of(token) == "session":
        term = await term_of(people.keyring, "session", token)
        async with transaction(people.data) as connection:
            await take(connection, term)


async def sign_out_everywhere(people: People, who: CurrentPerson) -> int:
    """End all sessions of the person, this one too. Returns how many."""
    async with open_person(people.data, people.keyring, who.person_id) as session:
        return await end_sessions(session)


async def change_password(people: People, who: CurrentPerson, old: str, new: str) -> None:
    """All other sessions end. Raises: Invalid when `old` is not right or `new` has a bad length."""
    person = await _read(people, who.person_id)
    if not await people.passwords.matches(person.credentials.password_hash, old):
        raise Invalid([("old_password", "not right")])
    hashed = await people.passwords.hash(new)
    async with open_person(people.data, people.keyring, who.person_id) as session:
        credentials = msgspec.structs.replace(person.credentials, password_hash=hashed)
        await change_credentials(session, person, credentials, people.clock.now())
        await end_sessions(session, but=who.session_id)


async def _found(people: People, email: str) -> Person | None:
    term = await term_of(people.keyring, "email", email)
    async with transaction(people.data) as connection:
        entry = await find(connection, term, people.clock.now())
    if entry is None or entry.person_id is None:
        return None
    return await _read(people, entry.person_id)


async def _read(people: People, person_id: UUID) -> Person:
    async with open_person(people.data, people.keyring, person_id) as session:
        return await read_person(session)


async def _rehashed(people: People, person: Person, password: str) -> str:
    """The password's hash at today's cost."""
    stored = person.credentials.password_hash
    return await people.passwords.hash(password) if people.passwords.outdated(stored) else stored


async def _begin(people: People, hashed: str, person: Person, code: str | None) -> SignedIn:
    at = people.clock.now()
    token = new_secret("session")
    term = await term_of(people.keyring, "session", token)
    session_id = await bound_id(
        people.keyring, "session", token, person.person_id, at + people.session_length
    )
    async with open_person(people.data, people.keyring, person.person_id) as session:
        now = await read_person(session, hold=True)
        if not now.credentials.asks_as(person.credentials):
            # Changed after they were compared: the sessions that began under the old ones have ended.
            raise SignInRefused
        credentials, right = msgspec.structs.replace(now.credentials, password_hash=hashed), True
        if credentials.totp is not None:
            credentials, right = tried(credentials, code or "", at)
        if credentials != now.credentials:
            await change_credentials(session, now, credentials, at)
        if right:
            return await begin_session(session, token, term, session_id, at, people.session_length)
    # Only now: the wrong code has been counted.
    raise SignInRefused


@asynccontextmanager
async def _not_before(seconds: float) -> AsyncIterator[None]:
    """A refusal inside the block leaves it no earlier than `seconds` after it began."""
    loop = asyncio.get_running_loop()
    earliest = loop.time() + seconds
    try:
        yield
    except (SignInRefused, SecondFactorNeeded):
        await asyncio.sleep(max(0.0, earliest - loop.time()))
        raise
