"""Open every record of a module, and compare its blind-index terms and unique terms with what it says."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.modules import Module, store
from mandant.tenants.modules.declaration import CannotDecode
from mandant.tenants.session import open_session
from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of, open_
from mandant.vault.errors import VaultError
from mandant.vault.keyring import Keyring
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind

BATCH = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """Something is wrong with one row: whose, in which table, and what; no content."""

    owner: UUID
    where: str
    row: UUID
    what: str


@dataclass(frozen=True, slots=True)
class Step:
    """One batch: rows looked at, and what is wrong."""

    seen: int
    findings: tuple[Finding, ...]


async def modules_of(data: DataDatabase, keyring: Keyring, tenant_id: UUID) -> list[str]:
    """Modules that a tenant has records or files of, declared or not. Raises: as open_session."""
    async with open_session(data, keyring, tenant_id) as session:
        rows = await session.connection.fetch(
            "SELECT r.module FROM mandant.record r WHERE r.tenant_id = $1"
            " UNION SELECT f.module FROM mandant.file f WHERE f.tenant_id = $1 ORDER BY 1",
            tenant_id,
        )
    return [row["module"] for row in rows]


async def verify_records(
    data: DataDatabase, keyring: Keyring, tenant_id: UUID, name: str, module: Module[Any] | None
) -> AsyncIterator[Step]:
    """All records of one module. Of a module that nobody declares, only whether they open."""
    after = UUID(int=0)
    while True:
        async with open_session(data, keyring, tenant_id) as session:
            rows = await session.connection.fetch(_ROWS, tenant_id, name, after, BATCH)
            keys = session.keys(ScopeKind.TENANT)
        findings = []
        for row in rows:
            said = _undeclared(keys, name, row) if module is None else _declared(keys, module, row)
            findings += [Finding(tenant_id, f"record ({name})", row["record_id"], what) for what in said]
        yield Step(len(rows), tuple(findings))
        if len(rows) < BATCH:
            return
        after = rows[-1]["record_id"]


# One statement, one snapshot: a record that is changed meanwhile is seen whole, before or after.
_ROWS = """
SELECT r.record_id, r.version, r.sealed, r.terms, r.generation, r.index_generation,
       coalesce(u.fields, '{}') AS fields, coalesce(u.uniques, '{}') AS uniques,
       coalesce(u.generations, '{}') AS generations
  FROM mandant.record r
  LEFT JOIN LATERAL (
       SELECT array_agg(u.field) AS fields, array_agg(u.term) AS uniques,
              array_agg(u.index_generation) AS generations
         FROM mandant.unique_term u
        WHERE u.tenant_id = r.tenant_id AND u.module = r.module AND u.record_id = r.record_id) u ON true
 WHERE r.tenant_id = $1 AND r.module = $2 AND r.record_id > $3
 ORDER BY r.record_id LIMIT $4
"""


def _declared(keys: OpenScope, module: Module[Any], row: Any) -> list[str]:
    try:
        key = keys.open_key(module.category, generation_of(row["sealed"]))
        plaintext = open_(key, store.place(module), row["record_id"], row["version"], row["sealed"])
        record = module.decode(plaintext)
    except (VaultError, CannotDecode) as error:
        return [type(error).__name__]
    said = []
    if row["generation"] != generation_of(row["sealed"]):
        said.append("the generation beside it is another")
    index = {key.generation: key for key in keys.index_keys(module.category)}
    made_with = index.get(row["index_generation"])
    if made_with is None:
        return [*said, "its terms were made with a key that is gone: reindex"]
    if set(row["terms"]) != set(store.terms(made_with, module, record)):
        said.append("its terms are not those of its values: reindex")
    stored = set(zip(row["fields"], row["uniques"], row["generations"], strict=True))
    expected = {
        (field, key.unique(module.name, field, normal), key.generation)
        for field, normal in module.unique_values(record)
        for key in index.values()
    }
    if {one for one in expected if one[2] == made_with.generation} - stored:
        said.append("a unique term is missing: reindex")
    if stored - expected:
        said.append("a unique term is not of its values: reindex")
    return said


def _undeclared(keys: OpenScope, name: str, row: Any) -> list[str]:
    for category in (Category.MODULE, Category.BANK):
        try:
            key = keys.open_key(category, generation_of(row["sealed"]))
            open_(key, Place(name, "record"), row["record_id"], row["version"], row["sealed"])
        except VaultError as error:
            said = type(error).__name__
        else:
            return []
    return [said]
