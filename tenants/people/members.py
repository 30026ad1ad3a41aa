"""A tenant's people: list, change, remove. Source: C4.3.

A leaving person's data goes without the company's data going: the membership ends at once, the person's
own keys three months after the last one (leaving.py).
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from mandant.tenants.people.company import company_of
from mandant.tenants.people.deployment import People
from mandant.tenants.people.leaving import ends_at
from mandant.tenants.people.membership import MEMBERSHIP, Function, function_of, keep_an_owner, locked
from mandant.tenants.people.person import PROFILE, Profile
from mandant.tenants.people.roles import Action, Role
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.tokens import revoke_all
from mandant.tenants.people.transaction import open_operator
from mandant.tenants.people.who import CurrentMember, as_of_now, no_power_by_token
from mandant.tenants.session import StaleKeys, renew
from mandant.vault.keyring import Keyring
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind

_AT_ONCE = 8  # person scopes that are opened together: each may be a call to the KMS


@dataclass(frozen=True, slots=True)
class Member:
    """A person as colleagues see it."""

    person_id: UUID
    role: Role
    joined_at: datetime
    profile: Profile = field(repr=False)
    function: str = field(repr=False)


async def list_members(people: People, by: CurrentMember) -> list[Member]:
    """All members, in the order they joined. Raises: Forbidden; as open_session."""
    by.require(Action.SEE_MEMBERS)
    async with open_operator(people, by.tenant_id) as session:
        rows = await session.connection.fetch("SELECT * FROM directory.members($1)", by.tenant_id)
        keys = session.keys(ScopeKind.OPERATOR)
    few = asyncio.Semaphore(_AT_ONCE)

    async def profile(row: Any) -> Profile:
        async with few:
            return await _profile(people.keyring, row)

    profiles = await asyncio.gather(*(profile(row) for row in rows))
    return [
        Member(
            row["person_id"],
            Role(row["role"]),
            row["created_at"],
            one,
            function_of(keys, row["person_id"], row["version"], row["sealed"]),
        )
        for row, one in zip(rows, profiles, strict=True)
    ]


async def change_member(
    people: People,
    by: CurrentMember,
    person_id: UUID,
    *,
    role: Role | None = None,
    function: str | None = None,
) -> None:
    """Another role or function. Raises: Forbidden, NotFound, LastOwner; as open_session."""
    by.require(Action.MANAGE_MEMBERS)
    async with open_operator(people, by.tenant_id, write=True) as session:
        by = await as_of_now(session, by)
        by.require(Action.MANAGE_MEMBERS)
        keys = session.keys(ScopeKind.OPERATOR)
        before, version, stored = await locked(session.connection, by.tenant_id, person_id)
        wanted = before if role is None else role
        if wanted is not before:
            no_power_by_token(by, wanted)
        if Role.OWNER in (before, wanted):
            by.require(Action.MANAGE_OWNERS)
        if before is Role.OWNER and wanted is not Role.OWNER:
            await keep_an_owner(session.connection, by.tenant_id, person_id)
        words = function_of(keys, person_id, version, stored) if function is None else function
        await session.connection.execute(
            "UPDATE mandant.membership SET role = $3, version = $4, sealed = $5, updated_at = $6"
            " WHERE tenant_id = $1 AND person_id = $2",
            by.tenant_id,
            person_id,
            wanted.value,
            version + 1,
            sealed(keys, MEMBERSHIP, person_id, version + 1, Function(wanted, words)),
            people.clock.now(),
        )


async def remove_member(people: People, by: CurrentMember, person_id: UUID) -> None:
    """End a membership; anybody may end their own. It counts at the very next request.

    The person's API tokens for the tenant go with it.
    Raises: Forbidden, NotFound, LastOwner; as open_session.
    """
    _may_remove(by, person_id)
    at = people.clock.now()
    async with open_operator(people, by.tenant_id, write=True) as session:
        by = await as_of_now(session, by)
        _may_remove(by, person_id)
        role, _, _ = await locked(session.connection, by.tenant_id, person_id)
        if role is Role.OWNER:
            by.require(Action.MANAGE_OWNERS)
            await keep_an_owner(session.connection, by.tenant_id, person_id)
        await session.connection.execute(
            "UPDATE mandant.membership SET ended_at = $3, updated_at = $3"
            " WHERE tenant_id = $1 AND person_id = $2",
            by.tenant_id,
            person_id,
            at,
        )
        await revoke_all(session, person_id)
        company = await company_of(session.connection, session.keys(ScopeKind.OPERATOR), by.tenant_id)
        await session.connection.execute(
            "SELECT directory.left_tenant($1, $2, $3)",
            by.tenant_id,
            person_id,
            ends_at(at, company.company.time_zone),
        )


def _may_remove(by: CurrentMember, person_id: UUID) -> None:
    if person_id != by.person_id or by.token_id is not None:
        by.require(Action.MANAGE_MEMBERS)


async def _profile(keyring: Keyring, row: Any) -> Profile:
    """A colleague's profile, opened with keys as new as the row."""
    keys = await keyring.open(scope_id(row["person_id"], ScopeKind.PERSON))
    if keys.key_state != row["person_key_state"]:
        keys = await renew(keyring, keys, StaleKeys(row["person_key_state"]))
    return opened(keys, PROFILE, row["person_id"], row["person_version"], row["person_sealed"], Profile)
