"""Promise 2, Isolated: no query without a tenant, no tenant's row from another's session.

The matrix is made from the live catalog: every table x every verb x every wrong situation x both roles.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from tests.promises.catalog import Table, fill, rows_of, tables, value_for
from tests.stack import Stack

ROLES = ("mandant_app", "mandant_worker")
# COPY FROM is refused under row-level security; other errors are bugs of the test.
REFUSALS = (asyncpg.InsufficientPrivilegeError, asyncpg.FeatureNotSupportedError)
Connection = Any


@dataclass
class Two:
    """Two tenants with a row in every tenant table, and a superuser's connection to look at them."""

    stack: Stack
    mine: UUID
    others: UUID
    admin: Connection
    tables: list[Table]

    async def state(self) -> dict[str, list[str]]:
        return {
            f"{table} {tenant}": await rows_of(self.admin, table, tenant)
            for table in self.tables
            for tenant in (self.mine, self.others)
        }


@pytest.fixture(scope="module")
async def two(stack: Stack) -> AsyncIterator[Two]:
    admin = await stack.connect("postgres")
    mine, others = (await stack.tenant()).tenant_id, (await stack.tenant()).tenant_id
    found = [table for table in await tables(admin) if table.kind == "tenant"]
    for table in found:
        for tenant in (mine, others):
            await fill(admin, table, tenant)
            assert await rows_of(admin, table, tenant), f"{table} was not filled"
    yield Two(stack, mine, others, admin, found)
    await admin.close()


# The wrong situations: each leaves a connection as a careless caller would, with `others` in reach or not.


async def _nothing_set(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN")


async def _another_tenant_set(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN")
    await connection.execute("SELECT mandant.set_tenant($1)", two.mine)


async def _after_a_commit(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN")
    await connection.execute("SELECT mandant.set_tenant($1)", two.others)
    await connection.execute("COMMIT; BEGIN")


async def _after_a_rollback(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN")
    await connection.execute("SELECT mandant.set_tenant($1)", two.others)
    await connection.execute("ROLLBACK; BEGIN")


async def _after_a_savepoint_rolled_back(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN; SAVEPOINT inner_one")
    await connection.execute("SELECT mandant.set_tenant($1)", two.others)
    await connection.execute("ROLLBACK TO SAVEPOINT inner_one")


async def _after_one_statement(connection: Connection, two: Two) -> None:
    await connection.execute("SELECT mandant.set_tenant($1)", two.others)
    await connection.execute("BEGIN")


async def _setting_emptied(connection: Connection, two: Two) -> None:
    await connection.execute("BEGIN; SET LOCAL mandant.tenant = ''")


SITUATIONS = (
    _nothing_set,
    _another_tenant_set,
    _after_a_commit,
    _after_a_rollback,
    _after_a_savepoint_rolled_back,
    _after_one_statement,
    _setting_emptied,
)


@asynccontextmanager
async def _savepoint(connection: Connection) -> AsyncIterator[None]:
    await connection.execute("SAVEPOINT attempt")
    try:
        yield
    except asyncpg.PostgresError:
        await connection.execute("ROLLBACK TO SAVEPOINT attempt")
        raise


async def _select(connection: Connection, table: Table, two: Two) -> int:
    return len(await connection.fetch(f"SELECT * FROM {table.name} WHERE tenant_id = $1", two.others))


async def _select_all(connection: Connection, table: Table, two: Two) -> int:
    rows = await connection.fetch(f"SELECT tenant_id FROM {table.name}")
    return sum(row["tenant_id"] == two.others for row in rows)


async def _insert(connection: Connection, table: Table, two: Two) -> int:
    columns = [column for column in table.columns if not column.generated]
    names = ", ".join(f'"{column.name}"' for column in columns)
    marks = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
    values = [value_for(column, two.others) for column in columns]
    return int(
        (await connection.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", *values))[-1]
    )


async def _update(connection: Connection, table: Table, two: Two) -> int:
    done = 0
    for column in table.columns:
        try:
            async with _savepoint(connection):
                said = await connection.execute(
                    f'UPDATE {table.name} SET "{column.name}" = "{column.name}" WHERE tenant_id = $1',
                    two.others,
                )
                done += int(said.rpartition(" ")[2])
        except asyncpg.InsufficientPrivilegeError:
            continue
    return done


async def _take_over(connection: Connection, table: Table, two: Two) -> int:
    said = await connection.execute(f"UPDATE {table.name} SET tenant_id = $1", two.others)
    return int(said.rpartition(" ")[2])


async def _delete(connection: Connection, table: Table, two: Two) -> int:
    said = await connection.execute(f"DELETE FROM {table.name} WHERE tenant_id = $1", two.others)
    return int(said.rpartition(" ")[2])


async def _truncate(connection: Connection, table: Table, two: Two) -> int:
    await connection.execute(f"TRUNCATE {table.name} CASCADE")
    return 1


async def _copy_from(connection: Connection, table: Table, two: Two) -> int:
    columns = [column for column in table.columns if not column.generated]
    record = tuple(value_for(column, two.others) for column in columns)
    schema, _, name = table.name.partition(".")
    await connection.copy_records_to_table(
        name, schema_name=schema, records=[record], columns=[c.name for c in columns]
    )
    return 1


async def _copy_to(connection: Connection, table: Table, two: Two) -> int:
    got: list[bytes] = []

    async def keep(chunk: bytes) -> None:
        got.append(chunk)

    query = f"SELECT count(*) FROM {table.name} WHERE tenant_id = '{two.others}'"
    await connection.copy_from_query(query, output=keep)
    return int(b"".join(got))


async def _lock(connection: Connection, table: Table, two: Two) -> int:
    return len(
        await connection.fetch(f"SELECT 1 FROM {table.name} WHERE tenant_id = $1 FOR UPDATE", two.others)
    )


VERBS: tuple[Callable[[Connection, Table, Two], Awaitable[int]], ...] = (
    _select,
    _select_all,
    _insert,
    _update,
    _take_over,
    _delete,
    _truncate,
    _copy_from,
    _copy_to,
    _lock,
)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("situation", SITUATIONS, ids=lambda f: f.__name__.strip("_"))
async def test_no_verb_reaches_another_tenants_row_in_any_table(two: Two, role: str, situation: Any) -> None:
    before = await two.state()
    for table in two.tables:
        for verb in VERBS:
            connection = await two.stack.connect(role)
            try:
                await situation(connection, two)
                reached = 0
                with contextlib.suppress(*REFUSALS):
                    async with _savepoint(connection):
                        reached = await verb(connection, table, two)
                assert reached == 0, (table.name, verb.__name__)
                await connection.execute("COMMIT")
            finally:
                await connection.close()
    assert await two.state() == before


@pytest.mark.parametrize("role", ROLES)
async def test_the_matrix_can_fail_the_right_tenant_sees_its_rows_and_no_others(two: Two, role: str) -> None:
    seen = 0
    connection = await two.stack.connect(role)
    for table in two.tables:
        async with connection.transaction():
            await connection.execute("SELECT mandant.set_tenant($1)", two.others)
            try:
                async with connection.transaction():
                    rows = await connection.fetch(f"SELECT tenant_id FROM {table.name}")
            except asyncpg.InsufficientPrivilegeError:
                continue
            assert {row["tenant_id"] for row in rows} == {two.others}, table.name
            seen += 1
    await connection.close()
    assert seen >= len(two.tables) // 2


async def test_a_connection_that_goes_back_to_the_pool_forgets_the_tenant(two: Two) -> None:
    pool = await asyncpg.create_pool(two.stack.data_url(), min_size=1, max_size=1)
    pid = None
    for _ in range(3):
        async with pool.acquire() as connection:
            assert pid in (None, connection.get_server_pid())
            pid = connection.get_server_pid()
            assert await connection.fetch("SELECT * FROM mandant.record") == []
            assert (
                await connection.fetch("SELECT * FROM mandant.record_page($1, 0, 'x', NULL, 5)", two.others)
                == []
            )
    await pool.close()


async def test_a_transaction_serves_one_tenant(two: Two) -> None:
    connection = await two.stack.connect()
    async with connection.transaction():
        await connection.execute("SELECT mandant.set_tenant($1)", two.mine)
        await connection.execute("SELECT mandant.set_tenant($1)", two.mine)
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with connection.transaction():
                await connection.execute("SELECT mandant.set_tenant($1)", two.others)
        assert refused.value.sqlstate == "MT002"
    await connection.close()


async def test_the_look_up_by_term_wants_the_tenant_that_is_set(two: Two) -> None:
    connection = await two.stack.connect()
    for asked in (None, two.mine):
        async with connection.transaction():
            if asked is not None:
                await connection.execute("SELECT mandant.set_tenant($1)", asked)
            with pytest.raises(asyncpg.PostgresError) as refused:
                async with connection.transaction():
                    await connection.fetch("SELECT * FROM mandant.find_terms($1, 'x', '{}')", two.others)
            assert refused.value.sqlstate == "MT002"
    await connection.close()


@asynccontextmanager
async def _as_set(two: Two, value: str) -> AsyncIterator[Connection]:
    connection = await two.stack.connect()
    try:
        async with connection.transaction():
            await connection.execute("SELECT set_config('mandant.tenant', $1, true)", value)
            yield connection
    finally:
        await connection.close()


@pytest.mark.parametrize("named", ["{}x", "{} ", "x", "' OR true --", "{}'::uuid OR true --"])
async def test_a_tenant_named_like_another_is_nobody(two: Two, named: str) -> None:
    async with _as_set(two, named.format(two.others)) as connection:
        try:
            async with connection.transaction():
                rows = await connection.fetch("SELECT * FROM mandant.record WHERE tenant_id = $1", two.mine)
            assert rows == []
        except asyncpg.InvalidTextRepresentationError:
            return
