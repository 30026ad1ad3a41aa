"""/tenants: the company's data and the agreements it accepted. Source: C4.2, C5.3."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec
from litestar import get, patch, post
from litestar.params import FromPath, JSONBody

from mandant.service.api.bodies import (
    Body,
    Country,
    Domain,
    Function,
    HeadCount,
    Name,
    TimeZone,
    Version,
    clean,
)
from mandant.service.api.registering import REGISTRATIONS, Accepted, CompanyBody
from mandant.service.api.who import member_of, person_of
from mandant.service.edge.body import MandantRequest
from mandant.service.runtime import runtime_of
from mandant.tenants.people.agreements import accept, list_agreements
from mandant.tenants.people.company import StoredCompany, change_company, read_company
from mandant.tenants.people.registration import NewTenant, create_tenant_for
from mandant.tenants.people.roles import Action


class TenantBody(Body, frozen=True):
    """A tenant as its members see it."""

    tenant_id: UUID
    state: str
    version: int
    name: str
    domain: str
    country: str
    head_count: int | None
    time_zone: str
    created_at: datetime
    updated_at: datetime


class NewTenantBody(Body, frozen=True):
    """Another company of the person who is signed in."""

    company: CompanyBody
    accepts: Accepted
    function: Function = ""


class MadeBody(Body, frozen=True):
    """The new tenant."""

    tenant_id: UUID


class ChangeBody(Body, frozen=True):
    """What shall change, and the version that was read."""

    version: Version
    name: Name | None = None
    domain: Domain | None = None
    country: Country | None = None
    head_count: HeadCount | None = None
    time_zone: TimeZone | None = None


class AgreementBody(Body, frozen=True):
    """One acceptance. `name`, `email`: of who accepted, as of that day."""

    kind: str
    edition: str
    accepted_by: UUID
    accepted_at: datetime
    name: str
    email: str


@post("/tenants", summary="Make another tenant", operation_id="tenants_create")
async def make_tenant(request: MandantRequest, data: JSONBody[NewTenantBody]) -> MadeBody:
    """The person who is signed in becomes its owner."""
    clean(data)
    who = await person_of(request)
    await runtime_of(request).limiter.take(REGISTRATIONS.per("person", str(who.person_id)))
    accepts = {"terms": data.accepts.terms, "dpa": data.accepts.dpa}
    wanted = NewTenant(data.company.company(), data.function, accepts)  # type: ignore[arg-type]
    return MadeBody(tenant_id=await create_tenant_for(runtime_of(request).people, who.person_id, wanted))


@get("/tenants/{tenant_id:uuid}", summary="Read the company's data", operation_id="tenants_read")
async def read_tenant(request: MandantRequest, tenant_id: FromPath[UUID]) -> TenantBody:
    """And its version, which a change must name."""
    await member_of(request, tenant_id, Action.SEE_MEMBERS)
    return _shown(await read_company(runtime_of(request).people, tenant_id))


@patch("/tenants/{tenant_id:uuid}", summary="Change the company's data", operation_id="tenants_update")
async def change_tenant(
    request: MandantRequest, tenant_id: FromPath[UUID], data: JSONBody[ChangeBody]
) -> TenantBody:
    """Refused with 409 where somebody changed it after `version` was read."""
    clean(data)
    await member_of(request, tenant_id, Action.MANAGE_COMPANY)
    people = runtime_of(request).people
    stored = await read_company(people, tenant_id)
    fields = ("name", "domain", "country", "head_count", "time_zone")
    changes = {field: value for field in fields if (value := getattr(data, field)) is not None}
    company = msgspec.structs.replace(stored.company, **changes)
    return _shown(await change_company(people, tenant_id, data.version, company))


@get(
    "/tenants/{tenant_id:uuid}/agreements",
    summary="Agreements that were accepted",
    operation_id="agreements_list",
)
async def agreements(request: MandantRequest, tenant_id: FromPath[UUID]) -> list[AgreementBody]:
    """Newest first."""
    await member_of(request, tenant_id, Action.MANAGE_COMPANY)
    return [
        AgreementBody(
            kind=one.kind,
            edition=one.edition,
            accepted_by=one.accepted_by,
            accepted_at=one.accepted_at,
            name=one.evidence.name,
            email=one.evidence.email,
        )
        for one in await list_agreements(runtime_of(request).people, tenant_id)
    ]


@post(
    "/tenants/{tenant_id:uuid}/agreements",
    status_code=204,
    summary="Accept new editions",
    operation_id="agreements_accept",
)
async def accept_agreements(
    request: MandantRequest, tenant_id: FromPath[UUID], data: JSONBody[Accepted]
) -> None:
    """An edition that was accepted before stays as it is."""
    member = await member_of(request, tenant_id, Action.ACCEPT_AGREEMENTS)
    accepts = {"terms": data.terms, "dpa": data.dpa}
    await accept(runtime_of(request).people, tenant_id, member.person_id, accepts)  # type: ignore[arg-type]


def _shown(stored: StoredCompany) -> TenantBody:
    return TenantBody(
        tenant_id=stored.tenant_id,
        state=stored.state,
        version=stored.version,
        created_at=stored.created_at,
        updated_at=stored.updated_at,
        **msgspec.structs.asdict(stored.company),
    )


HANDLERS = (make_tenant, read_tenant, change_tenant, agreements, accept_agreements)
