"""Which rows were imported before: told by 16 keyed bytes a row, beside the record that it became.

The key is one of the tenant's own, random, and sealed under its module key. Not the index key: a reindex
replaces that and makes terms anew from the records, but what a row was is not in its record (a source's own
id, say) and is kept nowhere. So a reindex changes nothing here, a rotation seals the key anew, and with the
tenant's keys it is destroyed. A term goes with its record: deleted and imported again, it is made again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from mandant.tenants.modules.declaration import Module
from mandant.tenants.session import TenantSession
from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of
from mandant.vault.index import unique_term

PLACE = Place("imports", "key")


async def term_key(session: TenantSession) -> bytes:
    """The tenant's key, 32 bytes; made when it is asked for the first time."""
    select = "SELECT sealed FROM mandant.import_key WHERE tenant_id = $1"
    sealed: bytes | None = await session.connection.fetchval(select, session.tenant_id)
    if sealed is None:
        fresh = session.keys().seal_key(Category.MODULE).sealer(PLACE)
        await session.connection.execute(
            "INSERT INTO mandant.import_key (tenant_id, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            session.tenant_id,
            fresh.seal(session.tenant_id, 1, os.urandom(32)),
        )
        sealed = await session.connection.fetchval(select, session.tenant_id)
    assert sealed is not None  # noqa: S101 - it is there, whoever of two made it
    key = session.keys().open_key(Category.MODULE, generation_of(sealed))
    return key.sealer(PLACE).open(session.tenant_id, 1, sealed)


def row_term(key: bytes, module: Module[Any], identity: bytes) -> bytes:
    """16 bytes for what `dedupe_key` made of a row."""
    return unique_term(key, module.name, "import", blake2b(identity, digest_size=32).hexdigest())


async def known(session: TenantSession, module: str, terms: Sequence[bytes]) -> set[bytes]:
    """Those of `terms` whose rows were imported and whose records are still there."""
    rows = await session.connection.fetch(
        "SELECT term FROM mandant.import_row WHERE tenant_id = $1 AND module = $2 AND term = ANY ($3)",
        session.tenant_id,
        module,
        terms,
    )
    return {row["term"] for row in rows}


async def own_ids(session: TenantSession, module: str, uids: Sequence[str | None]) -> set[str]:
    """Those of `uids` that are ids of records here: our own export, come back to where it was made."""
    ids = {uid: parsed for uid in uids if uid and (parsed := _uuid(uid))}
    if not ids:
        return set()
    rows = await session.connection.fetch(
        "SELECT record_id FROM mandant.record WHERE tenant_id = $1 AND module = $2 AND record_id = ANY ($3)",
        session.tenant_id,
        module,
        list(ids.values()),
    )
    here = {row["record_id"] for row in rows}
    return {uid for uid, parsed in ids.items() if parsed in here}


async def remember(
    session: TenantSession, module: str, terms: Sequence[bytes], record_ids: Sequence[UUID]
) -> None:
    """That these rows became these records."""
    await session.connection.execute(
        "INSERT INTO mandant.import_row (tenant_id, module, term, record_id)"
        " SELECT $1, $2, u.term, u.record_id FROM unnest($3::bytea[], $4::uuid[]) AS u (term, record_id)",
        session.tenant_id,
        module,
        terms,
        record_ids,
    )


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
