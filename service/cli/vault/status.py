"""`mandant vault status`: epochs and their KMS keys, scopes, generations of keys, and who is behind."""

import rich_click as click
from rich.console import Console
from rich.table import Table

from mandant.service.cli.installation import Installation, as_worker, installation, run
from mandant.service.runtime import Runtime
from mandant.tenants.behind import Difference, differences
from mandant.vault.census import Census, take_census
from mandant.vault.errors import VaultError

__all__ = ["status"]


@click.command()
def status() -> None:
    """Epochs and their KMS keys, scopes, generations of keys, and whose data is behind control."""
    run(_status(installation()))


async def _status(where: Installation) -> None:
    async with as_worker(where) as runtime:
        census = await take_census(runtime.control)
        states = {one.epoch: await _key_state(runtime, one.key_ref) for one in census.epochs}
        behind = [one async for one in differences(runtime.control, runtime.data)]
        _print_census(census, states, behind, runtime.provider.name)


async def _key_state(runtime: Runtime, key_ref: str) -> str:
    if not key_ref:
        return "not made yet"
    try:
        return (await runtime.provider.describe_key(key_ref)).value
    except VaultError as error:
        return f"not known: {error}"


def _print_census(census: Census, states: dict[int, str], behind: list[Difference], provider: str) -> None:
    console = Console()
    epochs = _table("epoch", "state", "KMS", "KMS key", "key state", "scope keys", "with tenant's key")
    for one in census.epochs:
        row = (one.epoch, one.state, one.provider, one.key_ref, states[one.epoch], one.scope_keys, one.byok)
        epochs.add_row(*map(str, row))
    console.print(epochs)
    keys = _table("scopes", "count", "category", "purpose", "living", "shredded", "newest generation")
    for key in census.keys:
        row_ = (
            key.kind,
            census.scopes.get(key.kind, 0),
            key.category.name.lower(),
            key.purpose.name.lower(),
            key.living,
            key.shredded,
            key.newest,
        )
        keys.add_row(*map(str, row_))
    console.print(keys)
    facts = ", ".join(f"{many} {kind}" for kind, many in census.facts.items()) or "none"
    console.print(f"facts: {facts}")
    older = [one for one in behind if not one.behind]
    console.print(f"behind control: {len(behind) - len(older)} tenants and persons")
    if older:
        console.print(f"AHEAD of control: {len(older)}; control is older than data, which it never may be")
    if provider == "local":
        console.print("key file: see mandant doctor")
    console.print("KMS calls: each process counts its own, see mandant_keyring at /metrics")


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
