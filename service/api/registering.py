"""POST /register, /sign-in, /sign-out: the addresses that work before anybody is known. Source: C4.2."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from litestar import get, post
from litestar.params import JSONBody
from msgspec import Meta

from mandant.service.api.bodies import (
    Body,
    Code,
    Country,
    Domain,
    Email,
    Function,
    GivenPassword,
    HeadCount,
    Language,
    Name,
    Password,
    TimeZone,
    clean,
)
from mandant.service.api.who import person_of, secret_of
from mandant.service.edge.address import network_of
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.rate_limit import Limit
from mandant.service.runtime import runtime_of
from mandant.tenants.people.agreements import EDITIONS
from mandant.tenants.people.company import Company
from mandant.tenants.people.errors import AddressTaken
from mandant.tenants.people.person import Profile
from mandant.tenants.people.registration import Registration, register
from mandant.tenants.people.signin import sign_in, sign_out, sign_out_everywhere
from mandant.vault import normalise

REGISTRATIONS = Limit("register", tries=20, seconds=3600)


Terms = Annotated[str, Meta(max_length=40, extra_json_schema={"enum": [EDITIONS["terms"]]})]
Dpa = Annotated[str, Meta(max_length=40, extra_json_schema={"enum": [EDITIONS["dpa"]]})]


class CompanyBody(Body, frozen=True):
    """The company."""

    name: Name
    domain: Domain
    country: Country
    head_count: HeadCount | None = None
    time_zone: TimeZone = "Europe/Zurich"

    def company(self) -> Company:
        """As tenants/ knows it."""
        return Company(self.name.strip(), self.domain.lower(), self.country, self.head_count, self.time_zone)


class Accepted(Body, frozen=True):
    """The edition of each document that is accepted: those that GET /agreements names."""

    terms: Terms
    dpa: Dpa


class RegisterBody(Body, frozen=True):
    """A user and a company."""

    name: Name
    email: Email
    password: Password
    company: CompanyBody
    accepts: Accepted
    language: Language = "de"
    function: Function = ""


class RegisteredBody(Body, frozen=True):
    """The same whether the address was known or not."""

    next: str = "Sign in with the address and the password."


class SignInBody(Body, frozen=True):
    """`code`: of the app, or a recovery code, once the second factor is on."""

    email: Email
    password: GivenPassword
    code: Code | None = None


class SessionBody(Body, frozen=True):
    """Send the token as `Authorization: Bearer <token>`.

    It ends at `expires_at`, and when half an hour goes by without a request.
    """

    token: str
    person_id: UUID
    expires_at: datetime


class EditionsBody(Body, frozen=True):
    """The editions in force: terms (AGB) and data-processing agreement (AVV)."""

    terms: Terms
    dpa: Dpa


@get(
    "/agreements",
    summary="Editions in force",
    sync_to_thread=False,
    operation_id="agreements_current",
    opt={"public": True},
)
def editions() -> EditionsBody:
    """What a registration has to accept."""
    return EditionsBody(terms=EDITIONS["terms"], dpa=EDITIONS["dpa"])


@post(
    "/register",
    status_code=202,
    summary="Register a user with a company",
    operation_id="register",
    opt={"public": True},
)
async def register_company(request: MandantRequest, data: JSONBody[RegisterBody]) -> RegisteredBody:
    """Makes a person, a tenant, and the person its owner. Says the same when the address has a sign-in
    already: then nothing is made, and its person signs in and makes the tenant with POST /tenants."""
    clean(data)
    runtime = runtime_of(request)
    await runtime.limiter.take(REGISTRATIONS.per("address", network(request)))
    profile = Profile(data.name.strip(), data.email.strip(), data.language)
    accepts = {"terms": data.accepts.terms, "dpa": data.accepts.dpa}
    wanted = Registration(profile, data.password, data.company.company(), data.function, accepts)  # type: ignore[arg-type]
    try:
        await register(runtime.people, wanted)
    except AddressTaken:
        return RegisteredBody()
    return RegisteredBody()


@post("/sign-in", status_code=200, summary="Sign in", operation_id="sign_in", opt={"public": True})
async def begin_session(request: MandantRequest, data: JSONBody[SignInBody]) -> SessionBody:
    """A new session. Refusals do not say what was wrong; tries are limited per address."""
    runtime = runtime_of(request)
    limit = Limit("sign-in", runtime.settings.sign_in_attempts, runtime.settings.sign_in_window)
    # A whole office signs in from one network.
    from_network = Limit("sign-in", 10 * limit.tries, limit.seconds)
    await runtime.limiter.take(
        limit.per("email", normalise.email(data.email)), from_network.per("address", network(request))
    )
    made = await sign_in(runtime.people, data.email, data.password, data.code)
    return SessionBody(token=made.token, person_id=made.person_id, expires_at=made.expires_at)


@post("/sign-out", status_code=204, summary="Sign out", operation_id="sign_out")
async def end_session(request: MandantRequest) -> None:
    """Ends the session that the request was sent with."""
    await person_of(request)
    await sign_out(runtime_of(request).people, secret_of(request))


@post(
    "/sign-out/everywhere", status_code=204, summary="Sign out everywhere", operation_id="sign_out_everywhere"
)
async def end_all_sessions(request: MandantRequest) -> None:
    """Ends every session of the person, this one too."""
    await sign_out_everywhere(runtime_of(request).people, await person_of(request))


def network(request: MandantRequest) -> str | None:
    """Where the request comes from, to limit tries."""
    return network_of(request, runtime_of(request).settings.proxies)


HANDLERS = (editions, register_company, begin_session, end_session, end_all_sessions)
