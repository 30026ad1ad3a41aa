"""All tenants of the installation, for its operator: ids from control, the rest from each one's session."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mandant.tenants.errors import Gone, NotFound
from mandant.tenants.people.company import StoredCompany, read_company
from mandant.tenants.people.deployment import People
from mandant.tenants.people.transaction import open_person
from mandant.vault.control import ControlDatabase


async def tenant_ids(control: ControlDatabase) -> list[UUID]:
    """The owners of all operator scopes, oldest first. A registration that failed left one without a row."""
    async with control.transaction() as connection:
        rows = await connection.fetch(
            "SELECT owner FROM control.scope WHERE kind = 'operator' ORDER BY created_at, owner"
        )
    return [row["owner"] for row in rows]


async def companies(people: People) -> AsyncIterator[StoredCompany]:
    """Every tenant that has a row and has not been purged, oldest first. Raises: as open_session."""
    for tenant_id in await tenant_ids(people.control):
        try:
            yield await read_company(people, tenant_id)
        except (Gone, NotFound):
            continue


@dataclass(frozen=True, slots=True)
class Belonging:
    """A tenant that a person belongs to."""

    tenant_id: UUID
    role: str
    since: datetime


async def memberships_of(people: People, person_id: UUID) -> list[Belonging]:
    """Where a person belongs, oldest first. Raises: as open_person."""
    async with open_person(people.data, people.keyring, person_id) as session:
        rows = await session.connection.fetch("SELECT * FROM directory.memberships($1)", person_id)
    return [Belonging(row["tenant_id"], row["role"], row["created_at"]) for row in rows]
