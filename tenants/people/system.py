"""The installation's own scope: its index key makes the terms of the directory."""

from datetime import datetime
from uuid import UUID

from mandant.vault.control import ControlDatabase
from mandant.vault.keys import create_scope, ensure_epoch
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.scopes import SYSTEM, scope_id
from mandant.vault.stored import ScopeKind

SYSTEM_SCOPE = scope_id(SYSTEM, ScopeKind.SYSTEM)


async def ensure_system_scope(control: ControlDatabase, provider: KeyProvider, at: datetime) -> UUID:
    """The first epoch and the system scope, made where they are missing. Every process calls it at start.

    Raises: KmsError, ControlUnavailable.
    """
    await ensure_epoch(control, provider, at)
    async with control.transaction() as connection:
        found = await connection.fetchval("SELECT 1 FROM control.scope WHERE scope_id = $1", SYSTEM_SCOPE)
    if found is None:
        await create_scope(control, provider, SYSTEM, ScopeKind.SYSTEM, at)
    return SYSTEM_SCOPE
