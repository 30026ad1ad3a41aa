"""Who may do what, read from the live catalogs of both databases: the whole of it, so that a new right shows."""

from typing import Any

import asyncpg
import pytest

from tests.promises.catalog import fill, tables
from tests.stack import Stack

VERBS = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")

# Of control: `UPDATE(x)` is a right on columns. Nothing else may be done there by whoever signs in.
_INSERT_ONLY = {"INSERT", "SELECT"}
CONTROL = {
    ("control.category_key", "mandant_app"): _INSERT_ONLY,
    ("control.category_key", "mandant_worker"): {
        *_INSERT_ONLY,
        "UPDATE(scope_generation)",
        "UPDATE(shredded_at)",
        "UPDATE(wrapped)",
    },
    ("control.epoch", "mandant_app"): {*_INSERT_ONLY, "UPDATE(key_ref)", "UPDATE(state)"},
    ("control.epoch", "mandant_worker"): {*_INSERT_ONLY, "UPDATE(key_ref)", "UPDATE(state)"},
    ("control.fact", "mandant_app"): _INSERT_ONLY,
    ("control.fact", "mandant_worker"): _INSERT_ONLY,
    ("control.key_file", "mandant_app"): {*_INSERT_ONLY, "UPDATE(counter)"},
    ("control.key_file", "mandant_worker"): {*_INSERT_ONLY, "UPDATE(counter)"},
    ("control.ledger", "mandant_app"): _INSERT_ONLY,
    ("control.ledger", "mandant_worker"): _INSERT_ONLY,
    ("control.ledger_checkpoint", "mandant_app"): _INSERT_ONLY,
    ("control.ledger_checkpoint", "mandant_worker"): _INSERT_ONLY,
    ("control.ledger_leaf", "mandant_app"): _INSERT_ONLY,
    ("control.ledger_leaf", "mandant_worker"): _INSERT_ONLY,
    ("control.ledger_signer", "mandant_app"): _INSERT_ONLY,
    ("control.ledger_signer", "mandant_worker"): _INSERT_ONLY,
    ("control.schema_version", "mandant_app"): {"SELECT"},
    ("control.schema_version", "mandant_worker"): {"SELECT"},
    ("control.scope", "mandant_app"): _INSERT_ONLY,
    ("control.scope", "mandant_worker"): _INSERT_ONLY,
    ("control.scope_key", "mandant_app"): _INSERT_ONLY,
    ("control.scope_key", "mandant_worker"): {*_INSERT_ONLY, "DELETE"},
}


async def rights(connection: Any, role: str, table: str) -> set[str]:
    """A role's rights on a table, those on single columns named with them."""
    found = set()
    for verb in VERBS:
        if await connection.fetchval("SELECT has_table_privilege($1, $2, $3)", role, table, verb):
            found.add(verb)
        elif verb in ("SELECT", "INSERT", "UPDATE", "REFERENCES"):
            columns = await connection.fetch(
                "SELECT attname FROM pg_attribute WHERE attrelid = $2::regclass AND attnum > 0 AND NOT attisdropped"
                " AND has_column_privilege($1, attrelid, attnum, $3)",
                *(role, table, verb),
            )
            found |= {f"{verb}({row['attname']})" for row in columns}
    return found


async def test_in_control_each_role_may_do_this_and_nothing_else(stack: Stack) -> None:
    connection: Any = await asyncpg.connect(stack.control_url("postgres"))
    found = {}
    for table in await tables(connection):
        for role in ("mandant_app", "mandant_worker", "mandant_staff"):
            if may := await rights(connection, role, table.name):
                found[table.name, role] = may
    await connection.close()
    assert found == CONTROL


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE control.fact SET kind = 'x'",
        "DELETE FROM control.fact",
        "TRUNCATE control.fact",
        "UPDATE control.scope SET owner = gen_random_uuid()",
        "DELETE FROM control.scope",
        "DELETE FROM control.category_key",
        "UPDATE control.scope_key SET wrapped = 'x'",
        "DELETE FROM control.epoch",
        "DROP TABLE control.fact",
        "ALTER TABLE control.fact DISABLE TRIGGER ALL",
    ],
)
async def test_what_control_records_is_neither_changed_nor_removed(
    stack: Stack, role: str, statement: str
) -> None:
    connection: Any = await asyncpg.connect(stack.control_url(role))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


async def test_the_application_destroys_no_key(stack: Stack) -> None:
    """Only the worker carries out a destruction."""
    connection: Any = await asyncpg.connect(stack.control_url("mandant_app"))
    for statement in ("UPDATE control.category_key SET wrapped = NULL", "DELETE FROM control.scope_key"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement)
    await connection.close()


async def test_the_application_neither_hides_a_fact_nor_claims_one_nor_changes_a_state(stack: Stack) -> None:
    """Which facts have been carried out, the worker alone says; what a tenant may, nobody by a statement."""
    tenant_id = (await stack.tenant()).tenant_id
    connection: Any = await stack.connect()
    for statement in (
        "UPDATE mandant.tenant SET key_state = 0",
        "UPDATE mandant.tenant SET state = 'active'",
        "UPDATE mandant.person SET key_state = 0",
        "SELECT mandant.applied(mandant_tenant, 1, '2026-01-01Z')",
        "SELECT mandant.applied_person(mandant_tenant, 1, '2026-01-01Z')",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.replace("mandant_tenant", f"'{tenant_id}'::uuid"))
    await connection.close()
    admin: Any = await stack.connect("postgres")
    for table in ("mandant.tenant", "mandant.person"):
        assert "UPDATE(key_state)" in await rights(admin, "mandant_worker", table)
        assert "UPDATE(state)" not in await rights(admin, "mandant_worker", table)
    await admin.close()


async def test_staff_may_read_no_table_and_call_no_function_of_either_database(stack: Stack) -> None:
    for url in (stack.data_url("postgres"), stack.control_url("postgres")):
        connection: Any = await asyncpg.connect(url)
        for table in await tables(connection):
            if not table.name.endswith(".schema_version"):
                assert await rights(connection, "mandant_staff", table.name) == set(), table.name
        functions = await connection.fetch(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')"
            " AND has_function_privilege('mandant_staff', p.oid, 'EXECUTE')"
        )
        assert [row[0] for row in functions] == []
        await connection.close()


async def test_staff_that_sets_a_tenant_by_hand_still_sees_nothing(stack: Stack) -> None:
    tenant = await stack.tenant()
    connection: Any = await stack.connect("mandant_staff")
    async with connection.transaction():
        await connection.execute(f"SET LOCAL mandant.tenant = '{tenant.tenant_id}'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("SELECT * FROM mandant.record")
    await connection.close()


async def test_the_owner_sees_no_row_that_is_a_tenants_a_persons_or_the_directorys(stack: Stack) -> None:
    """FORCE ROW LEVEL SECURITY: who migrates does not read."""
    tenant_id = (await stack.tenant()).tenant_id
    admin: Any = await stack.connect("postgres")
    owner: Any = await stack.connect("mandant_owner")
    seen = 0
    for table in await tables(admin):
        if table.kind not in ("tenant", "person", "directory"):
            continue
        if table.name == "directory.entry":  # whose checks depend on each other
            await admin.execute(
                "INSERT INTO directory.entry VALUES ('email', $1, 1, $2, $2, NULL, $3)",
                *(tenant_id.bytes, tenant_id, stack.clock.now()),
            )
        else:
            await fill(admin, table, tenant_id)
        assert await admin.fetchval(f"SELECT count(*) FROM {table.name}") > 0
        async with owner.transaction():
            await owner.execute("SELECT mandant.set_tenant($1)", tenant_id)
            assert await owner.fetchval(f"SELECT count(*) FROM {table.name}") == 0, table.name
            seen += 1
    await owner.close()
    await admin.close()
    assert seen >= 10


async def test_the_application_touches_neither_the_directorys_tables_nor_the_queues(stack: Stack) -> None:
    admin: Any = await stack.connect("postgres")
    for table in await tables(admin):
        if table.kind in ("directory", "queue") or table.name.startswith("queue"):
            assert await rights(admin, "mandant_app", table.name) == set(), table.name
        if table.kind == "directory":
            assert await rights(admin, "mandant_worker", table.name) == set(), table.name
    await admin.close()


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker", "mandant_staff"])
@pytest.mark.parametrize(
    "statement",
    [
        "SET ROLE mandant_owner",
        "SET ROLE mandant_index",
        "SET ROLE mandant_directory",
        "SET ROLE mandant_queue",
        "SET SESSION AUTHORIZATION mandant_owner",
        "ALTER TABLE mandant.record NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE mandant.record DISABLE ROW LEVEL SECURITY",
        "DROP POLICY tenant_isolation ON mandant.record",
        "CREATE POLICY mine ON mandant.record TO mandant_app USING (true)",
        "CREATE TABLE mandant.scratch (x text)",
        "CREATE TABLE public.scratch (x text)",
        "CREATE FUNCTION public.f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "SET session_replication_role = replica",
        "COPY (SELECT 1) TO '/tmp/x'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER ROLE mandant_app BYPASSRLS",
    ],
)
async def test_no_role_that_serves_climbs(stack: Stack, role: str, statement: str) -> None:
    connection: Any = await stack.connect(role)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker"])
async def test_row_security_off_is_an_error_and_no_way_around(stack: Stack, role: str) -> None:
    connection: Any = await stack.connect(role)
    await connection.execute("SET row_security = off")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.fetch("SELECT * FROM mandant.record")
    await connection.close()
