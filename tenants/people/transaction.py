"""Transactions of a person, of a tenant with its operator scope, and of a tenant that is being made."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import DataOlderThanControl
from mandant.tenants.people.deployment import People
from mandant.tenants.session import StaleKeys, TenantSession, open_session, renew, transaction
from mandant.vault.keyring import Keyring
from mandant.vault.open_scope import OpenScope
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind


@dataclass(frozen=True, slots=True)
class PersonSession:
    """An open transaction of one person (`connection` is asyncpg's), with the person's keys."""

    person_id: UUID
    connection: Any
    keys: OpenScope


def open_operator(
    people: People, tenant_id: UUID, *, write: bool = False
) -> AbstractAsyncContextManager[TenantSession]:
    """A tenant's transaction with the keys of registration and contract data. Raises: as open_session."""
    return open_session(people.data, people.keyring, tenant_id, write=write, scopes=(ScopeKind.OPERATOR,))


@asynccontextmanager
async def open_person(data: DataDatabase, keyring: Keyring, person_id: UUID) -> AsyncIterator[PersonSession]:
    """A transaction of `person_id`, committed when the block ends and rolled back when it raises.

    Raises: NotFound, DataOlderThanControl, DataUnavailable; what Keyring.open raises.
    """
    keys = await keyring.open(scope_id(person_id, ScopeKind.PERSON))
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(_entered(data, person_id, keys))
        except StaleKeys as stale:
            keys = await renew(keyring, keys, stale)
            try:
                connection = await stack.enter_async_context(_entered(data, person_id, keys))
            except StaleKeys:
                raise DataOlderThanControl from None
        yield PersonSession(person_id, connection, keys)


@asynccontextmanager
async def _entered(data: DataDatabase, person_id: UUID, keys: OpenScope) -> AsyncIterator[Any]:
    async with transaction(data) as connection:
        await connection.execute("SELECT mandant.enter_person($1, $2)", person_id, keys.key_state)
        yield connection
