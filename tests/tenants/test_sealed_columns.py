"""The list of sealed columns is the catalog's, and all of them follow a rotated key."""

from typing import Any
from uuid import UUID

import pytest

from mandant.tenants.database import DataDatabase
from mandant.tenants.sealed_columns import SEALED_COLUMNS, TENANT_COLUMNS, SealedColumn
from mandant.tenants.sealed_rows import tenant_rows
from mandant.tenants.session import Tenant
from mandant.vault.envelope import generation_of, open_, seal
from mandant.vault.rotation import rotate
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.format_page import lines_of_the_page
from tests.promises.catalog import fill, tables
from tests.stack import Stack

# Gone through by tenants/modules: reseal.py and file_reseal.py.
OF_MODULES = {("mandant.record", "sealed"), ("mandant.file", "sealed")}


async def test_every_sealed_column_of_the_catalog_is_in_the_list(stack: Stack) -> None:
    admin = await stack.connect("postgres")
    try:
        found = {
            (str(table), column.name)
            for table in await tables(admin)
            for column in table.columns
            if column.type == "bytea" and column.name.startswith("sealed")
        }
    finally:
        await admin.close()
    listed = [(f"mandant.{column.table}", column.sealed) for column in SEALED_COLUMNS]
    assert sorted(listed) == sorted(found - OF_MODULES)


def test_the_list_says_what_the_table_of_the_format_says() -> None:
    page = {
        (f"mandant.{line.table}", line.column): (
            *(line.record_id, line.version, line.module, line.field, line.kind, line.owner, line.category),
        )
        for line in lines_of_the_page()
    }
    listed = {
        (f"mandant.{column.table}", column.sealed): (
            column.id,
            column.version or "1",
            column.place.module,
            column.place.field,
            column.kind.value,
            "person_id" if column.kind is ScopeKind.PERSON else "tenant_id",
            column.category.value,
        )
        for column in SEALED_COLUMNS
    }
    assert {place: line for place, line in page.items() if place not in OF_MODULES} == listed
    assert page.keys() >= OF_MODULES


async def _seal_row(stack: Stack, admin: Any, tenant: Tenant, column: SealedColumn) -> None:
    """A row of the column's table whose sealed bytes are really sealed, under the newest key."""
    keys = await stack.keyring.open(scope_id(tenant.tenant_id, column.kind))
    table = next(one for one in await tables(admin) if str(one) == f"mandant.{column.table}")
    if column.table != "tenant":
        await fill(admin, table, tenant.tenant_id)
    row = await admin.fetchrow(
        f"SELECT {column.id} AS id, {column.version or 1} AS version FROM mandant.{column.table} WHERE tenant_id = $1",
        tenant.tenant_id,
    )
    record_id = row["id"] if isinstance(row["id"], UUID) else UUID(bytes=bytes(row["id"]))
    fresh = seal(keys.seal_key(column.category), column.place, record_id, row["version"], b"x")
    await admin.execute(
        f"UPDATE mandant.{column.table} SET {column.sealed} = $2 WHERE tenant_id = $1",
        tenant.tenant_id,
        fresh,
    )


@pytest.mark.parametrize("column", TENANT_COLUMNS, ids=str)
async def test_a_sealed_column_follows_the_newest_key_and_keeps_its_content(
    stack: Stack, column: SealedColumn
) -> None:
    tenant = await stack.tenant()
    admin = await stack.connect("postgres")
    worker = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    try:
        await _seal_row(stack, admin, tenant, column)
        scope, at = scope_id(tenant.tenant_id, column.kind), stack.clock.now()
        state = await rotate(stack.control, stack.provider, scope, column.category, Purpose.SEAL, at)
        await worker.pool.execute("SELECT mandant.applied($1, $2, $3)", tenant.tenant_id, state, at)
        runs = [
            [done async for done in tenant_rows(worker, stack.keyring, tenant.tenant_id, reseal=True)]
            for _ in range(2)
        ]
        resealed = [{str(done.column) for done in run if done.resealed} for run in runs]
        assert str(column) in resealed[0]
        assert resealed[1] == set(), "nothing twice"
        row = await admin.fetchrow(
            f"SELECT {column.id} AS id, {column.version or 1} AS version, {column.sealed} AS sealed"
            f" FROM mandant.{column.table} WHERE tenant_id = $1",
            tenant.tenant_id,
        )
        assert row is not None
        keys = await stack.keyring.open(scope)
        record_id = row["id"] if isinstance(row["id"], UUID) else UUID(bytes=bytes(row["id"]))
        assert generation_of(row["sealed"]) == 2
        key = keys.open_key(column.category, 2)
        assert open_(key, column.place, record_id, row["version"], row["sealed"]) == b"x"
    finally:
        await worker.close()
        await admin.close()
