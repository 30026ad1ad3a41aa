"""Objects that nothing stored needs any more: removed, first the object, then its row.

Needs no keys: what a tenant has switched off, or whose keys are destroyed, must still go. Each step may be
repeated: a crash in between leaves a row, and the sweep finds it.
"""

from datetime import datetime, timedelta
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.objects import ObjectStore, object_key

ARRIVES_WITHIN = timedelta(hours=24)  # an upload that takes longer counts as broken off
SWEPT_AT_ONCE = 1000


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
    """Remove every object of the tenant that is leaving; how many there were."""
    leaving = await data.pool.fetch("SELECT * FROM mandant.files_leaving($1)", tenant_id)
    for (object_id,) in leaving:
        await remove(data, objects, tenant_id, object_id)
    return len(leaving)


async def sweep(data: DataDatabase, objects: ObjectStore, now: datetime) -> int:
    """Remove what is leaving, and what has been arriving for a day; how many objects. As mandant_worker."""
    swept = 0
    while True:
        rows = await data.pool.fetch(
            "SELECT tenant_id, object_id FROM mandant.files_unfinished($1, $2)",
            now - ARRIVES_WITHIN,
            SWEPT_AT_ONCE,
        )
        for tenant_id, object_id in rows:
            await remove(data, objects, tenant_id, object_id)
        swept += len(rows)
        if len(rows) < SWEPT_AT_ONCE:
            return swept
