"""`mandant database`: make databases and roles on a real server, bring them to this version."""

import sys
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import rich_click as click

from mandant.service.cli.installation import installation, run
from mandant.service.databases import databases
from mandant.service.migrations import TREES, head, upgrade
from mandant.service.migrations.run import Tree
from mandant.service.postgres.roles import (
    CONTROL_DATABASE,
    DATA_DATABASE,
    ensure_database,
    ensure_roles,
    passwords_in,
)
from mandant.service.settings import Settings


@click.group()
def database() -> None:
    """The two databases: data and control."""


@database.command()
@click.option(
    "--admin-url", required=True, help="postgresql://... of a role that may create roles and databases"
)
@click.option(
    "--control-admin-url", help="the same for the control database's server, where it is another one"
)
def init(admin_url: str, control_admin_url: str | None) -> None:
    """Make roles and databases on real servers, with the passwords of the MANDANT_*_URL settings.

    Runs again without harm. Afterwards: mandant database upgrade.
    """
    settings = installation().settings
    if settings.embedded:
        raise click.ClickException("MANDANT_DATABASE_URL is not set: the embedded server makes its own")
    run(_init(settings, admin_url, control_admin_url or admin_url))


async def _init(settings: Settings, data_admin: str, control_admin: str) -> None:
    for name, admin_url, urls in (
        (
            _name(settings.database_url, DATA_DATABASE),
            data_admin,
            (settings.database_url, settings.database_owner_url, settings.database_worker_url),
        ),
        (
            _name(settings.control_url, CONTROL_DATABASE),
            control_admin,
            (settings.control_url, settings.control_owner_url, settings.control_worker_url),
        ),
    ):
        admin: asyncpg.Connection[Any] = await asyncpg.connect(admin_url)
        try:
            await ensure_roles(admin, passwords_in(urls))
            await ensure_database(admin, name)
        finally:
            await admin.close()
        click.echo(f"database {name}: roles and database are there")


def _name(url: str | None, otherwise: str) -> str:
    return urlsplit(url or "").path.lstrip("/") or otherwise


@database.command(name="upgrade")
def upgrade_command() -> None:
    """Bring both databases to this version. One transaction each: all of it happens, or nothing."""
    settings = installation().settings

    async def both() -> None:
        async with databases(settings) as where:
            for tree in TREES:
                await upgrade(_owner(where, tree), tree)
                click.echo(f"{tree}: at {head(tree)}")

    run(both())


@database.command()
def status() -> None:
    """Say whether both databases are at this version. Ends with 1 where one is not."""
    settings = installation().settings

    async def both() -> str:
        async with databases(settings) as where:
            for tree in TREES:
                click.echo(f"{tree}: {_without_password(_owner(where, tree))}")
            return await where.migrations_current()

    said = run(both())
    click.echo("both are current" if said == "ok" else said)
    sys.exit(0 if said == "ok" else 1)


def _owner(where: Any, tree: Tree) -> str:
    url: str = where.data("mandant_owner") if tree == "data" else where.control("mandant_owner")
    return url


def _without_password(url: str) -> str:
    parts = urlsplit(url)
    user, at, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}{at}{place}"))
