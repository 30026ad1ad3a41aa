"""Changes of a tenant's module keys, carried through both databases: first the fact, then the data.

await rotate_and_apply(control, provider, tenant, Category.MODULE, Purpose.SEAL, at)
async for progress in reseal(tenant, module): ...
async for progress in reindex(control, provider, tenant, modules, Category.MODULE, clock): ...
"""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.reseal import Progress, reseal
from mandant.tenants.replay import replay
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.clock import Clock
from mandant.vault.control import ControlDatabase
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.open_scope import OpenScope
from mandant.vault.rotation import rotate, shred
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose


async def rotate_and_apply(
    control: ControlDatabase,
    provider: KeyProvider,
    tenant: Tenant,
    category: Category,
    purpose: Purpose,
    at: datetime,
) -> None:
    """A new generation of a category's seal or index key; from now on every process writes with it."""
    scope = scope_id(tenant.tenant_id, ScopeKind.TENANT)
    await rotate(control, provider, scope, category, purpose, at)
    await replay(control, tenant.data, tenant.tenant_id, at)


async def reindex(
    control: ControlDatabase,
    provider: KeyProvider,
    tenant: Tenant,
    modules: Sequence[Module[Any]],
    category: Category,
    clock: Clock,
) -> AsyncIterator[Progress]:
    """New index keys and new terms for all modules of a category, then the end of the old keys.

    Searches and uniqueness hold throughout: both generations are asked and claimed. After a crash, run it
    again: terms made under the key of the broken run are replaced once more. `control` connects as
    mandant_worker, the only role that may destroy a wrapped key.
    """
    await rotate_and_apply(control, provider, tenant, category, Purpose.INDEX, clock.now())
    concerned = [module for module in modules if module.category == category]

    async def newest(db: Any, keys: OpenScope) -> int:
        await db.execute("SELECT mandant.enter($1, $2, false)", tenant.tenant_id, keys.key_state)
        return keys.index_key(category).generation

    # Asked before the pass: where another reindex begins during it, only part of the records are newer.
    reached = await tenant.entered(newest)
    for module in concerned:
        async for progress in reseal(tenant, module):
            yield progress

    async def drop_older(db: Any, keys: OpenScope) -> None:
        for module in concerned:
            await db.execute(
                "SELECT mandant.drop_unique_terms($1, $2, $3, $4)",
                tenant.tenant_id,
                keys.key_state,
                module.name,
                reached,
            )

    await tenant.entered(drop_older)
    scope = scope_id(tenant.tenant_id, ScopeKind.TENANT)
    await shred(control, scope, category, clock.now(), purpose=Purpose.INDEX, below=reached)
    await replay(control, tenant.data, tenant.tenant_id, clock.now())
