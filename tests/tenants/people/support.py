"""Newcomers for the tests of this folder."""

from dataclasses import dataclass
from itertools import count

from mandant.tenants.people import (
    CurrentMember,
    CurrentPerson,
    People,
    Registered,
    Registration,
    current_member,
    current_person,
    register,
    sign_in,
)
from mandant.tenants.people.agreements import EDITIONS
from mandant.tenants.people.company import Company
from mandant.tenants.people.invitations import accept_as_newcomer, invite
from mandant.tenants.people.person import Profile
from mandant.tenants.people.roles import Role

PASSWORD = "correct horse battery"
_numbers = count(1)


def an_address() -> str:
    return f"person{next(_numbers)}@example.ch"


def a_registration(email: str, *, name: str = "Anna Muster", company: str = "Muster AG") -> Registration:
    return Registration(
        Profile(name, email, "de"),
        PASSWORD,
        Company(company, "muster.example", "CH", 12),
        "Director",
        dict(EDITIONS),
    )


@dataclass(frozen=True)
class Newcomer:
    """Somebody who has registered and signed in."""

    email: str
    ids: Registered
    token: str
    person: CurrentPerson
    member: CurrentMember


async def a_newcomer(people: People) -> Newcomer:
    email = an_address()
    ids = await register(people, a_registration(email))
    return await signed_in(people, email, ids)


async def signed_in(people: People, email: str, ids: Registered) -> Newcomer:
    token = (await sign_in(people, email, PASSWORD)).token
    person = await current_person(people, token)
    return Newcomer(email, ids, token, person, await current_member(people, token, ids.tenant_id))


async def a_colleague(people: People, of: Newcomer, role: Role = Role.MEMBER) -> Newcomer:
    """A new person in the tenant of `of`."""
    email = an_address()
    _, secret = await invite(people, of.member, email, role, "Bookkeeper")
    tenant_id, person_id = await accept_as_newcomer(people, secret, "Bruno Beispiel", PASSWORD)
    return await signed_in(people, email, Registered(tenant_id, person_id))
