"""`mandant doctor`: what is set, what answers, what protects, and what to do where something does not."""

import asyncio
import os
import sys
from collections import Counter

import msgspec
import rich_click as click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mandant.service.cli.installation import host_settings
from mandant.service.doctor import Line, examine
from mandant.vault.clock import SystemClock

__all__ = ["doctor"]

_LOOKS = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "bold red")}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="one JSON document instead of text")
def doctor(as_json: bool) -> None:
    """Look at every setting, connection, role, policy, key and clock; say what to do.

    Changes nothing but a probe in the object store, which it removes. Shows no secret. Ends with 1 where
    something is wrong; warnings alone end with 0.
    """
    lines = asyncio.run(_lines())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(lines), indent=2).decode())
    else:
        _print(lines, Console())
    sys.exit(1 if any(line.status == "wrong" for line in lines) else 0)


async def _lines() -> list[Line]:
    return [line async for line in examine(os.environ, SystemClock(), host_settings())]


def _print(lines: list[Line], console: Console) -> None:
    for part in dict.fromkeys(line.part for line in lines):
        console.print(Text(part, style="bold"))
        table = Table.grid(padding=(0, 2, 0, 0))
        table.add_column(width=9)
        # A name that is cut off cannot be typed.
        table.add_column(overflow="fold", max_width=44)
        table.add_column(overflow="fold")
        for line in (line for line in lines if line.part == part):
            mark, style = _LOOKS[line.status]
            said = Text(line.said, style="dim" if line.said.endswith("(default)") else "")
            if line.todo:
                said.append(f"\n→ {line.todo}", style=style)
            table.add_row(Text(f"{mark} {line.status}", style=style), line.name, said)
        console.print(Padding(table, (0, 0, 1, 2), expand=False))
    counts = Counter(line.status for line in lines)
    summary = f"{counts['ok']} ok, {counts['warning']} warnings, {counts['wrong']} wrong"
    console.print(Text(summary, style="bold red" if counts["wrong"] else "bold green"))
