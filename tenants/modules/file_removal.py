"""Objects that nothing stored needs any more: removed, first the object, then its row.

Needs no keys: what a tenant has switched off, or whose keys are destroyed, must still go. Each step may be
repeated: a crash in between leaves a row, and the sweep finds it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.objects import ObjectsRefused, ObjectStore, ObjectsUnavailable, object_key

ARRIVES_WITHIN = timedelta(hours=24)  # an upload that takes longer counts as broken off
SWEPT_AT_ONCE = 1000
GIVEN_UP_AFTER = 10  # failures in a row: the store is down, or says no to everything


async def remove(data: DataDatabase, objects: ObjectStore, tenant_id: UUID, object_id: UUID) -> bool:
    """Remove an object that is arriving or leaving, and its row. False: it is stored, and stays.

    Raises: ObjectsRefused, ObjectsUnavailable; asyncpg.PostgresError.
    """
    if not await data.pool.fetchval("SELECT mandant.file_leave($1, $2)", tenant_id, object_id):
        return False
    await objects.delete(object_key(tenant_id, object_id))
    await data.pool.execute("SELECT mandant.file_left($1, $2)", tenant_id, object_id)
    return True


async def remove_leaving(data: DataDatabase, objects: ObjectStore, tenant_id: UUID) -> int:
    """Remove every object of the tenant that is leaving; how many there were. Raises: as sweep."""
    leaving = await data.pool.fetch("SELECT * FROM mandant.files_leaving($1)", tenant_id)
    removals = _Removals(data, objects)
    for (object_id,) in leaving:
        await removals.attempt(tenant_id, object_id)
    removals.report()
    return len(leaving)


async def sweep(data: DataDatabase, objects: ObjectStore, now: datetime) -> int:
    """Remove what is leaving, and what has been arriving for a day; how many objects. As mandant_worker.

    An object that the store does not give up keeps no other one.
    Raises: ObjectsRefused, ObjectsUnavailable at the end, or once the store has failed `GIVEN_UP_AFTER`
    times in a row; asyncpg.PostgresError.
    """
    swept = 0
    after: tuple[datetime | None, UUID | None] = (None, None)
    removals = _Removals(data, objects)
    while True:
        rows = await data.pool.fetch(
            "SELECT tenant_id, object_id, updated_at FROM mandant.files_unfinished($1, $2, $3, $4)",
            now - ARRIVES_WITHIN,
            *after,
            SWEPT_AT_ONCE,
        )
        for row in rows:
            await removals.attempt(row["tenant_id"], row["object_id"])
            after = row["updated_at"], row["object_id"]
        swept += len(rows)
        if len(rows) < SWEPT_AT_ONCE:
            removals.report()
            return swept


class _Removals:
    """Removals one after the other, and what the store said to those that failed."""

    def __init__(self, data: DataDatabase, objects: ObjectStore) -> None:
        self._data, self._objects = data, objects
        self._failed: ObjectsRefused | ObjectsUnavailable | None = None
        self._in_a_row = 0

    async def attempt(self, tenant_id: UUID, object_id: UUID) -> None:
        """Remove one, or remember why not. Raises: once it is the store and not the object."""
        try:
            await remove(self._data, self._objects, tenant_id, object_id)
        except (ObjectsRefused, ObjectsUnavailable) as error:
            self._failed = error
            self._in_a_row += 1
            if self._in_a_row == GIVEN_UP_AFTER:
                raise
        else:
            self._in_a_row = 0

    def report(self) -> None:
        """Raises: the last failure, if there was one."""
        if self._failed is not None:
            raise self._failed
