"""Whom a command of `mandant vault` works on, and with what."""

from uuid import UUID

import rich_click as click

from mandant.service.runtime import Runtime
from mandant.tenants.errors import TenantsError
from mandant.tenants.everyone import TenantRow, all_tenants
from mandant.tenants.modules import store
from mandant.tenants.ownerkeys import Keys
from mandant.vault.errors import VaultError

__all__ = ["keys_of", "records_of", "tenants_of"]


async def tenants_of(runtime: Runtime, only: UUID | None) -> list[TenantRow]:
    """All tenants, or `only` one, but those that are purged. Raises: ClickException for an unknown one."""
    rows = [row async for row in all_tenants(runtime.data) if only is None or row.tenant_id == only]
    if only is not None and not rows:
        raise click.ClickException(f"no tenant {only}; mandant tenants list shows them")
    return [row for row in rows if not row.is_gone]


async def records_of(runtime: Runtime, tenants: list[TenantRow]) -> int:
    """Records of the declared modules, for the progress bar; of a tenant that does not open, none."""
    total = 0
    for row in tenants:
        for module in runtime.modules.values():
            try:
                total += await store.count(runtime.tenant(row.tenant_id), module)
            except (TenantsError, VaultError):
                break
    return total


def keys_of(runtime: Runtime) -> Keys:
    """What changing keys takes."""
    return Keys(runtime.data, runtime.control, runtime.keyring, runtime.provider, runtime.clock)
