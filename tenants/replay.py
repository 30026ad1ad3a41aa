"""Carry out on the data database what control knows and data does not: after a crash, after a restore.

Until it is done the tenant is answered 503 (docs/DESIGN.md, Two databases).
"""

from datetime import datetime
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import NotFound
from mandant.vault.control import ControlDatabase

# Facts that change keys alone: nothing of them is in the data but the number.
KEYS_ONLY = frozenset({"rewrapped", "rotated", "shredded"})


class UnknownFact(Exception):
    """A fact of a kind that this version cannot carry out: update before the tenant is served."""


async def replay(control: ControlDatabase, data: DataDatabase, tenant_id: UUID, at: datetime) -> int:
    """Bring one tenant's data up to control. Returns how many facts were missing; 0 is the usual answer.

    Raises: NotFound where data has no such tenant, UnknownFact, ControlUnavailable.
    """
    async with data.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT mandant.set_tenant($1)", tenant_id)
        state: int | None = await connection.fetchval(
            "SELECT key_state FROM mandant.tenant WHERE tenant_id = $1", tenant_id
        )
    if state is None:
        raise NotFound("tenant")
    async with control.transaction() as connection:
        facts = await connection.fetch(
            "SELECT sequence, kind FROM control.fact WHERE owner = $1 AND sequence > $2 ORDER BY sequence",
            tenant_id,
            state,
        )
    for fact in facts:
        if fact["kind"] not in KEYS_ONLY:
            raise UnknownFact(f"fact {fact['sequence']} of kind {fact['kind']}")
        await data.pool.execute("SELECT mandant.applied($1, $2, $3)", tenant_id, fact["sequence"], at)
    return len(facts)
