"""API tokens: they act for the member who made them, in one tenant, with that role or a lower one.

A token ends with its date, its revocation or its member's membership, whichever comes first.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from mandant.tenants.errors import Forbidden, Invalid, NotFound
from mandant.tenants.people.deployment import People
from mandant.tenants.people.directory import add, bound_id, new_secret, term_of
from mandant.tenants.people.roles import Action, Role, lower
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.transaction import open_operator
from mandant.tenants.people.who import CurrentMember, as_of_now
from mandant.tenants.session import TenantSession
from mandant.vault.envelope import Place
from mandant.vault.stored import ScopeKind

PURPOSE = Place("api_token", "purpose")
LONGEST_DAYS = 365


class Purpose(msgspec.Struct, frozen=True):
    """What a token is for, in its maker's words."""

    name: str

    def __repr__(self) -> str:
        return "<purpose>"


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token as it is listed. `role`: the most that it may."""

    token_id: UUID
    person_id: UUID
    role: Role
    name: str = field(repr=False)
    created_at: datetime
    expires_at: datetime


async def create_token(
    people: People, by: CurrentMember, name: str, role: Role, days: int
) -> tuple[ApiToken, str]:
    """A new token and its secret, which is shown this once.

    Raises: Forbidden for a token, or a role above the maker's; Invalid; NotFound for who was just removed;
    as open_session.
    """
    _by_a_person(by)
    if role is Role.OWNER:
        raise Invalid([("role", "a token is an admin or a member")])
    _may(by, role)
    if not 1 <= days <= LONGEST_DAYS:
        raise Invalid([("days", f"1 to {LONGEST_DAYS}")])
    at = people.clock.now()
    secret = new_secret("api_token")
    term = await term_of(people.keyring, "api_token", secret)
    end = at + timedelta(days=days)
    token_id = await bound_id(
        people.keyring, "api_token", secret, by.person_id, end, by.tenant_id, role.value
    )
    token = ApiToken(token_id, by.person_id, role, name, at, end)
    async with open_operator(people, by.tenant_id, write=True) as session:
        _may(await as_of_now(session, by), role)
        keys = session.keys(ScopeKind.OPERATOR)
        await session.connection.execute(
            "INSERT INTO mandant.api_token"
            " (tenant_id, token_id, person_id, role, sealed, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            by.tenant_id,
            token.token_id,
            by.person_id,
            role.value,
            sealed(keys, PURPOSE, token.token_id, 1, Purpose(name)),
            at,
            token.expires_at,
        )
        await add(
            session.connection,
            term,
            token.token_id,
            at,
            person_id=by.person_id,
            tenant_id=by.tenant_id,
            expires_at=token.expires_at,
        )
    return token, secret


async def list_tokens(people: People, by: CurrentMember) -> list[ApiToken]:
    """All tokens of the tenant, newest first. Raises: Forbidden; as open_session."""
    _by_a_person(by)
    async with open_operator(people, by.tenant_id) as session:
        rows = await session.connection.fetch(
            "SELECT token_id, person_id, role, sealed, created_at, expires_at FROM mandant.api_token"
            " WHERE tenant_id = $1 ORDER BY created_at DESC, token_id",
            by.tenant_id,
        )
        keys = session.keys(ScopeKind.OPERATOR)
        return [
            ApiToken(
                row["token_id"],
                row["person_id"],
                Role(row["role"]),
                opened(keys, PURPOSE, row["token_id"], 1, row["sealed"], Purpose).name,
                row["created_at"],
                row["expires_at"],
            )
            for row in rows
        ]


async def revoke_token(people: People, by: CurrentMember, token_id: UUID) -> None:
    """It counts at the very next request. Raises: Forbidden, NotFound; as open_session."""
    _by_a_person(by)
    async with open_operator(people, by.tenant_id, write=True) as session:
        done = await session.connection.execute(
            "DELETE FROM mandant.api_token WHERE tenant_id = $1 AND token_id = $2", by.tenant_id, token_id
        )
        if done == "DELETE 0":
            raise NotFound("token")
        await session.connection.execute(
            "SELECT directory.withdraw($1, 'api_token', $2)", by.tenant_id, token_id
        )


async def revoke_all(session: TenantSession, person_id: UUID) -> None:
    """The tokens of a member who leaves, in the same transaction."""
    rows = await session.connection.fetch(
        "DELETE FROM mandant.api_token WHERE tenant_id = $1 AND person_id = $2 RETURNING token_id",
        session.tenant_id,
        person_id,
    )
    for row in rows:
        await session.connection.execute(
            "SELECT directory.withdraw($1, 'api_token', $2)", session.tenant_id, row["token_id"]
        )


def _may(by: CurrentMember, role: Role) -> None:
    _by_a_person(by)
    if lower(role, by.role) is not role:
        raise Forbidden("a token with a higher role than yours")


def _by_a_person(by: CurrentMember) -> None:
    """A token makes no tokens: whoever steals one cannot make it last. Raises: Forbidden."""
    by.require(Action.MANAGE_TOKENS)
    if by.token_id is not None:
        raise Forbidden("managing API tokens with an API token")
