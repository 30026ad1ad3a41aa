"""New generations of category keys, and the end of old index keys. Each is a fact of the owner.

Rotate: a new key for new writes; what is sealed stays readable under its own generation. The data
database must then be told (`mandant.applied`), so that every process loads the new key before it writes.
"""

from datetime import datetime
from uuid import UUID

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.keys import load_scope, new_category_key, record_fact
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.scope_key import unwrap_scope_key
from mandant.vault.wrapping import Purpose


async def rotate(
    control: ControlDatabase,
    provider: KeyProvider,
    scope: UUID,
    category: Category,
    purpose: Purpose,
    at: datetime,
) -> int:
    """Add a generation of one category's seal or index key. Returns the owner's new key state.

    One KMS call (two with BYOK). Raises: ScopeMissing, KmsError, ControlUnavailable.
    """
    stored = await load_scope(control, scope)
    scope_key = await unwrap_scope_key(provider, stored)
    async with control.transaction() as connection:
        await connection.execute("SELECT pg_advisory_xact_lock(2, hashtext($1::text))", str(stored.owner))
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
