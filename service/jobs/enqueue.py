"""Enqueue on the connection of the change itself: both commit, or neither."""

from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from mandant.tenants.jobs import job_arguments

if TYPE_CHECKING:
    from mandant.tenants.session import TenantSession

__all__ = ["PostgresJobs"]


class PostgresJobs:
    """`mandant.tenants.jobs.Jobs` on procrastinate's tables, through `queue_api.enqueue`."""

    async def enqueue(
        self, session: "TenantSession", task: str, job_id: UUID | None = None, **ids: str | int | UUID
    ) -> int:
        arguments = msgspec.json.encode(job_arguments(job_id, ids)).decode()
        # By way of text: what a pool's own jsonb codec would make of it does not matter.
        number = await session.connection.fetchval(
            "SELECT queue_api.enqueue($1, $2, $3::text::jsonb)", session.tenant_id, task, arguments
        )
        return int(number)
