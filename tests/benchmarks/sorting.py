"""The first page of 50,000 records sorted by a field, against the same from plaintext.

Nobody can sort what is sealed without opening it, so the cost is linear. The peer reads the same rows
unsealed, decodes them and sorts them in Python by the same key.
"""

from __future__ import annotations

from typing import Any

from mandant.tenants.modules import listing, store
from tests.benchmarks import plain
from tests.benchmarks.clients import clients, make_clients
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.turns import durations
from tests.benchmarks.world import World

__all__ = ["figures"]

BATCH = 5_000
SELECT = (
    "SELECT record_id, version, content, created_at, updated_at FROM plain.record"
    " WHERE tenant_id = $1 AND module = $2 ORDER BY record_id"
)


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Milliseconds to the first 50 of all records by last name."""
    tenant = await world.tenant()
    records = make_clients(effort.records(50_000))
    rows: list[tuple[Any, ...]] = []
    for start in range(0, len(records), BATCH):
        batch = records[start : start + BATCH]
        ids = await store.create_many(tenant, clients, batch, at=world.now)
        rows += [
            (tenant.tenant_id, clients.name, record_id, 1, clients.encode(record), world.now, world.now)
            for record_id, record in zip(ids, batch, strict=True)
        ]
    await world.copy("record", plain.COLUMNS, rows)
    await world.as_admin("VACUUM ANALYZE mandant.record, plain.record")
    key = clients.sort_key("last_name")
    pages: dict[str, list[Any]] = {}

    async def ours() -> None:
        found = await listing.listing(tenant, clients, sort="last_name", limit=50)
        pages["ours"] = [stored.record_id for stored in found.items]

    async def peer() -> None:
        found = await world.pool.fetch(SELECT, tenant.tenant_id, clients.name)
        opened = [(row[0], row[1], clients.decode(row[2]), row[3], row[4]) for row in found]
        opened.sort(key=lambda row: key(row[2]))
        pages["peer"] = [row[0] for row in opened[:50]]

    values = await durations({"ours": ours, "peer": peer}, rounds=effort.fewer(9))
    assert pages["ours"] == pages["peer"]
    milli = {name: [seconds * 1000 for seconds in times] for name, times in values.items()}
    pair = Pair.of(milli["ours"], milli["peer"], "ms")
    return [Figure.at_most(f"sort of {len(records):,} sealed records / of plaintext", pair, 3.0)]
