"""What the schema itself must look like for promise 2 to hold, read from the live catalog."""

from typing import Any

import asyncpg
import pytest

from tests.promises.catalog import tables
from tests.stack import Stack

LOGINS = ("mandant_owner", "mandant_app", "mandant_worker", "mandant_staff")
CATEGORIES = {
    *("module", "bank", "registration", "contract", "technical", "bank_log", "communication", "behaviour"),
    *("newsletter", "server_log", "accountability", "directory", "queue", "operator"),
}


@pytest.fixture
async def admin(stack: Stack) -> Any:
    connection = await stack.connect("postgres")
    yield connection
    await connection.close()


@pytest.fixture
async def control(stack: Stack) -> Any:
    connection = await asyncpg.connect(stack.control_url("postgres"))
    yield connection
    await connection.close()


async def test_every_table_says_whose_it_is(admin: Any, control: Any) -> None:
    for connection in (admin, control):
        assert [
            t.name for t in await tables(connection) if t.kind is None and not _procrastinate(t.name)
        ] == []


async def test_every_column_of_the_data_database_names_its_category(admin: Any) -> None:
    unclassified = [
        f"{table}.{column.name}"
        for table in await tables(admin)
        if not _procrastinate(table.name)
        for column in table.columns
        if (column.comment or "").partition(":")[0] not in CATEGORIES
    ]
    assert unclassified == []


async def test_whoever_has_a_tenant_id_is_a_tenants_table_under_forced_row_level_security(admin: Any) -> None:
    for table in await tables(admin):
        has_tenant = any(column.name == "tenant_id" for column in table.columns)
        if table.kind == "tenant":
            assert has_tenant, table.name
            assert table.forced, table.name
        elif has_tenant:
            assert table.kind in ("directory", "queue"), table.name


async def test_keys_of_tenant_tables_start_with_the_tenant(admin: Any) -> None:
    rows = await admin.fetch(
        """
        SELECT c.oid::regclass::text AS name, i.indexrelid::regclass::text AS index,
               (SELECT attname FROM pg_attribute WHERE attrelid = c.oid AND attnum = i.indkey[0]) AS first
          FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
         WHERE i.indisunique AND obj_description(c.oid, 'pg_class') LIKE 'tenant:%'
        """
    )
    assert rows
    assert [row["index"] for row in rows if row["first"] != "tenant_id"] == []


async def test_foreign_keys_of_tenant_tables_carry_the_tenant_on_both_sides(admin: Any) -> None:
    rows = await admin.fetch(
        """
        SELECT k.conname,
               (SELECT attname FROM pg_attribute WHERE attrelid = k.conrelid AND attnum = k.conkey[1]) AS here,
               (SELECT attname FROM pg_attribute WHERE attrelid = k.confrelid AND attnum = k.confkey[1]) AS there,
               obj_description(k.confrelid, 'pg_class') LIKE 'tenant:%' AS to_tenant_table
          FROM pg_constraint k
         WHERE k.contype = 'f' AND obj_description(k.conrelid, 'pg_class') LIKE 'tenant:%'
        """
    )
    assert rows
    for row in rows:
        if row["to_tenant_table"]:
            assert (row["here"], row["there"]) == ("tenant_id", "tenant_id"), row["conname"]


async def test_no_view_and_no_partition_goes_around_the_policies(admin: Any) -> None:
    found = await admin.fetch(
        """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND (c.relkind = 'm' OR c.relispartition
                OR c.relkind = 'v' AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false))
        """
    )
    assert [row[0] for row in found if not _procrastinate(row[0])] == []


async def test_definer_functions_belong_to_roles_that_cannot_sign_in_and_fix_their_search_path(
    admin: Any,
) -> None:
    found = await admin.fetch(
        """
        SELECT p.oid::regprocedure::text AS name, r.rolcanlogin OR r.rolsuper OR r.rolbypassrls AS strong,
               coalesce(p.proconfig::text LIKE '%search_path=%', false) AS fixed,
               has_function_privilege('public', p.oid, 'EXECUTE') AS public
          FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')
        """
    )
    assert found
    assert [row["name"] for row in found if row["strong"] or not row["fixed"] or row["public"]] == []


async def test_no_function_is_for_everybody(admin: Any) -> None:
    found = await admin.fetch(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
           AND has_function_privilege('public', p.oid, 'EXECUTE')
        """
    )
    assert [row[0] for row in found] == []


async def test_roles_that_sign_in_own_nothing_but_the_owners_objects_and_bypass_nothing(admin: Any) -> None:
    for role in LOGINS:
        row = await admin.fetchrow(
            "SELECT rolsuper, rolbypassrls, rolcreatedb, rolcreaterole, rolreplication FROM pg_roles WHERE rolname = $1",
            role,
        )
        assert not any(row.values()), role
        if role != "mandant_owner":
            assert (
                await admin.fetchval("SELECT count(*) FROM pg_class WHERE relowner = $1::regrole", role) == 0
            )
            assert (
                await admin.fetchval("SELECT count(*) FROM pg_auth_members WHERE member = $1::regrole", role)
                == 0
            )


async def test_the_application_has_neither_truncate_nor_trigger_nor_references_on_any_table(
    admin: Any,
) -> None:
    for table in await tables(admin):
        for role in ("mandant_app", "mandant_worker", "mandant_staff"):
            if _procrastinate(table.name) and role == "mandant_worker":
                continue
            for privilege in ("TRUNCATE", "TRIGGER", "REFERENCES"):
                assert not await admin.fetchval(
                    "SELECT has_table_privilege($1, $2, $3)", role, table.name, privilege
                ), (role, table.name, privilege)


async def test_statements_of_ours_do_not_read_the_servers_clock(admin: Any) -> None:
    found = await admin.fetch(
        """
        SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname IN ('mandant', 'directory')
           AND p.prosrc ~* '(now\\(\\)|clock_timestamp|current_timestamp|current_date|statement_timestamp)'
        """
    )
    assert [row[0] for row in found] == []


def _procrastinate(name: str) -> bool:
    """Tables that procrastinate brings: ids and times, of no tenant's content (tests/service/jobs)."""
    return name.startswith("queue.")
