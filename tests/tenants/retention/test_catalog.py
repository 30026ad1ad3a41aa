"""The live catalog: each column says its category, and what lies outside of columns says it in code."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, get_args

import asyncpg
import pytest

from mandant.service.edge import idempotency
from mandant.service.jobs import registry, runs, tasks_directory, tasks_imports
from mandant.service.settings import Settings
from mandant.tenants.people import deployment, invitations
from mandant.tenants.retention import (
    EARLIER,
    STORES,
    Unclassified,
    check_classified,
    classified_columns,
    control_tables,
    tables_of,
)
from mandant.vault.category import Category
from tests.promises.catalog import tables
from tests.stack import Stack


@asynccontextmanager
async def boat(stack: Stack, comment: str | None) -> AsyncIterator[None]:
    """A table of the owner's with a column that has this comment."""
    owner = await stack.connect("mandant_owner")
    await owner.execute("CREATE TABLE mandant.boat (sail text)")
    try:
        if comment is not None:
            await owner.execute(f"COMMENT ON COLUMN mandant.boat.sail IS '{comment}'")
        yield
    finally:
        await owner.execute("DROP TABLE mandant.boat")
        await owner.close()


async def test_every_column_of_the_live_database_is_classified(stack: Stack) -> None:
    found = await classified_columns(stack.data.pool)
    assert [str(column) for column in found if column.category is None] == []
    categories = {str(column): column.category for column in found}
    assert categories["mandant.record.sealed"] is Category.MODULE
    assert categories["mandant.agreement.sealed"] is Category.CONTRACT
    assert categories["directory.entry.term"] is Category.DIRECTORY


async def test_no_table_is_overlooked(stack: Stack) -> None:
    admin = await stack.connect("postgres")
    everything = {f"{table}.{column.name}" for table in await tables(admin) for column in table.columns}
    await admin.close()
    assert {str(column) for column in await classified_columns(stack.data.pool)} == everything


@pytest.mark.parametrize("comment", [None, "", "boats: of a harbour", "Module", "modules"])
async def test_an_unclassified_column_is_named_with_what_to_do(stack: Stack, comment: str | None) -> None:
    async with boat(stack, comment):
        with pytest.raises(
            Unclassified, match=r"mandant\.boat\.sail.* COMMENT ON COLUMN mandant\.boat\.sail IS"
        ):
            await check_classified(stack.data.pool)
    await check_classified(stack.data.pool)


@pytest.mark.parametrize("comment", ["module", "bank: what it carries", "queue", "operator"])
async def test_a_category_is_the_comments_first_word(stack: Stack, comment: str) -> None:
    async with boat(stack, comment):
        await check_classified(stack.data.pool)


async def test_a_table_that_somebody_else_makes_in_our_schema_is_ours_to_classify(stack: Stack) -> None:
    admin = await stack.connect("postgres")
    try:
        await admin.execute("CREATE TABLE mandant.raft (log text); CREATE TABLE public.elsewhere (word text)")
        with pytest.raises(Unclassified) as error:
            await check_classified(stack.data.pool)
        assert error.value.names == ("mandant.raft.log",)
    finally:
        await admin.execute("DROP TABLE mandant.raft; DROP TABLE public.elsewhere")
        await admin.close()


async def test_every_table_of_control_is_declared(stack: Stack) -> None:
    control: asyncpg.Connection[Any] = await asyncpg.connect(stack.control_url())
    try:
        assert set(await tables_of(control)) <= set(control_tables())
    finally:
        await control.close()


def test_every_queue_is_declared() -> None:
    assert {store.name for store in STORES if store.kind == "queue"} == set(get_args(registry.Owner))


async def test_rows_that_go_earlier_go_when_the_code_lets_them(stack: Stack) -> None:
    settings = Settings()
    assert {one.rows: one.period for one in EARLIER} == {
        "mandant.idempotency": idempotency.KEPT,
        "mandant.invitation": invitations.LENGTH,
        "mandant.import_run": tasks_imports.KEPT,
        "directory.entry": deployment.People.__dataclass_fields__["session_length"].default,
        "directory.rate_limit": tasks_directory._LONGEST_WINDOW,
        "queue.procrastinate_jobs": runs._KEPT,
    }
    assert timedelta(hours=settings.idempotency_hours) == idempotency.KEPT
    known = {*await tables_of(stack.data.pool)}
    assert {one.rows for one in EARLIER} <= known
