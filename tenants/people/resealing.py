"""Re-encrypt what this package stored, after a rotation: same content, same versions, the newest keys.

Each row is written by compare-and-swap on its old bytes: whoever changed it meanwhile sealed it under the
newest key anyway. Run it again after a crash. Needs the worker's role: the application's may not rewrite
an agreement.
"""

from typing import Any
from uuid import UUID

from mandant.tenants.people.agreements import EVIDENCE
from mandant.tenants.people.company import COMPANY
from mandant.tenants.people.deployment import People
from mandant.tenants.people.invitations import INVITED
from mandant.tenants.people.membership import MEMBERSHIP
from mandant.tenants.people.person import CREDENTIALS, PROFILE
from mandant.tenants.people.tokens import PURPOSE
from mandant.tenants.people.transaction import open_operator, open_person
from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of, open_, seal
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

# (table, id column, version expression, sealed column, place, category)
_OF_TENANT = (
    ("mandant.tenant", "tenant_id", "version", "sealed", COMPANY, Category.REGISTRATION),
    ("mandant.membership", "person_id", "version", "sealed", MEMBERSHIP, Category.REGISTRATION),
    ("mandant.agreement", "agreement_id", "1", "sealed", EVIDENCE, Category.CONTRACT),
    ("mandant.invitation", "invitation_id", "1", "sealed", INVITED, Category.REGISTRATION),
    ("mandant.api_token", "token_id", "1", "sealed", PURPOSE, Category.REGISTRATION),
)
_OF_PERSON = (
    ("mandant.person", "person_id", "version", "sealed", PROFILE, Category.REGISTRATION),
    (
        "mandant.person",
        "person_id",
        "credential_version",
        "sealed_credentials",
        CREDENTIALS,
        Category.REGISTRATION,
    ),
)

_Column = tuple[str, str, str, str, Place, Category]


async def reseal_tenant(people: People, tenant_id: UUID) -> int:
    """Company, memberships, agreements, invitations and tokens of a tenant. Returns how many were old.

    Raises: Unopenable at what does not open (nothing is written then); as open_session.
    """
    async with open_operator(people, tenant_id) as session:
        keys = session.keys(ScopeKind.OPERATOR)
        return sum(
            [await _reseal(session.connection, keys, "tenant_id", tenant_id, one) for one in _OF_TENANT]
        )


async def reseal_person(people: People, person_id: UUID) -> int:
    """Profile and credentials. Returns how many were old. Raises: as open_person."""
    async with open_person(people.data, people.keyring, person_id) as session:
        connection, keys = session.connection, session.keys
        return sum([await _reseal(connection, keys, "person_id", person_id, one) for one in _OF_PERSON])


async def _reseal(connection: Any, keys: OpenScope, owner: str, owner_id: UUID, column: _Column) -> int:
    table, record, version, sealed, place, category = column
    newest = keys.seal_key(category)
    columns = f"{record} AS record, {version} AS version, {sealed} AS sealed"
    rows = await connection.fetch(f"SELECT {columns} FROM {table} WHERE {owner} = $1", owner_id)
    old = [row for row in rows if generation_of(row["sealed"]) != newest.generation]
    for row in old:
        key = keys.open_key(category, generation_of(row["sealed"]))
        plaintext = open_(key, place, row["record"], row["version"], row["sealed"])
        await connection.execute(
            f"UPDATE {table} SET {sealed} = $1 WHERE {owner} = $2 AND {record} = $3 AND {sealed} = $4",
            seal(newest, place, row["record"], row["version"], plaintext),
            owner_id,
            row["record"],
            row["sealed"],
        )
    return len(old)
