"""`mandant verify`: what somebody has downloaded, without a database and without a network."""

from pathlib import Path

import rich_click as click

from mandant.vault.ledger.malformed import Malformed
from mandant.vault.ledger.one_file import one_file
from mandant.vault.ledger.program import verify_files

__all__ = ["verify"]

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def verify() -> None:
    """Proofs, checked offline: nothing is asked for but the files that are named."""


@verify.command()
@click.argument("bundle", type=_FILE)
@click.option(
    "--since", type=_FILE, multiple=True, help="a checkpoint or proof file that was kept from earlier"
)
@click.option("--key", help="the log's verifier key (name+id+key) as the agreement has it")
def ledger(bundle: Path, since: tuple[Path, ...], key: str | None) -> None:
    """Whether a ledger BUNDLE is whole, unchanged, signed, and says what it has to. Ends with 1 if not."""
    try:
        verdict = verify_files(bundle, since, key)
    except Malformed as error:
        raise click.ClickException(f"not verified: {error}") from None
    for line in verdict.lines():
        click.echo(line)
    if not verdict.good:
        raise SystemExit(1)


@verify.command()
def program() -> None:
    """Prints the one-file verifier: a Python program that needs nothing but PyNaCl."""
    click.echo(one_file(), nl=False)
