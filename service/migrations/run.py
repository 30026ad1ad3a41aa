"""Run a migration tree over one connection of the owner."""

import logging
from pathlib import Path
from typing import Any, Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

Tree = Literal["data", "control"]
TREES: tuple[Tree, ...] = ("data", "control")

_SCHEMA: dict[Tree, str] = {"data": "mandant", "control": "control"}
# Alembic makes this table; every process asks it whether the database is as new as the code.
_VERSION_TABLE = (
    "GRANT SELECT ON {schema}.schema_version TO mandant_app, mandant_worker",
    "COMMENT ON TABLE {schema}.schema_version IS 'operator: the revision this database stands at'",
    "COMMENT ON COLUMN {schema}.schema_version.version_num IS 'operator'",
)
_LOCK = 0x6D616E64616E74  # "mandant": two upgrades of one database take turns


async def upgrade(owner_url: str, tree: Tree, revision: str = "head") -> None:
    """Bring a database to `revision`, in one transaction: all of it is there afterwards, or nothing.

    `owner_url` signs in as mandant_owner. Waits while another upgrade of the same database runs.
    """
    engine = create_async_engine(
        owner_url.replace("postgresql://", "postgresql+asyncpg://", 1), poolclass=NullPool
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_SCHEMA[tree]}"))
            await connection.run_sync(_upgrade, tree, revision)
            for statement in _VERSION_TABLE:
                await connection.execute(text(statement.format(schema=_SCHEMA[tree])))
    finally:
        await engine.dispose()


async def current(connection: AsyncConnection, tree: Tree) -> str | None:
    """The revision that a database stands at; None where nothing was ever run."""

    def read(sync: Connection) -> str | None:
        options: dict[str, Any] = {"version_table_schema": _SCHEMA[tree], "version_table": "schema_version"}
        return MigrationContext.configure(sync, opts=options).get_current_revision()

    return await connection.run_sync(read)


def head(tree: Tree) -> str:
    """The newest revision that this code brings."""
    revision = ScriptDirectory.from_config(_config(tree)).get_current_head()
    if revision is None:
        raise LookupError(f"the {tree} tree has no migration")
    return revision


def _config(tree: Tree) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / tree).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _upgrade(connection: Connection, tree: Tree, revision: str) -> None:
    # Under a host's command line its logging would show Alembic's progress before every answer.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = _config(tree)
    config.attributes["connection"] = connection
    config.attributes["schema"] = _SCHEMA[tree]
    command.upgrade(config, revision)
