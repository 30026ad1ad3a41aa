"""`mandant jobs`: what waits and what gave up. `mandant worker`: the process that runs jobs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import rich_click as click
from rich.console import Console
from rich.table import Table

from mandant.service.cli.installation import installation, run
from mandant.service.databases import databases
from mandant.service.edge.logs import configure_logging
from mandant.service.jobs.admin import exhausted_jobs, list_jobs, retry_job

__all__ = ["jobs", "worker"]


@click.group()
def jobs() -> None:
    """Background jobs: what waits, what gave up."""


@jobs.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
def list_(limit: int) -> None:
    """Jobs that wait, run or ended without success, the newest first."""
    found = _ask(lambda url: list_jobs(url, limit))
    columns = ("job", "task", "tenant", "status", "attempts", "due", "outcome")
    _print(
        columns,
        ((j.job_id, j.task, j.tenant_id, j.status, j.attempts, j.scheduled_at, j.outcome) for j in found),
    )


@jobs.command()
def exhausted() -> None:
    """Jobs that used up their attempts and wait for a person. Of an error only the class is kept."""
    found = _ask(exhausted_jobs)
    columns = ("job", "task", "tenant", "attempts", "error", "ended")
    _print(columns, ((j.job_id, j.task, j.tenant_id, j.attempts, j.error_class, j.ended_at) for j in found))


@jobs.command()
@click.argument("job", type=int)
def retry(job: int) -> None:
    """Give an exhausted job all its attempts again."""
    if not _ask(lambda url: retry_job(url, job)):
        raise click.ClickException(f"no exhausted job {job}; `mandant jobs exhausted` lists them")
    click.echo(f"job {job} waits again")


@click.command()
def worker() -> None:
    """Run background jobs until stopped (Ctrl-C or SIGTERM)."""
    # Opens keys and objects too, which the list commands do not need.
    from mandant.service.jobs.serve import serve_jobs

    where = installation()
    configure_logging(level=where.settings.log_level)
    asyncio.run(serve_jobs(where.settings, where.modules))


def _ask(question: Callable[[str], Awaitable[Any]]) -> Any:
    async def ask() -> Any:
        async with databases(installation().settings) as where:
            return await question(where.data("mandant_worker"))

    return run(ask())


def _print(columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> None:
    table = Table(box=None)
    for name in columns:
        # An id that is cut off cannot be used.
        table.add_column(name, overflow="fold", min_width=36 if name == "tenant" else None)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    Console().print(table)
