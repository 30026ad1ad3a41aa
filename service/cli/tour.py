"""`mandant tour`: every promise of this version, shown and checked on an installation of its own."""

import asyncio
import os
import sys
import time
from pathlib import Path

import rich_click as click

from mandant.service.cli.mistakes import told_plainly
from mandant.service.cli.up import Stopped, stopped_with
from mandant.service.settings import Settings
from mandant.service.tour.telling import Teller
from mandant.service.tour.walking import walk_all

__all__ = ["tour"]


@click.command()
def tour() -> None:
    """Walk through what mandant promises, with the proof of each step. Ends with 1 where one fails.

    Uses a fresh installation under var/tour, never your data; leaves var/tour/steps.json.
    """
    var = Settings.from_env(os.environ).var
    with told_plainly(var):
        sys.exit(asyncio.run(_tour(var)))


async def _tour(var: Path) -> int:
    tell = Teller()
    began = time.monotonic()
    tell.say("mandant, walked through on a fresh installation. Nothing of yours is touched.", style="bold")
    try:
        await walk_all(var, tell)
    except Stopped as stopped:
        return stopped_with(stopped) or 130
    steps = var / "tour" / "steps.json"
    tell.write(steps)
    bad = [step.name for step in tell.results if not step.ok]
    held = len(tell.results) - len(bad)
    seconds = time.monotonic() - began
    click.echo(f"\n{held} of {len(tell.results)} steps held what they promise, in {seconds:.0f} seconds.")
    click.echo(f"figures: {steps}")
    for name in bad:
        click.secho(f"did not hold: {name}", fg="red")
    return 1 if bad else 0
