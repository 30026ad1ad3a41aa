"""Lists sorted and filtered by any sealed field: the records are opened, all of them, in the process.

The cost is linear: `python -m tests.benchmarks` says how long 50,000 records take on your machine. Above
that the caller is asked to search first.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from mandant.tenants.errors import Invalid, NotFound, Problem
from mandant.tenants.modules import store
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.filtering import Filter
from mandant.tenants.modules.record import Record
from mandant.tenants.modules.store import Stored
from mandant.tenants.session import Door
from mandant.vault.open_scope import OpenScope

R = TypeVar("R", bound=Record)

MAX_OPENED = 50_000
BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Listing(Generic[R]):
    """One page of a sorted or filtered list, and how many records match in all."""

    items: list[Stored[R]]
    total: int


async def scan(door: Door, module: Module[R], *, batch: int = BATCH) -> AsyncIterator[list[Stored[R]]]:
    """All records of a module, oldest first, in batches: bounded memory however many there are.

    Each batch is a transaction of its own; a record made meanwhile may or may not be in it.
    """
    after: UUID | None = None

    async def statement(db: Any, keys: OpenScope) -> list[Stored[R]]:
        rows = await db.fetch(
            "SELECT record_id, version, sealed, created_at, updated_at"
            " FROM mandant.record_scan($1, $2, $3, $4, $5)",
            door.tenant_id,
            keys.key_state,
            module.name,
            after,
            batch,
        )
        return [store.opened(keys, module, *row) for row in rows]

    while True:
        found = await door.entered(statement)
        if found:
            yield found
        if len(found) < batch:
            return
        after = found[-1].record_id


async def listing(
    door: Door,
    module: Module[R],
    *,
    filters: Sequence[Filter] = (),
    sort: str | None = None,
    descending: bool = False,
    after: UUID | None = None,
    limit: int = 50,
) -> Listing[R]:
    """At most `limit` records that pass `filters`, sorted by the field `sort` (by age where None).

    `after` is the id of the last record of the page before: an id says nothing, a sort value would.
    Raises: Invalid where the module holds more than 50,000 records; NotFound when `after` has gone.
    """
    if await store.count(door, module) > MAX_OPENED:
        raise Invalid(
            [Problem("sort", f"opens every record, and there are more than {MAX_OPENED}; search first")]
        )
    kept: list[Stored[R]] = []
    async for batch in scan(door, module):
        kept += [stored for stored in batch if module.matches(stored.record, filters)] if filters else batch
    if sort is not None:
        key = module.sort_key(sort)
        kept.sort(key=lambda stored: key(stored.record))
    if descending:
        kept.reverse()
    start = 0
    if after is not None:
        start = next((i for i, stored in enumerate(kept, 1) if stored.record_id == after), 0)
        if start == 0:
            raise NotFound("page")
    return Listing(kept[start : start + limit], len(kept))
