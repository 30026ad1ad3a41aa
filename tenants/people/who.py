"""Who sends a request, and in which role: one SQL call, no key but the directory's. Source: C4.3, C11."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import DataUnavailable, Forbidden, NotFound
from mandant.tenants.people.deployment import People
from mandant.tenants.people.directory import EntryKind, bound_id, kind_of, term_of
from mandant.tenants.people.errors import NotSignedIn
from mandant.tenants.people.membership import check_role, locked
from mandant.tenants.people.roles import ALLOWED, Action, Role, lower
from mandant.tenants.session import LOST, TenantSession, translated
from mandant.vault.clock import Clock
from mandant.vault.errors import Unopenable
from mandant.vault.keyring import Keyring
from mandant.vault.open_scope import UnknownGeneration
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind

_NO_TENANT = UUID(int=0)


@dataclass(frozen=True, slots=True)
class CurrentPerson:
    """Whoever is signed in with a session. `expires_at`: when it ends, used or not."""

    person_id: UUID
    session_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CurrentMember:
    """A person in one tenant, through a session or an API token (`token_id`); `role` is what holds here."""

    person_id: UUID
    tenant_id: UUID
    role: Role
    token_id: UUID | None = None

    def may(self, action: Action) -> bool:
        """Whether the role allows it."""
        return action in ALLOWED[self.role]

    def require(self, action: Action) -> None:
        """Raises: Forbidden when the role does not allow it."""
        if action not in ALLOWED[self.role]:
            raise Forbidden(action.value)


def no_power_by_token(by: CurrentMember, role: Role) -> None:
    """A token makes nobody more than a member, as it makes no tokens: a stolen one must not last.

    Raises: Forbidden.
    """
    if by.token_id is not None and role is not Role.MEMBER:
        raise Forbidden("giving a role above member with an API token")


async def as_of_now(session: TenantSession, by: CurrentMember) -> CurrentMember:
    """`by` with the role that holds in this transaction: a request may have been let in before a change.

    The tenant's members are changed by nobody else until it ends. Raises: NotFound for who has left.
    """
    stored = await locked(session.connection, by.tenant_id, by.person_id)
    role = check_role(session.keys(ScopeKind.OPERATOR), by.person_id, *stored)
    return replace(by, role=lower(by.role, role))


async def current_member(people: People, secret: str, tenant_id: UUID) -> CurrentMember:
    """Who `secret` (session or API token) is in the tenant.

    Raises: NotSignedIn; NotFound when the tenant does not exist or the person does not belong to it.
    """
    return await authenticate(people.data, people.keyring, people.clock, secret, tenant_id)


async def authenticate(
    data: DataDatabase, keyring: Keyring, clock: Clock, secret: str, tenant_id: UUID
) -> CurrentMember:
    """As current_member, for whoever has no People at hand."""
    row = await _ask(data, keyring, clock, secret, tenant_id)
    if row["role"] is None:
        raise NotFound("tenant")
    role = await _given_role(keyring, tenant_id, row)
    if row["role_limit"] is None:
        return CurrentMember(row["person_id"], tenant_id, role)
    return CurrentMember(row["person_id"], tenant_id, lower(role, Role(row["role_limit"])), row["entry_id"])


async def current_person(people: People, secret: str) -> CurrentPerson:
    """Whose session `secret` is. An API token is no person. Raises: NotSignedIn."""
    if kind_of(secret) != "session":
        raise NotSignedIn
    row = await _ask(people.data, people.keyring, people.clock, secret, _NO_TENANT)
    return CurrentPerson(row["person_id"], row["entry_id"], row["expires_at"])


async def _given_role(keyring: Keyring, tenant_id: UUID, row: asyncpg.Record) -> Role:
    """Raises: Unopenable where the membership was not written by the application; as Keyring.open."""
    scope = scope_id(tenant_id, ScopeKind.OPERATOR)
    membership = row["person_id"], row["role"], row["version"], row["sealed"]
    try:
        return check_role(await keyring.open(scope), *membership)
    except UnknownGeneration:
        keyring.evict(scope)  # sealed under a key that was made since these were loaded
        return check_role(await keyring.open(scope), *membership)


async def _check_entry(
    keyring: Keyring, kind: EntryKind, secret: str, tenant_id: UUID, row: asyncpg.Record
) -> None:
    """Raises: Unopenable where the entry was not written by the application."""
    of_token = (tenant_id, row["role_limit"]) if kind == "api_token" else (None, "")
    bound = await bound_id(keyring, kind, secret, row["person_id"], row["expires_at"], *of_token)
    if bound != row["entry_id"]:
        raise Unopenable("an entry of the directory is not the one that was made")


async def _ask(
    data: DataDatabase, keyring: Keyring, clock: Clock, secret: str, tenant_id: UUID
) -> asyncpg.Record:
    kind = kind_of(secret)
    if kind not in ("session", "api_token"):
        raise NotSignedIn
    term = await term_of(keyring, kind, secret)
    try:
        row = await data.pool.fetchrow(
            "SELECT * FROM directory.authenticate($1, $2, $3, $4)", kind, term.value, tenant_id, clock.now()
        )
    except asyncpg.PostgresError as error:
        raise translated(error) from error
    except LOST as error:
        raise DataUnavailable from error
    if row is None:
        raise NotSignedIn
    if kind == "session" or row["role"] is not None:  # a token of another tenant's opens nothing here
        await _check_entry(keyring, kind, secret, tenant_id, row)
    return row
