"""Jobs of files: the objects of deleted ones go, and what a crash left over is swept."""

from typing import TYPE_CHECKING, cast
from uuid import UUID

from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import tenant_job
from mandant.tenants.modules.file_removal import remove_leaving, sweep
from mandant.tenants.modules.files import REMOVE_FILES

if TYPE_CHECKING:
    from mandant.service.runtime import Runtime

__all__ = ["remove_files", "sweep_files"]


@tenant_job(REMOVE_FILES)
async def remove_files(context: JobContext, *, job_id: UUID) -> None:  # noqa: ARG001 - what was deleted
    """Remove every object of the tenant that is leaving: those of earlier deletions too."""
    services = cast("Runtime", context.services)
    assert context.tenant_id is not None  # noqa: S101 - a tenant's task has one
    await remove_leaving(services.data, services.objects, context.tenant_id)


async def sweep_files(context: JobContext) -> None:
    """A timer's: uploads that broke off a day ago, and deletions whose job did not get through."""
    services = cast("Runtime", context.services)
    await sweep(services.data, services.objects, context.clock.now())
