"""Changes of a scope's keys: rotate, re-wrap, shred. Each is a fact of the owner.

Re-wrap: a new scope key around the same category keys, with or without the tenant's own KMS key. Rotate: a
new category key for new writes; what is sealed stays readable under its own generation. Shred: the wrapped
key is destroyed. The data database must then be told (`mandant.applied`), so that every process loads the
keys anew.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from nacl.utils import random

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.errors import ScopeChanged, Unopenable
from mandant.vault.keys import KEY_SIZE, load_scope, new_category_key, record_fact
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.scope_key import unwrap_scope_key, wrap_scope_key
from mandant.vault.stored import StoredScope
from mandant.vault.wrapping import Purpose, WrapContext, unwrap, wrap


async def rotate(
    control: ControlDatabase,
    provider: KeyProvider,
    scope: UUID,
    category: Category,
    purpose: Purpose,
    at: datetime,
) -> int:
    """Add a generation of one category's seal or index key. Returns the owner's new key state.

    One KMS call (two with BYOK). Raises: ScopeMissing, ScopeChanged, KmsError, ControlUnavailable.
    """
    stored = await load_scope(control, scope)
    scope_key = await unwrap_scope_key(provider, stored)
    async with control.transaction() as connection:
        await lock_scope(connection, stored)
        generation = 1 + await connection.fetchval(
            "SELECT coalesce(max(generation), 0) FROM control.category_key"
            " WHERE scope_id = $1 AND category = $2 AND purpose = $3",
            scope,
            category,
            purpose,
        )
        await connection.execute(
            "INSERT INTO control.category_key"
            " (scope_id, category, purpose, generation, scope_generation, wrapped, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            scope,
            category,
            purpose,
            generation,
            stored.generation,
            new_category_key(scope_key, scope, category, purpose, generation, stored.generation),
            at,
        )
        detail = {"category": category.name, "purpose": purpose.name, "generation": generation}
        return await record_fact(connection, stored.owner, "rotated", detail, at)


async def rewrap(
    control: ControlDatabase,
    provider: KeyProvider,
    scope: UUID,
    at: datetime,
    *,
    byok_key_ref: str | None,
) -> int:
    """Give a scope a NEW scope key and wrap its category keys under it. Returns the owner's new key state.

    With `byok_key_ref` the tenant's own KMS key wraps the new scope key before the epoch's does; with None
    the epoch's alone. The old scope key is deleted: whoever could unwrap it gains nothing from then on, but
    for backups of control. Rows stay as they are. Raises: ScopeMissing, ScopeChanged, KmsError (of the
    tenant's key too: nothing has changed then), ControlUnavailable.
    """
    stored = await load_scope(control, scope)
    old_key = await unwrap_scope_key(provider, stored)
    async with control.transaction() as connection:
        epoch = await connection.fetchrow("SELECT epoch, key_ref FROM control.epoch WHERE state = 'current'")
    new_key, generation = random(KEY_SIZE), stored.generation + 1
    wrapped = await wrap_scope_key(
        provider,
        new_key,
        scope_id=scope,
        kind=stored.kind,
        generation=generation,
        key_ref=epoch["key_ref"],
        byok_key_ref=byok_key_ref,
    )
    # Read back before anything is replaced: a key that the tenant's KMS wraps but will not unwrap locks out.
    proof = replace(
        stored, generation=generation, key_ref=epoch["key_ref"], wrapped=wrapped, byok_key_ref=byok_key_ref
    )
    if await unwrap_scope_key(provider, proof) != new_key:
        raise Unopenable("the KMS gave back another key than it was given")
    async with control.transaction() as connection:
        await lock_scope(connection, stored)
        living = await connection.fetch(
            "SELECT category, purpose, generation, scope_generation, wrapped FROM control.category_key"
            " WHERE scope_id = $1 AND wrapped IS NOT NULL",
            scope,
        )
        for row in living:
            category, purpose = Category(row["category"]), Purpose(row["purpose"])
            context = WrapContext(scope, category, purpose, row["generation"], row["scope_generation"])
            key = unwrap(old_key, context, row["wrapped"])
            await connection.execute(
                "UPDATE control.category_key SET wrapped = $1, scope_generation = $2"
                " WHERE scope_id = $3 AND category = $4 AND purpose = $5 AND generation = $6",
                wrap(new_key, replace(context, scope_generation=generation), key),
                generation,
                scope,
                category,
                purpose,
                row["generation"],
            )
        await connection.execute(
            "INSERT INTO control.scope_key (scope_id, generation, epoch, byok_key_ref, wrapped, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6)",
            scope,
            generation,
            epoch["epoch"],
            byok_key_ref,
            wrapped,
            at,
        )
        await connection.execute(
            "DELETE FROM control.scope_key WHERE scope_id = $1 AND generation < $2", scope, generation
        )
        detail = {"kind": stored.kind.value, "generation": generation, "byok": byok_key_ref is not None}
        return await record_fact(connection, stored.owner, "rewrapped", detail, at)


async def lock_scope(connection: Any, stored: StoredScope) -> None:
    """Let changes of one owner's keys take turns, and refuse one that was prepared on keys replaced since.

    Raises: ScopeChanged.
    """
    await connection.execute("SELECT pg_advisory_xact_lock(2, hashtext($1::text))", str(stored.owner))
    generation = await connection.fetchval(
        "SELECT max(generation) FROM control.scope_key WHERE scope_id = $1", stored.scope_id
    )
    if generation != stored.generation:
        raise ScopeChanged("the scope was re-wrapped meanwhile; try again")


async def shred(
    control: ControlDatabase,
    scope: UUID,
    category: Category,
    at: datetime,
    *,
    purpose: Purpose | None = None,
    below: int | None = None,
) -> int:
    """Destroy the wrapped keys of a category: all, or one purpose's, or its generations under `below`.

    Returns the owner's new key state. What they sealed does not open from the moment the data database is
    told; a backup of control opens it until the epoch's KMS key is gone. Raises: ScopeMissing.
    """
    stored = await load_scope(control, scope)
    async with control.transaction() as connection:
        await connection.execute(
            "UPDATE control.category_key SET wrapped = NULL, shredded_at = $1"
            " WHERE scope_id = $2 AND category = $3 AND wrapped IS NOT NULL"
            " AND ($4::smallint IS NULL OR purpose = $4) AND ($5::integer IS NULL OR generation < $5)",
            at,
            scope,
            category,
            purpose,
            below,
        )
        detail = {"category": category.name, "purpose": purpose.name if purpose else None, "below": below}
        return await record_fact(connection, stored.owner, "shredded", detail, at)
