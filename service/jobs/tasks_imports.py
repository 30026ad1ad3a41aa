"""Jobs of imports: the rows of one import, and the end of imports that are over."""

from datetime import timedelta
from typing import cast
from uuid import UUID

from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import tenant_job
from mandant.service.runtime import Runtime
from mandant.tenants.modules.file_removal import remove_leaving
from mandant.tenants.modules.importing.run import IMPORT_ROWS, end, run_import
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import Tenant

__all__ = ["ATTEMPTS", "KEPT", "forget_imports", "import_rows"]

ATTEMPTS = 5
KEPT = timedelta(days=30)
"""How long an import's file and report are there after its end, or after an upload that was never started."""

_AT_ONCE = 1000


@tenant_job(IMPORT_ROWS, attempts=ATTEMPTS)
async def import_rows(context: JobContext, *, job_id: UUID) -> None:
    """Import what is left of an import's file. Where the last attempt fails too, the import has failed."""
    services = cast("Runtime", context.services)
    assert context.tenant_id is not None  # noqa: S101 - a tenant's task has one
    tenant = Tenant(services.data, services.keyring, context.tenant_id)
    shelf = Shelf(tenant, services.objects, context.clock, services.modules)
    try:
        await run_import(shelf, job_id)
    except Exception:
        if context.attempt >= ATTEMPTS:
            await end(shelf, job_id, "it broke off several times; start it again, and it goes on from there")
        raise


async def forget_imports(context: JobContext) -> None:
    """A timer's: 30 days after its end an import goes, with its file and its report. The records stay."""
    services = cast("Runtime", context.services)
    before = context.clock.now() - KEPT
    while True:
        over = await services.data.pool.fetch(
            "SELECT tenant_id, import_id FROM mandant.imports_over($1, $2)", before, _AT_ONCE
        )
        for tenant_id, import_id in over:
            await services.data.pool.fetchval(
                "SELECT mandant.import_forget($1, $2, $3)", tenant_id, import_id, before
            )
        for tenant_id in {row["tenant_id"] for row in over}:
            await remove_leaving(services.data, services.objects, tenant_id)
        if len(over) < _AT_ONCE:
            return
