"""One sealed record read, and one inserted, against asyncpg's autocommit SELECT and INSERT of the same bytes.

Both sides take their connections from the same pool, and 16 tasks work at a time.
"""

from __future__ import annotations

from itertools import cycle

from uuid_utils.compat import uuid7

from mandant.tenants.modules import store
from tests.benchmarks import plain
from tests.benchmarks.clients import clients, make_clients
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.turns import Work, rates
from tests.benchmarks.world import World

__all__ = ["insert_figures", "read_figures"]

TASKS = 16
INSERT = (
    "INSERT INTO plain.record (tenant_id, module, record_id, version, content, created_at, updated_at)"
    " VALUES ($1, $2, $3, 1, $4, $5, $5)"
)


async def read_figures(world: World, effort: Effort) -> list[Figure]:
    """Reads a second through the record store: row policy, key state, opening, decoding."""
    tenant = await world.tenant()
    ids = await store.create_many(tenant, clients, make_clients(effort.records(5_000)), at=world.now)
    await world.as_admin(
        "INSERT INTO plain.record SELECT tenant_id, module, record_id, version, sealed, created_at, updated_at"
        f" FROM mandant.record WHERE tenant_id = '{tenant.tenant_id}'",
        "VACUUM ANALYZE mandant.record, plain.record",
    )
    ours_next, peer_next = cycle(ids), cycle(ids)

    async def ours() -> None:
        await store.get(tenant, clients, next(ours_next))

    async def peer() -> None:
        await world.pool.fetchrow(plain.SELECT_ONE, tenant.tenant_id, clients.name, next(peer_next))

    pair = await _measure(ours, peer, effort, "reads/s")
    return [Figure.at_least("sealed point read / asyncpg SELECT", pair, 0.5)]


async def insert_figures(world: World, effort: Effort) -> list[Figure]:
    """Inserts a second through the record store: two index terms, sealing, row policy, key state."""
    tenant = await world.tenant()
    records = cycle(make_clients(effort.records(10_000)))
    first = await store.create(tenant, clients, next(records), at=world.now)
    sealed = await world.sealed(first.record_id)

    async def ours() -> None:
        await store.create(tenant, clients, next(records), at=world.now)

    async def peer() -> None:
        await world.pool.execute(INSERT, tenant.tenant_id, clients.name, uuid7(), sealed, world.now)

    pair = await _measure(ours, peer, effort, "inserts/s")
    return [Figure.at_least("sealed insert with two index terms / asyncpg INSERT", pair, 0.45)]


async def _measure(ours: Work, peer: Work, effort: Effort, unit: str) -> Pair:
    works = {"ours": ours, "peer": peer}
    values = await rates(works, rounds=effort.rounds, seconds=effort.seconds, tasks=TASKS)
    return Pair.of(values["ours"], values["peer"], unit)
