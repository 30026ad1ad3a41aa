"""`mandant policy`: which data is kept how long, and the same as part of a privacy notice."""

import sys
from itertools import groupby

import asyncpg
import msgspec
import rich_click as click
from rich.console import Console
from rich.table import Table

from mandant.service.cli.installation import Installation, installation, run
from mandant.service.databases import databases
from mandant.service.policy import LANGUAGES, Listing, html, listing, markdown, notice
from mandant.tenants.retention import POLICY, classified_columns, tables_of

__all__ = ["policy"]

_RENDER = {"markdown": markdown, "html": html}


@click.group()
def policy() -> None:
    """Retention: categories, periods, and what ends them."""


@policy.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON document instead of text")
def show(as_json: bool) -> None:
    """Every table and column with its category, period, anchor, statute and deletion.

    Columns are read from the live databases. Ends with 1 where one has no category, and names it.
    """
    found = run(_listing(installation()))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
    else:
        _print(found, Console())
    for name in found.unclassified:
        click.secho(f"{name} is of no data category", err=True, fg="red")
    sys.exit(1 if found.unclassified else 0)


@policy.command()
@click.option("--language", type=click.Choice(sorted(LANGUAGES)), required=True)
@click.option(
    "--format", "format_", type=click.Choice(sorted(_RENDER)), default="markdown", show_default=True
)
def page(language: str, format_: str) -> None:
    """The retention part of a privacy notice, to standard output. Needs no database."""
    click.echo(_RENDER[format_](notice(POLICY, LANGUAGES[language])), nl=False)


async def _listing(where: Installation) -> Listing:
    # Not the service: it refuses to start with what is to be named here.
    async with databases(where.settings) as found:
        data = await asyncpg.connect(found.data("mandant_app"), statement_cache_size=0)
        try:
            columns = await classified_columns(data)
        finally:
            await data.close()
        control = await asyncpg.connect(found.control("mandant_app"), statement_cache_size=0)
        try:
            return listing(POLICY, columns, await tables_of(control))
        finally:
            await control.close()


def _print(found: Listing, console: Console) -> None:
    categories = Table("category", "German", "source", "kept", "statute", "deletion", title="Categories")
    for rule in found.categories:
        kept = "\n".join((rule.kept, *rule.apart))
        statute = rule.statute or ""
        categories.add_row(rule.category, rule.german, rule.source, kept, statute, ", ".join(rule.deletion))
    columns = Table(
        "table", "columns", "category", "period", "anchor", "statute", "deletion", title="Columns"
    )
    for table, of_table in groupby(found.columns, key=lambda line: line.table):
        of_category: dict[str, list[str]] = {}
        lines = list(of_table)
        for line in lines:
            of_category.setdefault(line.category or "NONE", []).append(line.column)
        for line in lines:
            names = of_category.pop(line.category or "NONE", None)
            if names is not None:
                columns.add_row(
                    *(table, ", ".join(names), line.category or "NONE", line.period or "", line.anchor or ""),
                    *(line.statute or "", ", ".join(line.deletion or ())),
                )
    stores = Table("kind", "name", "category", "period", "anchor", "holds", title="Beside the columns")
    for store in found.stores:
        stores.add_row(store.kind, store.name, store.category, store.period, store.anchor, store.holds)
    earlier = Table("rows", "go", "setting", title="Rows that go earlier")
    for one in found.earlier:
        earlier.add_row(one.rows, f"{one.hours} hours after {one.after}", one.setting or "")
    for grid in (categories, columns, stores, earlier):
        grid.title_justify = "left"
        console.print(grid)
    console.print(f"cookies: {'; '.join(found.cookies)}")
    console.print(f"policy of {found.version}")
