"""Whether there is still a tenant to do a job for."""

from uuid import UUID

from mandant.tenants.database import DataDatabase

__all__ = ["tenant_is_gone"]


async def tenant_is_gone(data: DataDatabase, tenant_id: UUID) -> bool:
    """Whether the tenant was purged, is being purged, or is not in this database at all.

    Asks without the tenant's keys, so it also tells when they are destroyed already.
    """
    async with data.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT mandant.set_tenant($1)", tenant_id)
        state = await connection.fetchval("SELECT state FROM mandant.tenant WHERE tenant_id = $1", tenant_id)
    return state is None or state in {"purging", "purged"}
