"""The command group `mandant`. A command is one line of `COMMANDS` and one file beside this one."""

import sys
from importlib import import_module

import rich_click as click

from mandant.service.postgres.errors import PostgresError
from mandant.service.settings import SettingError

__all__ = ["main", "mandant"]

# name -> "module:click command", loaded when used: `mandant tenants list` need not import the web server.
COMMANDS: dict[str, str] = {
    "database": "mandant.service.cli.database:database",
    "demo": "mandant.service.cli.demo:demo",
    "doctor": "mandant.service.cli.doctor:doctor",
    "jobs": "mandant.service.cli.jobs:jobs",
    "policy": "mandant.service.cli.policy:policy",
    "tenants": "mandant.service.cli.tenants:tenants",
    "tour": "mandant.service.cli.tour:tour",
    "up": "mandant.service.cli.up:up",
    "vault": "mandant.service.cli.vault:vault",
    "verify": "mandant.service.cli.verify:verify",
    "worker": "mandant.service.cli.jobs:worker",
}


class LazyGroup(click.RichGroup):
    """Imports a command's file when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *COMMANDS})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return super().get_command(ctx, cmd_name)
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="mandant")
def mandant() -> None:
    """Tenants' data, sealed, isolated and searchable.

    Settings are environment variables (MANDANT_...); without any, everything runs on this machine
    with an embedded PostgreSQL and a key file under ./var.
    """


def main() -> None:
    """Runs the command line. What the user can mend is told in one paragraph, without a traceback."""
    try:
        mandant()
    except (SettingError, PostgresError) as error:
        click.secho(f"mandant: {error}", err=True, fg="red")
        sys.exit(1)
