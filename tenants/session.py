"""The one way to a tenant's data: a transaction that belongs to one tenant.

    async with open_session(data, keyring, tenant_id, write=True) as session:
        await session.connection.execute(...)

Keys come first, outside any transaction; then PostgreSQL is told the tenant and the key state that the
keys were loaded with, in one statement, and refuses what does not fit (docs/DESIGN.md, Two databases).
Statements that are hot go through a `Tenant` instead: one function call, one round trip, the same checks.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, TypeVar
from uuid import UUID

import asyncpg

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import (
    DataOlderThanControl,
    DataUnavailable,
    Gone,
    NotFound,
    NotUnique,
    ReadOnly,
    StaleVersion,
)
from mandant.vault.errors import ScopeMissing
from mandant.vault.guard import transaction_open
from mandant.vault.keyring import Keyring
from mandant.vault.open_scope import OpenScope
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind

Answer = TypeVar("Answer")

LOST = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""A connection that is gone. The last one: asyncpg meets the server's farewell in the middle of a call."""


Statement: TypeAlias = Callable[[Any, OpenScope], Awaitable[Answer]]
"""One call of an SQL function that enters the tenant itself: (asyncpg pool or connection, keys) -> answer."""


class Door(Protocol):
    """A way to one tenant's data: a `Tenant`, one statement a transaction, or an open `TenantSession`."""

    @property
    def tenant_id(self) -> UUID: ...

    async def entered(self, statement: Statement[Answer]) -> Answer:
        """Run one statement with the tenant's keys. Raises: as open_session; StaleVersion, NotUnique."""
        ...


class StaleKeys(Exception):
    """PostgreSQL has another key state than the keys in hand. `data_state` is the number in data."""

    def __init__(self, data_state: int) -> None:
        self.data_state = data_state
        super().__init__(f"key state {data_state} in data")


@dataclass(frozen=True, slots=True)
class TenantSession:
    """An open transaction of one tenant; `connection` is asyncpg's."""

    tenant_id: UUID
    connection: Any
    _scopes: dict[ScopeKind, OpenScope]

    def keys(self, kind: ScopeKind = ScopeKind.TENANT) -> OpenScope:
        """The unwrapped keys of a scope that the session was opened with. Raises: KeyError for another."""
        return self._scopes[kind]

    async def entered(self, statement: "Statement[Answer]") -> Answer:
        return await _translating(statement(self.connection, self._scopes[ScopeKind.TENANT]))


@dataclass(frozen=True, slots=True)
class Tenant:
    """The door for hot statements: each is a transaction of its own, in one round trip."""

    data: DataDatabase
    keyring: Keyring
    tenant_id: UUID

    async def entered(self, statement: Statement[Answer]) -> Answer:
        """Run one statement with keys that fit; once more when they were stale."""
        keys = await open_keys(self.keyring, self.tenant_id)
        try:
            return await _translating(statement(self.data.pool, keys))
        except StaleKeys as stale:
            keys = await renew(self.keyring, keys, stale)
        try:
            return await _translating(statement(self.data.pool, keys))
        except StaleKeys:
            raise DataOlderThanControl from None


@asynccontextmanager
async def open_session(
    data: DataDatabase,
    keyring: Keyring,
    tenant_id: UUID,
    *,
    write: bool = False,
    scopes: Sequence[ScopeKind] = (ScopeKind.TENANT,),
) -> AsyncIterator[TenantSession]:
    """A transaction of `tenant_id`, committed when the block ends and rolled back when it raises.

    Raises: NotFound, Gone, ReadOnly (with `write`), DataOlderThanControl, DataUnavailable; KeyDenied,
    KeyShredded, KeyUnavailable from the keyring.
    """
    held = {kind: await open_keys(keyring, tenant_id, kind) for kind in scopes}
    async with AsyncExitStack() as stack:
        try:
            connection = await stack.enter_async_context(_entered(data, tenant_id, held, write))
        except StaleKeys as stale:
            held = {kind: await renew(keyring, keys, stale) for kind, keys in held.items()}
            try:
                connection = await stack.enter_async_context(_entered(data, tenant_id, held, write))
            except StaleKeys:
                raise DataOlderThanControl from None
        yield TenantSession(tenant_id, connection, held)


async def open_keys(keyring: Keyring, tenant_id: UUID, kind: ScopeKind = ScopeKind.TENANT) -> OpenScope:
    """A tenant's keys. Raises: NotFound for a tenant that has none, and as Keyring.open."""
    try:
        return await keyring.open(scope_id(tenant_id, kind))
    except ScopeMissing:
        raise NotFound("tenant") from None


async def renew(keyring: Keyring, keys: OpenScope, stale: StaleKeys) -> OpenScope:
    """Keys at least as new as the data. Raises: DataOlderThanControl when it is the data that is old."""
    if stale.data_state < keys.key_state:
        raise DataOlderThanControl
    return await keyring.reload(keys.scope_id, stale.data_state)


def translated(error: asyncpg.PostgresError) -> Exception:
    """What an error code of our SQL functions means; the error itself when it is none of them."""
    detail = getattr(error, "detail", None) or ""
    match error.sqlstate:
        case "MT404":
            return NotFound("tenant")
        case "MT409":
            return StaleKeys(int(detail))
        case "MT410":
            return Gone("tenant")
        case "MT423":
            return ReadOnly()
        case "MP404":
            return NotFound("person")
        case "MP409":
            return StaleKeys(int(detail))
        case "MR404":
            return NotFound("record")
        case "MR409":
            return StaleVersion()
        case "MR410":
            return NotUnique(detail)
        case "57P01" | "57P02" | "57P03" | "53300" | "08000" | "08001" | "08003" | "08006":
            return DataUnavailable()
    return error


@asynccontextmanager
async def transaction(data: DataDatabase) -> AsyncIterator[Any]:
    """A transaction of nobody yet, on an asyncpg connection; what it reaches depends on whom it enters.

    Raises: DataUnavailable; what the error codes of our SQL functions mean (`translated`).
    """
    try:
        connection = await data.pool.acquire()
    except (*LOST, asyncpg.PostgresError) as error:
        raise DataUnavailable from error
    try:
        async with connection.transaction():
            guard = transaction_open.set(True)
            try:
                yield connection
            finally:
                transaction_open.reset(guard)
    except asyncpg.PostgresError as error:
        raise translated(error) from error
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:
        raise DataUnavailable from error
    finally:
        await data.pool.release(connection)


async def _translating(statement: Awaitable[Answer]) -> Answer:
    try:
        return await statement
    except asyncpg.PostgresError as error:
        raise translated(error) from error
    except LOST as error:
        raise DataUnavailable from error


@asynccontextmanager
async def _entered(
    data: DataDatabase, tenant_id: UUID, held: dict[ScopeKind, OpenScope], write: bool
) -> AsyncIterator[Any]:
    """A transaction that PostgreSQL knows to be the tenant's. Raises: StaleKeys, and what they mean."""
    states = {keys.key_state for keys in held.values()}
    if len(states) != 1:
        # One of them was loaded before a fact and the other after it: whoever is behind is loaded again.
        raise StaleKeys(max(states))
    async with transaction(data) as connection:
        await connection.execute("SELECT mandant.enter($1, $2, $3)", tenant_id, states.pop(), write)
        yield connection
