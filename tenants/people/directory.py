"""The directory's keyed terms: how an address or a secret is found before anybody is known.

A term is `unique_term` (16 bytes, vault/FORMAT.md) under the installation's own index key, so that a
stolen table neither shows an address nor lets one be guessed, and a stolen session row opens nothing.
"""

from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg
from nacl.utils import random

from mandant.tenants.people.errors import AddressTaken
from mandant.tenants.people.system import SYSTEM_SCOPE
from mandant.vault import normalise
from mandant.vault.category import Category
from mandant.vault.keyring import Keyring

EntryKind = Literal["email", "session", "api_token", "invitation"]

_PREFIXES: dict[EntryKind, str] = {"session": "mds_", "api_token": "mdt_", "invitation": "mdi_"}


@dataclass(frozen=True, slots=True)
class Term:
    """What stands in the directory for a value. `value`: 16 bytes."""

    kind: EntryKind
    value: bytes
    generation: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What a term leads to."""

    entry_id: UUID
    person_id: UUID | None
    tenant_id: UUID | None


def new_secret(kind: EntryKind) -> str:
    """A fresh secret: 32 random bytes as 43 characters behind a prefix that says what it is."""
    return _PREFIXES[kind] + urlsafe_b64encode(random(32)).rstrip(b"=").decode()


def kind_of(secret: str) -> EntryKind | None:
    """The kind that a secret's prefix claims; None for anything else."""
    for kind, prefix in _PREFIXES.items():
        if secret.startswith(prefix) and len(secret) == len(prefix) + 43 and secret.isascii():
            return kind
    return None


async def term_of(keyring: Keyring, kind: EntryKind, value: str) -> Term:
    """The term of an address (normalised here) or of a secret. Raises: as Keyring.open."""
    scope = await keyring.open(SYSTEM_SCOPE)
    index = scope.index_key(Category.DIRECTORY)
    normal = (normalise.email(value) if kind == "email" else value) or " "
    return Term(kind, index.unique("directory", kind, normal), index.generation)


async def bound_id(
    keyring: Keyring,
    kind: EntryKind,
    secret: str,
    person_id: UUID,
    expires_at: datetime,
    tenant_id: UUID | None = None,
    role: str = "",
) -> UUID:
    """The id of a session or an API token: keyed BLAKE2b of all that its entry says.

    So an entry that was written or changed in the database has an id that does not fit.
    Raises: as Keyring.open.
    """
    index = (await keyring.open(SYSTEM_SCOPE)).index_key(Category.DIRECTORY)
    end = expires_at.astimezone(UTC).isoformat()
    said = f"{kind} {secret} {person_id} {end} {tenant_id} {role}"
    return UUID(bytes=index.unique("directory", "bound_id", said))


async def find(connection: Any, term: Term, at: datetime) -> Entry | None:
    """The entry of a term that has not expired. `connection`: an asyncpg pool or connection."""
    row = await connection.fetchrow("SELECT * FROM directory.find($1, $2, $3)", term.kind, term.value, at)
    return None if row is None else Entry(row["entry_id"], row["person_id"], row["tenant_id"])


async def add(
    connection: Any,
    term: Term,
    entry_id: UUID,
    at: datetime,
    *,
    person_id: UUID | None = None,
    tenant_id: UUID | None = None,
    expires_at: datetime | None = None,
) -> None:
    """A new entry, in the transaction of its person or tenant. Raises: AddressTaken."""
    statement = "SELECT directory.add($1, $2, $3, $4, $5, $6, $7, $8)"
    values = (term.kind, term.value, term.generation, entry_id, person_id, tenant_id, at, expires_at)
    try:
        await connection.execute(statement, *values)
    except asyncpg.PostgresError as error:
        if error.sqlstate == "MD409":
            raise AddressTaken from None
        raise


async def sweep(worker: Any, at: datetime, limit: int = 1000) -> int:
    """Remove sessions, tokens and invitations that are over; `worker`: a pool or connection of that role.

    Returns how many; call again while it is `limit`.
    """
    removed: int = await worker.fetchval("SELECT directory.sweep($1, $2)", at, limit)
    return removed


async def take(connection: Any, term: Term) -> bool:
    """Use up a session's or an invitation's secret. False when it was not there (any more)."""
    taken: bool = await connection.fetchval("SELECT directory.take($1, $2)", term.kind, term.value)
    return taken
