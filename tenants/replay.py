"""Carry out on the data database what control knows and data does not: after a crash, after a restore.

Until it is done the tenant is answered 503 (docs/DESIGN.md, Two databases).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import NotFound
from mandant.tenants.session import transaction
from mandant.vault.control import ControlDatabase

# Facts that change keys alone: nothing of them is in the data but the number.
KEYS_ONLY = frozenset({"rewrapped", "rotated", "shredded"})


class UnknownFact(Exception):
    """A fact of a kind that this version cannot carry out: update before the tenant is served."""


async def replay(control: ControlDatabase, data: DataDatabase, tenant_id: UUID, at: datetime) -> int:
    """Bring one tenant's data up to control. Returns how many facts were missing; 0 is the usual answer.

    Raises: NotFound where data has no such tenant, UnknownFact, ControlUnavailable.
    """
    return await _replay(control, data, tenant_id, at, _TENANT)


async def replay_person(control: ControlDatabase, data: DataDatabase, person_id: UUID, at: datetime) -> int:
    """Bring one person's row up to control. Returns and raises as replay."""
    return await _replay(control, data, person_id, at, _PERSON)


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose row carries the number of the last fact, and the statements about it."""

    what: str
    enter: str
    number: str
    applied: str


_TENANT = _Owner(
    "tenant",
    "SELECT mandant.set_tenant($1)",
    "SELECT key_state FROM mandant.tenant WHERE tenant_id = $1",
    "SELECT mandant.applied($1, $2, $3)",
)
_PERSON = _Owner(
    "person",
    "SELECT mandant.set_person($1)",
    "SELECT key_state FROM mandant.person WHERE person_id = $1",
    "SELECT mandant.applied_person($1, $2, $3)",
)


async def _replay(
    control: ControlDatabase, data: DataDatabase, owner: UUID, at: datetime, row: _Owner
) -> int:
    async with transaction(data) as connection:
        await connection.execute(row.enter, owner)
        state: int | None = await connection.fetchval(row.number, owner)
    if state is None:
        raise NotFound(row.what)
    async with control.transaction() as connection:
        facts = await connection.fetch(
            "SELECT sequence, kind FROM control.fact WHERE owner = $1 AND sequence > $2 ORDER BY sequence",
            owner,
            state,
        )
    for fact in facts:
        if fact["kind"] not in KEYS_ONLY:
            raise UnknownFact(f"fact {fact['sequence']} of kind {fact['kind']}")
        await data.pool.execute(row.applied, owner, fact["sequence"], at)
    return len(facts)
