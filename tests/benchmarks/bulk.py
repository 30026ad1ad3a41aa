"""Create 100,000 customers with two index terms each, against COPY of the same rows in plaintext."""

from __future__ import annotations

import asyncio

from uuid_utils.compat import uuid7

from mandant.tenants.modules import store
from tests.benchmarks import plain
from tests.benchmarks.clients import clients, make_clients
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.turns import durations
from tests.benchmarks.world import World

__all__ = ["figures"]

BATCH = 2_500  # rows of one create_many, which is a transaction
AT_A_TIME = 2  # while PostgreSQL stores one batch, the next is sealed


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Rows a second: encoded, sealed, with terms, committed; the peer has nothing but COPY to do."""
    records = make_clients(effort.records(100_000))
    encoded = [clients.encode(record) for record in records]

    async def ours() -> None:
        tenant = await world.tenant()
        starts = iter(range(0, len(records), BATCH))

        async def batches() -> None:
            for start in starts:
                await store.create_many(tenant, clients, records[start : start + BATCH], at=world.now)

        await asyncio.gather(*(batches() for _ in range(AT_A_TIME)))

    async def peer() -> None:
        owner, at = uuid7(), world.now
        rows = ((owner, clients.name, uuid7(), 1, content, at, at) for content in encoded)
        async with world.pool.acquire() as connection:
            await connection.copy_records_to_table(
                "bulk", schema_name="plain", columns=plain.COLUMNS, records=rows
            )

    values = await durations({"ours": ours, "peer": peer}, rounds=effort.fewer(5))
    await world.as_admin("TRUNCATE plain.bulk")
    by_second = {name: [len(records) / seconds for seconds in times] for name, times in values.items()}
    pair = Pair.of(by_second["ours"], by_second["peer"], "rows/s")
    return [Figure.at_least(f"bulk create of {len(records):,} customers / COPY of plaintext", pair, 0.2)]
