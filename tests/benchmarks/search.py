"""Exact search by e-mail address in 1,000,000 records of one tenant, against lower(email) in plaintext."""

from __future__ import annotations

from itertools import cycle, islice
from typing import Any

from uuid_utils.compat import uuid7

from mandant.tenants.modules import store
from mandant.tenants.session import Tenant, open_keys
from tests.benchmarks import plain
from tests.benchmarks.clients import clients, make_clients
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.turns import durations
from tests.benchmarks.world import World

__all__ = ["figures"]

BATCH = 50_000
RECORD_COLUMNS = (
    "tenant_id",
    "module",
    "record_id",
    "version",
    "generation",
    "index_generation",
    "terms",
    "sealed",
    "created_at",
    "updated_at",
)
SELECT = (
    "SELECT record_id, version, content, created_at, updated_at FROM plain.customer"
    " WHERE tenant_id = $1 AND lower(email) = lower($2) ORDER BY record_id DESC LIMIT 50"
)


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Microseconds of one search by one caller; ours opens, decodes and compares what it finds."""
    tenant = await world.tenant()
    count = effort.records(1_000_000)
    await _load(world, tenant, count)
    asked = [f"Client{number}@Example.CH" for number in range(0, count, max(1, count // 2000))]
    ours_next, peer_next = cycle(asked), cycle(asked)

    async def ours() -> None:
        found = await store.search(tenant, clients, [clients.look("email", next(ours_next))])
        assert len(found) == 1

    async def peer() -> None:
        found = await world.pool.fetch(SELECT, tenant.tenant_id, next(peer_next))
        assert len(found) == 1

    values = await durations({"ours": ours, "peer": peer}, rounds=effort.rounds, repeats=effort.records(1000))
    micro = {name: [seconds * 1e6 for seconds in times] for name, times in values.items()}
    pair = Pair.of(micro["ours"], micro["peer"], "us")
    return [Figure.at_most(f"exact search in {count:,} records / lower(email) in plaintext", pair, 1.6)]


async def _load(world: World, tenant: Tenant, count: int) -> None:
    """The same records sealed and plain, by COPY past the row policy; indexes are made after."""
    await world.as_admin("DROP INDEX mandant.record_terms", "DROP INDEX IF EXISTS plain.customer_email")
    keys = await open_keys(tenant.keyring, tenant.tenant_id)
    index, generation = keys.index_key(clients.category), keys.seal_key(clients.category).generation
    at = world.now
    kept = iter(make_clients(count))
    while batch := list(islice(kept, BATCH)):
        sealed: list[tuple[Any, ...]] = []
        bare: list[tuple[Any, ...]] = []
        for record in batch:
            record_id, content = uuid7(), clients.encode(record)
            sealed.append(
                (
                    *(tenant.tenant_id, clients.name, record_id, 1, generation, index.generation),
                    store.terms(index, clients, record),
                    store.seal(keys, clients, record_id, 1, content),
                    *(at, at),
                )
            )
            bare.append((tenant.tenant_id, record_id, 1, record.email, content, at, at))
        await world.copy("record", RECORD_COLUMNS, sealed, schema="mandant")
        await world.copy("customer", plain.CUSTOMER_COLUMNS, bare)
    await world.as_admin(
        "CREATE INDEX record_terms ON mandant.record USING gin (terms) WITH (fastupdate = off)",
        "CREATE INDEX customer_email ON plain.customer (tenant_id, lower(email))",
        "VACUUM ANALYZE mandant.record, plain.customer",
        "CHECKPOINT",
    )
