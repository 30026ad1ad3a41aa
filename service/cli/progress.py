"""How far a long command is: a bar for a person, plain lines for a log."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

__all__ = ["Advance", "progress"]

EVERY = 5000  # rows between two plain lines


class Advance(Protocol):
    """`advance(500)`: so many rows more; `advance(0, "2 of 7")`: what is being worked on."""

    def __call__(self, rows: int, doing: str | None = None) -> None: ...


@contextmanager
def progress(title: str, total: int, console: Console | None = None) -> Iterator[Advance]:
    """Goes to standard error, so that what the command says on standard output can be piped."""
    console = console or Console(stderr=True)
    with _bar(title, total, console) if console.is_terminal else _lines(title, total) as advance:
        yield advance


@contextmanager
def _bar(title: str, total: int, console: Console) -> Iterator[Advance]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[doing]}"),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=max(total, 1), doing="")

        def advance(rows: int, doing: str | None = None) -> None:
            # More may come to be while the command runs.
            done = bar.tasks[task].completed + rows
            bar.update(task, completed=done, total=max(total, done, 1))
            if doing is not None:
                bar.update(task, doing=doing)

        yield advance


@contextmanager
def _lines(title: str, total: int) -> Iterator[Advance]:
    seen = 0
    said = 0

    def advance(rows: int, doing: str | None = None) -> None:  # noqa: ARG001 - a bar shows it
        nonlocal seen, said
        seen += rows
        if seen - said >= EVERY:
            said = seen
            click.echo(f"{title}: {seen} of {max(total, seen)}", err=True)

    yield advance
    click.echo(f"{title}: {seen}, done", err=True)
