"""/me: a person's own profile, password and second factor. Source: C5.3, C11."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.params import JSONBody

from mandant.service.api.bodies import Body, Code, GivenPassword, Language, Name, Password, clean
from mandant.service.api.who import person_of
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.rate_limit import Limit
from mandant.service.runtime import runtime_of
from mandant.tenants.errors import Gone, NotFound
from mandant.tenants.people.company import read_company
from mandant.tenants.people.deployment import People
from mandant.tenants.people.listing import memberships_of
from mandant.tenants.people.person import change_profile, read_person
from mandant.tenants.people.second_factor import begin, confirm, switch_off
from mandant.tenants.people.signin import change_password
from mandant.tenants.people.transaction import open_person
from mandant.tenants.people.who import CurrentPerson

CODES = Limit("own-secrets", tries=10, seconds=300)


class BelongingBody(Body, frozen=True):
    """A tenant that the person belongs to. `company`: null once it has been purged."""

    tenant_id: UUID
    company: str | None
    role: str
    since: datetime


class MeBody(Body, frozen=True):
    """Whoever is signed in."""

    person_id: UUID
    name: str
    email: str
    language: str
    second_factor: bool
    tenants: list[BelongingBody]


class ProfileBody(Body, frozen=True):
    """What shall change."""

    name: Name | None = None
    language: Language | None = None


class PasswordBody(Body, frozen=True):
    """All other sessions end."""

    old_password: GivenPassword
    new_password: Password


class SecretBody(Body, frozen=True):
    """Show `address` as a QR code, or `secret` (base32) to type in."""

    secret: str
    address: str


class OnBody(Body, frozen=True):
    """Password, and the code that the app shows now."""

    password: GivenPassword
    code: Code


class OffBody(Body, frozen=True):
    """Password, and a code of the app or a recovery code."""

    password: GivenPassword
    code: Code


class RecoveryBody(Body, frozen=True):
    """Each opens a sign-in once. Shown this once."""

    recovery_codes: list[str]


@get("/me", summary="Who is signed in", operation_id="me_read")
async def me(request: MandantRequest) -> MeBody:
    """The person and the tenants that the person belongs to."""
    return await _me(runtime_of(request).people, await person_of(request))


@patch("/me", summary="Change name or language", operation_id="me_update")
async def change_me(request: MandantRequest, data: JSONBody[ProfileBody]) -> MeBody:
    """The address of sign-in stays as it is."""
    clean(data)
    people, who = runtime_of(request).people, await person_of(request)
    changes = {field: value for field in ("name", "language") if (value := getattr(data, field)) is not None}
    async with open_person(people.data, people.keyring, who.person_id) as session:
        person = await read_person(session)
        profile = msgspec.structs.replace(person.profile, **changes)
        await change_profile(session, person, profile, people.clock.now())
    return await _me(people, who)


@post("/me/password", status_code=204, summary="Change the password", operation_id="me_change_password")
async def change_my_password(request: MandantRequest, data: JSONBody[PasswordBody]) -> None:
    """Needs the old one."""
    who = await _limited(request)
    await change_password(runtime_of(request).people, who, data.old_password, data.new_password)


@post(
    "/me/second-factor",
    status_code=200,
    summary="Begin with a second factor",
    operation_id="second_factor_begin",
)
async def begin_second_factor(request: MandantRequest) -> SecretBody:
    """A secret for an authenticator app (TOTP). It is asked for once a code has confirmed it."""
    secret, address = await begin(runtime_of(request).people, await person_of(request))
    return SecretBody(secret=secret, address=address)


@post(
    "/me/second-factor/confirm",
    status_code=200,
    summary="Switch the second factor on",
    operation_id="second_factor_confirm",
)
async def confirm_second_factor(request: MandantRequest, data: JSONBody[OnBody]) -> RecoveryBody:
    """Needs the password. Ends the person's other sessions and gives the recovery codes."""
    who = await _limited(request)
    return RecoveryBody(
        recovery_codes=await confirm(runtime_of(request).people, who, data.password, data.code)
    )


@post(
    "/me/second-factor/off",
    status_code=204,
    summary="Switch the second factor off",
    operation_id="second_factor_off",
)
async def end_second_factor(request: MandantRequest, data: JSONBody[OffBody]) -> None:
    """Ends the person's other sessions."""
    who = await _limited(request)
    await switch_off(runtime_of(request).people, who, data.password, data.code)


async def _limited(request: MandantRequest) -> CurrentPerson:
    """Whoever has a session of somebody else's still guesses neither password nor code."""
    who = await person_of(request)
    await runtime_of(request).limiter.take(CODES.per("person", str(who.person_id)))
    return who


async def _me(people: People, who: CurrentPerson) -> MeBody:
    async with open_person(people.data, people.keyring, who.person_id) as session:
        person = await read_person(session)
    return MeBody(
        person_id=who.person_id,
        name=person.profile.name,
        email=person.profile.email,
        language=person.profile.language,
        second_factor=person.credentials.totp is not None,
        tenants=[
            BelongingBody(
                tenant_id=one.tenant_id,
                company=await _name(people, one.tenant_id),
                role=one.role,
                since=one.since,
            )
            for one in await memberships_of(people, who.person_id)
        ],
    )


async def _name(people: People, tenant_id: UUID) -> str | None:
    try:
        return (await read_company(people, tenant_id)).company.name
    except (Gone, NotFound):
        return None


HANDLERS = (
    me,
    change_me,
    change_my_password,
    begin_second_factor,
    confirm_second_factor,
    end_second_factor,
)
