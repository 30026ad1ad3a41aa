"""A person's place in a tenant, as it is stored: joining, and ending without leaving the tenant ownerless."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from mandant.tenants.errors import NotFound
from mandant.tenants.people.errors import AlreadyMember, LastOwner
from mandant.tenants.people.roles import Role
from mandant.tenants.people.sealing import opened, sealed
from mandant.vault.envelope import Place
from mandant.vault.errors import Unopenable
from mandant.vault.open_scope import OpenScope

MEMBERSHIP = Place("membership", "function")


class Function(msgspec.Struct, frozen=True):
    """What a person does in the company, in the person's words; and the role, which the row says as well."""

    role: Role
    function: str = ""

    def __repr__(self) -> str:
        return "<function>"


async def join(
    connection: Any,
    keys: OpenScope,
    tenant_id: UUID,
    person_id: UUID,
    role: Role,
    function: str,
    at: datetime,
) -> None:
    """A membership, new or taken up again, in the tenant's transaction. `keys`: the operator scope.

    A person with a membership has no end any more. Raises: AlreadyMember.
    """
    row = await connection.fetchrow(
        "SELECT version, ended_at FROM mandant.membership WHERE tenant_id = $1 AND person_id = $2 FOR UPDATE",
        tenant_id,
        person_id,
    )
    if row is not None and row["ended_at"] is None:
        raise AlreadyMember
    version = 1 if row is None else row["version"] + 1
    statement = (
        "INSERT INTO mandant.membership (tenant_id, person_id, role, version, sealed, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $6)"
        if row is None
        else "UPDATE mandant.membership"
        " SET role = $3, version = $4, sealed = $5, updated_at = $6, ended_at = NULL"
        " WHERE tenant_id = $1 AND person_id = $2"
    )
    function_sealed = sealed(keys, MEMBERSHIP, person_id, version, Function(role, function))
    await connection.execute(statement, tenant_id, person_id, role.value, version, function_sealed, at)
    await connection.execute("SELECT mandant.set_person($1)", person_id)
    await connection.execute("UPDATE mandant.person SET ends_at = NULL WHERE person_id = $1", person_id)


async def locked(connection: Any, tenant_id: UUID, person_id: UUID) -> tuple[Role, int, bytes]:
    """Role, version and sealed function of a member. Raises: NotFound.

    A tenant's members are changed one after the other: of two owners who leave at once one finds that
    the other has left.
    """
    await connection.execute("SELECT 1 FROM mandant.tenant WHERE tenant_id = $1 FOR NO KEY UPDATE", tenant_id)
    row = await connection.fetchrow(
        "SELECT role, version, sealed FROM mandant.membership"
        " WHERE tenant_id = $1 AND person_id = $2 AND ended_at IS NULL",
        tenant_id,
        person_id,
    )
    if row is None:
        raise NotFound("member")
    return Role(row["role"]), row["version"], row["sealed"]


async def keep_an_owner(connection: Any, tenant_id: UUID, leaving: UUID) -> None:
    """After `locked`. Raises: LastOwner when nobody but `leaving` is one."""
    another = await connection.fetchval(
        "SELECT 1 FROM mandant.membership"
        " WHERE tenant_id = $1 AND role = 'owner' AND ended_at IS NULL AND person_id <> $2 LIMIT 1",
        tenant_id,
        leaving,
    )
    if another is None:
        raise LastOwner


def function_of(keys: OpenScope, person_id: UUID, version: int, stored: bytes) -> str:
    """The opened function. `keys`: the operator scope."""
    return opened(keys, MEMBERSHIP, person_id, version, stored, Function).function


def check_role(keys: OpenScope, person_id: UUID, role: str, version: int, stored: bytes) -> Role:
    """The role, if the application gave it to this person in this tenant. `keys`: the operator scope.

    Raises: Unopenable where somebody wrote into the row.
    """
    given = opened(keys, MEMBERSHIP, person_id, version, stored, Function).role
    if given.value != role:
        raise Unopenable("a membership has another role than was given")
    return given
