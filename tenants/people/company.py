"""A tenant's own row: the company's data, sealed under its operator scope. Source: C4.2, C5.3."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from whenever import Instant, TimeZoneNotFoundError

from mandant.tenants.errors import Invalid, StaleVersion
from mandant.tenants.people.deployment import People
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.transaction import open_operator
from mandant.vault.envelope import Place
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

COMPANY = Place("tenant", "record")


class Company(msgspec.Struct, frozen=True):
    """`country`: ISO 3166, two letters. `head_count`: employees. `time_zone`: IANA, for all periods."""

    name: str
    domain: str
    country: str
    head_count: int | None = None
    time_zone: str = "Europe/Zurich"

    def __repr__(self) -> str:
        return "<company>"


@dataclass(frozen=True, slots=True)
class StoredCompany:
    """A tenant as it is stored, opened."""

    tenant_id: UUID
    state: str
    version: int
    company: Company
    created_at: datetime
    updated_at: datetime


def check_company(company: Company) -> None:
    """Raises: Invalid for a time zone that does not exist: every period is counted in it."""
    try:
        Instant.from_timestamp(0).to_tz(company.time_zone)
    except (TimeZoneNotFoundError, ValueError):
        raise Invalid([("time_zone", "no time zone of the IANA list; for example Europe/Zurich")]) from None


async def read_company(people: People, tenant_id: UUID) -> StoredCompany:
    """Raises: as open_session."""
    async with open_operator(people, tenant_id) as session:
        return await company_of(session.connection, session.keys(ScopeKind.OPERATOR), tenant_id)


async def change_company(people: People, tenant_id: UUID, version: int, company: Company) -> StoredCompany:
    """Replace the company's data, if it has `version`. Raises: Invalid, StaleVersion; as open_session."""
    check_company(company)
    async with open_operator(people, tenant_id, write=True) as session:
        keys = session.keys(ScopeKind.OPERATOR)
        done = await session.connection.execute(
            "UPDATE mandant.tenant SET version = $2 + 1, sealed = $3, updated_at = $4"
            " WHERE tenant_id = $1 AND version = $2",
            tenant_id,
            version,
            sealed(keys, COMPANY, tenant_id, version + 1, company),
            people.clock.now(),
        )
        if done == "UPDATE 0":
            raise StaleVersion
        return await company_of(session.connection, keys, tenant_id)


async def company_of(connection: Any, keys: OpenScope, tenant_id: UUID) -> StoredCompany:
    """The row of the tenant that the transaction belongs to. `keys`: the operator scope."""
    row = await connection.fetchrow(
        "SELECT state, version, sealed, created_at, updated_at FROM mandant.tenant WHERE tenant_id = $1",
        tenant_id,
    )
    return StoredCompany(
        tenant_id,
        row["state"],
        row["version"],
        opened(keys, COMPANY, tenant_id, row["version"], row["sealed"], Company),
        row["created_at"],
        row["updated_at"],
    )
