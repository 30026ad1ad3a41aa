"""All tenants and all persons of the installation, for its operator: ids, states, numbers. Nothing is opened.

The data database has to be connected to as mandant_worker; nobody else may ask (0008_operator).
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from mandant.tenants.database import DataDatabase

PAGE = 1000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class TenantRow:
    """A tenant as data has it. `key_state`: the last control fact that was applied."""

    tenant_id: UUID
    state: str
    key_state: int

    @property
    def is_gone(self) -> bool:
        """Purged, or being purged: nothing of it opens, on purpose."""
        return self.state in {"purging", "purged"}


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A person as data has them."""

    person_id: UUID
    key_state: int


async def all_tenants(data: DataDatabase) -> AsyncIterator[TenantRow]:
    """Every tenant that has a row, by id."""
    after = _FIRST
    while True:
        rows = await data.pool.fetch("SELECT * FROM directory.tenants($1, $2)", after, PAGE)
        for row in rows:
            yield TenantRow(row["tenant_id"], row["state"], row["key_state"])
        if len(rows) < PAGE:
            return
        after = rows[-1]["tenant_id"]


async def all_persons(data: DataDatabase) -> AsyncIterator[PersonRow]:
    """Every person that has a row, by id."""
    after = _FIRST
    while True:
        rows = await data.pool.fetch("SELECT * FROM directory.persons($1, $2)", after, PAGE)
        for row in rows:
            yield PersonRow(row["person_id"], row["key_state"])
        if len(rows) < PAGE:
            return
        after = rows[-1]["person_id"]
