"""The key hierarchy as the control database holds it: epochs, scopes, category keys, generations.

Every function that asks the KMS does so before it opens its transaction.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
from nacl.utils import random

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.errors import ControlUnavailable, ScopeMissing
from mandant.vault.guard import forbid_network
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.scope_key import wrap_scope_key
from mandant.vault.scopes import CATEGORIES, scope_id
from mandant.vault.stored import ScopeKind, StoredCategoryKey, StoredScope
from mandant.vault.wrapping import Purpose, WrapContext, wrap

KEY_SIZE = 32


async def ensure_epoch(control: ControlDatabase, provider: KeyProvider, at: datetime) -> int:
    """The current epoch; the installation's first one is made where there is none.

    The intention is committed before the KMS key is made, and the key carries the epoch as a tag, so a
    crash between the two leaves no key that nobody finds.
    """
    async with control.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(1)")
        epoch: int | None = await connection.fetchval(
            "SELECT epoch FROM control.epoch WHERE state = 'current'"
        )
        if epoch is not None:
            return epoch
        await connection.execute(
            "INSERT INTO control.epoch (epoch, provider, key_ref, state, created_at)"
            " VALUES (1, $1, '', 'intended', $2) ON CONFLICT DO NOTHING",
            provider.name,
            at,
        )
    key_ref = await provider.create_key({"mandant:epoch": "1"}, "mandant, epoch 1")
    async with control.transaction() as connection:
        await connection.execute(
            "UPDATE control.epoch SET state = 'current', key_ref = $1 WHERE epoch = 1 AND state = 'intended'",
            key_ref,
        )
    return 1


async def create_scope(
    control: ControlDatabase,
    provider: KeyProvider,
    owner: UUID,
    kind: ScopeKind,
    at: datetime,
    *,
    byok_key_ref: str | None = None,
) -> UUID:
    """A new scope with a scope key and, for each category of its kind, a seal key and an index key.

    One call to the KMS, two with `byok_key_ref`: the tenant's own KMS key wraps first, the epoch's after.
    A scope that exists already stays as it is. Raises: KmsError, ControlUnavailable.
    """
    forbid_network("kms")
    scope = scope_id(owner, kind)
    async with control.transaction() as connection:
        row = await connection.fetchrow("SELECT epoch, key_ref FROM control.epoch WHERE state = 'current'")
    if row is None:
        raise ScopeMissing("there is no epoch yet: run 'mandant database upgrade' and start the service once")
    scope_key = random(KEY_SIZE)
    wrapped = await wrap_scope_key(
        provider,
        scope_key,
        scope_id=scope,
        kind=kind,
        generation=1,
        key_ref=row["key_ref"],
        byok_key_ref=byok_key_ref,
    )
    async with control.transaction() as connection:
        made = await connection.execute(
            "INSERT INTO control.scope (scope_id, owner, kind, created_at) VALUES ($1, $2, $3, $4)"
            " ON CONFLICT DO NOTHING",
            scope,
            owner,
            kind.value,
            at,
        )
        if made == "INSERT 0 0":
            return scope
        await connection.execute(
            "INSERT INTO control.scope_key (scope_id, generation, epoch, byok_key_ref, wrapped, created_at)"
            " VALUES ($1, 1, $2, $3, $4, $5)",
            scope,
            row["epoch"],
            byok_key_ref,
            wrapped,
            at,
        )
        await connection.executemany(
            _INSERT_CATEGORY_KEY,
            [
                (
                    scope,
                    category,
                    purpose,
                    1,
                    1,
                    new_category_key(scope_key, scope, category, purpose, 1, 1),
                    at,
                )
                for category in CATEGORIES[kind]
                for purpose in Purpose
            ],
        )
    return scope


def new_category_key(
    scope_key: bytes,
    scope: UUID,
    category: Category,
    purpose: Purpose,
    generation: int,
    scope_generation: int,
) -> bytes:
    """A fresh category key, wrapped: 105 bytes."""
    context = WrapContext(scope, category, purpose, generation, scope_generation)
    return wrap(scope_key, context, random(KEY_SIZE))


async def load_scope(control: ControlDatabase, scope: UUID) -> StoredScope:
    """A scope as it is stored, and its owner's key state, read in one statement.

    Raises: ScopeMissing, ControlUnavailable.
    """
    try:
        row = await control.pool.fetchrow(_LOAD, scope)
    except (OSError, asyncpg.InterfaceError, asyncpg.PostgresConnectionError, TimeoutError) as error:
        raise ControlUnavailable("the control database does not answer") from error
    if row is None:
        raise ScopeMissing("no keys are stored for this scope")
    return StoredScope(
        scope_id=scope,
        owner=row["owner"],
        kind=ScopeKind(row["kind"]),
        key_state=row["key_state"],
        generation=row["generation"],
        key_ref=row["key_ref"],
        wrapped=row["wrapped"],
        byok_key_ref=row["byok_key_ref"],
        category_keys=tuple(
            StoredCategoryKey(Category(category), Purpose(purpose), generation, wrapped)
            for category, purpose, generation, wrapped in zip(
                row["categories"], row["purposes"], row["generations"], row["wraps"], strict=True
            )
        ),
    )


async def record_fact(connection: Any, owner: UUID, kind: str, detail: dict[str, Any], at: datetime) -> int:
    """Append a fact about an owner, in the caller's control transaction. Returns its sequence number.

    `detail` holds ids, categories and dates: no names, no content. Facts of one owner take turns.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(2, hashtext($1::text))", str(owner))
    sequence: int = await connection.fetchval(
        "INSERT INTO control.fact (owner, sequence, kind, detail, at)"
        " SELECT $1, coalesce(max(f.sequence), 0) + 1, $2, $3::text::jsonb, $4"
        " FROM control.fact f WHERE f.owner = $1"
        " RETURNING sequence",
        owner,
        kind,
        msgspec.json.encode(detail).decode(),
        at,
    )
    return sequence


_INSERT_CATEGORY_KEY = (
    "INSERT INTO control.category_key"
    " (scope_id, category, purpose, generation, scope_generation, wrapped, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
)

_LOAD = """
SELECT s.owner, s.kind, k.generation, k.wrapped, k.byok_key_ref, e.key_ref,
       coalesce((SELECT max(f.sequence) FROM control.fact f WHERE f.owner = s.owner), 0) AS key_state,
       c.categories, c.purposes, c.generations, c.wraps
  FROM control.scope s
 CROSS JOIN LATERAL (
       SELECT array_agg(c.category) AS categories, array_agg(c.purpose) AS purposes,
              array_agg(c.generation) AS generations, array_agg(c.wrapped) AS wraps
         FROM control.category_key c WHERE c.scope_id = s.scope_id) c
  JOIN control.scope_key k ON k.scope_id = s.scope_id
  JOIN control.epoch e ON e.epoch = k.epoch
 WHERE s.scope_id = $1
 ORDER BY k.generation DESC LIMIT 1
"""
