"""A user and a company, made together and linked. Source: C4.2, C5.3.

Control comes first: the scopes of tenant and person exist before any row names them. A registration
that then fails leaves scopes that seal nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from mandant.tenants.people.agreements import AgreementKind, check_editions, record_acceptance
from mandant.tenants.people.company import COMPANY, Company, check_company
from mandant.tenants.people.deployment import People
from mandant.tenants.people.directory import add, term_of
from mandant.tenants.people.membership import join
from mandant.tenants.people.person import Credentials, Profile, insert_person, read_person
from mandant.tenants.people.roles import Role
from mandant.tenants.people.sealing import sealed
from mandant.tenants.people.transaction import open_person
from mandant.tenants.session import transaction
from mandant.vault.keys import create_scope
from mandant.vault.open_scope import OpenScope
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind


@dataclass(frozen=True, slots=True)
class Registration:
    """What a newcomer sends. `accepts`: the edition of each document that was accepted."""

    profile: Profile
    password: str = field(repr=False)
    company: Company
    function: str = field(repr=False)
    accepts: Mapping[AgreementKind, str]
    byok_key_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """The ids of what was made."""

    tenant_id: UUID
    person_id: UUID


async def register(people: People, wanted: Registration) -> Registered:
    """A person, a tenant, the person its owner, both documents accepted: all of it or nothing.

    Does the same work whether the address is known or not. Raises: AddressTaken, which whoever is not
    signed in must not be told; Invalid; KmsError, ControlUnavailable, DataUnavailable.
    """
    check_editions(wanted.accepts)
    check_company(wanted.company)
    password_hash = await people.passwords.hash(wanted.password)
    at = people.clock.now()
    person_id = uuid7()
    person_keys = await new_person_keys(people, person_id, at)
    tenant_id, operator_keys = await _new_tenant_keys(people, at, wanted.byok_key_ref)
    email = await term_of(people.keyring, "email", wanted.profile.email)
    async with transaction(people.data) as connection:
        await connection.execute("SELECT mandant.set_person($1)", person_id)
        await insert_person(
            connection, person_keys, person_id, wanted.profile, Credentials(password_hash), at
        )
        await _found(connection, operator_keys, tenant_id, person_id, wanted.profile, wanted, at)
        # Last, so that a known address is refused after the same work.
        await add(connection, email, person_id, at, person_id=person_id)
    return Registered(tenant_id, person_id)


@dataclass(frozen=True, slots=True)
class NewTenant:
    """Another company of a person who is signed in."""

    company: Company
    function: str = field(repr=False)
    accepts: Mapping[AgreementKind, str]
    byok_key_ref: str | None = None


async def create_tenant_for(people: People, person_id: UUID, wanted: NewTenant) -> UUID:
    """A tenant whose owner is a person who has a sign-in already. Raises: as register, and NotFound."""
    check_editions(wanted.accepts)
    check_company(wanted.company)
    at = people.clock.now()
    tenant_id, operator_keys = await _new_tenant_keys(people, at, wanted.byok_key_ref)
    async with open_person(people.data, people.keyring, person_id) as session:
        profile = (await read_person(session)).profile
        await _found(session.connection, operator_keys, tenant_id, person_id, profile, wanted, at)
    return tenant_id


async def new_person_keys(people: People, person_id: UUID, at: datetime) -> OpenScope:
    """The keys of a person who is about to exist."""
    scope = await create_scope(people.control, people.provider, person_id, ScopeKind.PERSON, at)
    return await people.keyring.open(scope)


async def _new_tenant_keys(people: People, at: datetime, byok: str | None) -> tuple[UUID, OpenScope]:
    tenant_id = uuid7()
    await create_scope(people.control, people.provider, tenant_id, ScopeKind.TENANT, at, byok_key_ref=byok)
    await create_scope(people.control, people.provider, tenant_id, ScopeKind.OPERATOR, at)
    return tenant_id, await people.keyring.open(scope_id(tenant_id, ScopeKind.OPERATOR))


async def _found(
    connection: Any,
    keys: OpenScope,
    tenant_id: UUID,
    person_id: UUID,
    profile: Profile,
    wanted: Registration | NewTenant,
    at: datetime,
) -> None:
    await connection.execute(
        "SELECT mandant.create_tenant($1, $2, $3)",
        tenant_id,
        sealed(keys, COMPANY, tenant_id, 1, wanted.company),
        at,
    )
    await join(connection, keys, tenant_id, person_id, Role.OWNER, wanted.function, at)
    await record_acceptance(connection, keys, tenant_id, person_id, profile, at)
