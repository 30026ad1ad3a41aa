"""Transactions of a person, of a tenant with its operator scope, and of a tenant that is being made."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import DataOlderThanControl, DataUnavailable, NotFound
from mandant.tenants.people.deployment import People
from mandant.tenants.session import StaleKeys, TenantSession, open_session, renew, translated
from mandant.vault.guard import transaction_open
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
async def transaction(data: DataDatabase) -> AsyncIterator[Any]:
    """A transaction of nobody yet: what it may do depends on whom it names. Raises: DataUnavailable."""
    try:
        async with data.pool.acquire(timeout=30) as connection, connection.transaction():
            guard = transaction_open.set(True)
            try:
                yield connection
            finally:
                transaction_open.reset(guard)
    except asyncpg.PostgresError as error:
        raise meaning(error) from error
    except (OSError, asyncpg.InterfaceError) as error:
        raise DataUnavailable from error


def meaning(error: asyncpg.PostgresError) -> Exception:
    """What an error code of 0003_people means; else what tenants/session.py makes of it."""
    match error.sqlstate:
        case "MP404":
            return NotFound("person")
        case "MP409":
            return StaleKeys(int(getattr(error, "detail", None) or 0))
    return translated(error)


@asynccontextmanager
async def _entered(data: DataDatabase, person_id: UUID, keys: OpenScope) -> AsyncIterator[Any]:
    async with transaction(data) as connection:
        await connection.execute("SELECT mandant.enter_person($1, $2)", person_id, keys.key_state)
        yield connection
