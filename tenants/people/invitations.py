"""Invitations: for one address, one tenant, one role; good once and for seven days. Source: C4.3."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from mandant.tenants.errors import NotFound
from mandant.tenants.people.deployment import People
from mandant.tenants.people.directory import Term, add, find, new_secret, take, term_of
from mandant.tenants.people.errors import AddressTaken, AlreadyMember, InvitationOver
from mandant.tenants.people.membership import join
from mandant.tenants.people.person import Credentials, Profile, insert_person, read_person
from mandant.tenants.people.registration import new_person_keys
from mandant.tenants.people.roles import Action, Role
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.transaction import open_operator, open_person
from mandant.tenants.people.who import CurrentMember, CurrentPerson, as_of_now, no_power_by_token
from mandant.tenants.session import TenantSession, transaction
from mandant.vault.envelope import Place
from mandant.vault.errors import Unopenable
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

INVITED = Place("invitation", "invited")
LENGTH = timedelta(days=7)


class Invited(msgspec.Struct, frozen=True):
    """Who was invited, and to do what; and the role, which the row says as well."""

    email: str
    role: Role
    function: str = ""

    def __repr__(self) -> str:
        return "<invited>"


@dataclass(frozen=True, slots=True)
class Invitation:
    """One that waits for its answer."""

    invitation_id: UUID
    role: Role
    invited: Invited = field(repr=False)
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


async def invite(
    people: People, by: CurrentMember, email: str, role: Role, function: str = ""
) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is shown this once; an older one of the same address ends.

    Raises: Forbidden, AlreadyMember; as open_session.
    """
    _may(by, role)
    at = people.clock.now()
    secret = new_secret("invitation")
    term = await term_of(people.keyring, "invitation", secret)
    address = await term_of(people.keyring, "email", email)
    made = Invitation(uuid7(), role, Invited(email, role, function), by.person_id, at, at + LENGTH)
    async with open_operator(people, by.tenant_id, write=True) as session:
        _may(await as_of_now(session, by), role)
        if await _belongs(session, await find(session.connection, address, at)):
            raise AlreadyMember
        older = await session.connection.fetchval(
            "SELECT invitation_id FROM mandant.invitation WHERE tenant_id = $1 AND email_term = $2",
            by.tenant_id,
            address.value,
        )
        if older is not None:
            await _remove(session, older)
        await session.connection.execute(
            "INSERT INTO mandant.invitation (tenant_id, invitation_id, role, email_term, sealed, invited_by,"
            " created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            by.tenant_id,
            made.invitation_id,
            role.value,
            address.value,
            sealed(session.keys(ScopeKind.OPERATOR), INVITED, made.invitation_id, 1, made.invited),
            by.person_id,
            at,
            made.expires_at,
        )
        await add(
            session.connection,
            term,
            made.invitation_id,
            at,
            tenant_id=by.tenant_id,
            expires_at=made.expires_at,
        )
    return made, secret


async def list_invitations(people: People, by: CurrentMember) -> list[Invitation]:
    """Those that wait, newest first. Raises: Forbidden; as open_session."""
    by.require(Action.MANAGE_MEMBERS)
    async with open_operator(people, by.tenant_id) as session:
        rows = await session.connection.fetch(
            f"SELECT {_COLUMNS} FROM mandant.invitation WHERE tenant_id = $1 AND expires_at > $2"
            " ORDER BY invitation_id DESC",
            by.tenant_id,
            people.clock.now(),
        )
        return [_opened(session.keys(ScopeKind.OPERATOR), row) for row in rows]


async def withdraw(people: People, by: CurrentMember, invitation_id: UUID) -> None:
    """Raises: Forbidden, NotFound; as open_session."""
    by.require(Action.MANAGE_MEMBERS)
    async with open_operator(people, by.tenant_id, write=True) as session:
        if not await _remove(session, invitation_id):
            raise NotFound("invitation")


async def accept_as_person(people: People, who: CurrentPerson, secret: str) -> UUID:
    """A signed-in person accepts what was sent to their address. Returns the tenant.

    Raises: InvitationOver, AlreadyMember; as open_session.
    """
    async with open_person(people.data, people.keyring, who.person_id) as own:
        email = (await read_person(own)).profile.email
    address = await term_of(people.keyring, "email", email)
    term, tenant_id, invitation_id = await _found(people, secret)
    async with open_operator(people, tenant_id, write=True) as session:
        invitation = await _used(session, term, invitation_id, address)
        await _join(session, invitation, who.person_id, people.clock.now())
    return tenant_id


async def accept_as_newcomer(
    people: People, secret: str, name: str, password: str, language: str = "de"
) -> tuple[UUID, UUID]:
    """A person who has no sign-in yet: made with the invited address. Returns (tenant, person).

    Raises: InvitationOver, also when the address has a sign-in (it accepts when signed in); Invalid.
    """
    password_hash = await people.passwords.hash(password)
    at = people.clock.now()
    term, tenant_id, invitation_id = await _found(people, secret)
    async with open_operator(people, tenant_id) as session:
        email = (await _read(session, invitation_id)).invited.email
    address = await term_of(people.keyring, "email", email)
    person_id = uuid7()
    keys = await new_person_keys(people, person_id, at)
    try:
        async with open_operator(people, tenant_id, write=True) as session:
            invitation = await _used(session, term, invitation_id, address)
            await session.connection.execute("SELECT mandant.set_person($1)", person_id)
            await add(session.connection, address, person_id, at, person_id=person_id)
            await insert_person(
                session.connection,
                keys,
                person_id,
                Profile(name, email, language),
                Credentials(password_hash),
                at,
            )
            await _join(session, invitation, person_id, at)
    except AddressTaken:
        raise InvitationOver from None
    return tenant_id, person_id


_COLUMNS = "invitation_id, role, email_term, sealed, invited_by, created_at, expires_at"


def _may(by: CurrentMember, role: Role) -> None:
    by.require(Action.MANAGE_MEMBERS)
    no_power_by_token(by, role)
    if role is Role.OWNER:
        by.require(Action.MANAGE_OWNERS)


async def _found(people: People, secret: str) -> tuple[Term, UUID, UUID]:
    term = await term_of(people.keyring, "invitation", secret)
    async with transaction(people.data) as connection:
        entry = await find(connection, term, people.clock.now())
    if entry is None or entry.tenant_id is None:
        raise InvitationOver
    return term, entry.tenant_id, entry.entry_id


async def _read(session: TenantSession, invitation_id: UUID) -> Invitation:
    row = await session.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM mandant.invitation WHERE tenant_id = $1 AND invitation_id = $2",
        session.tenant_id,
        invitation_id,
    )
    if row is None:
        raise InvitationOver
    return _opened(session.keys(ScopeKind.OPERATOR), row)


async def _used(session: TenantSession, term: Term, invitation_id: UUID, address: Term) -> Invitation:
    """The invitation, used up: of two who come at once, one finds nothing."""
    invitation = await _read(session, invitation_id)
    row = await session.connection.fetchrow(
        "DELETE FROM mandant.invitation WHERE tenant_id = $1 AND invitation_id = $2 AND email_term = $3"
        " RETURNING invitation_id",
        session.tenant_id,
        invitation_id,
        address.value,
    )
    if row is None or not await take(session.connection, term):
        raise InvitationOver
    return invitation


async def _join(session: TenantSession, invitation: Invitation, person_id: UUID, at: datetime) -> None:
    await join(
        session.connection,
        session.keys(ScopeKind.OPERATOR),
        session.tenant_id,
        person_id,
        invitation.role,
        invitation.invited.function,
        at,
    )


async def _belongs(session: TenantSession, entry: Any) -> bool:
    if entry is None:
        return False
    found = await session.connection.fetchval(
        "SELECT 1 FROM mandant.membership WHERE tenant_id = $1 AND person_id = $2 AND ended_at IS NULL",
        session.tenant_id,
        entry.person_id,
    )
    return found is not None


async def _remove(session: TenantSession, invitation_id: UUID) -> bool:
    done = await session.connection.execute(
        "DELETE FROM mandant.invitation WHERE tenant_id = $1 AND invitation_id = $2",
        session.tenant_id,
        invitation_id,
    )
    await session.connection.execute(
        "SELECT directory.withdraw($1, 'invitation', $2)", session.tenant_id, invitation_id
    )
    return bool(done != "DELETE 0")


def _opened(keys: OpenScope, row: Any) -> Invitation:
    invited = opened(keys, INVITED, row["invitation_id"], 1, row["sealed"], Invited)
    if invited.role.value != row["role"]:
        raise Unopenable("an invitation has another role than was given")
    return Invitation(
        row["invitation_id"],
        invited.role,
        invited,
        row["invited_by"],
        row["created_at"],
        row["expires_at"],
    )
