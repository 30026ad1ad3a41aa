"""`mandant demo`: two companies with their customers, served on this machine."""

import asyncio
import os
import sys
from dataclasses import replace

import rich_click as click

from mandant.service.cli.mistakes import told_plainly
from mandant.service.cli.up import Service, Stopped, serving, stopped_with
from mandant.service.demo.client import Client, Refused
from mandant.service.demo.companies import COMPANIES
from mandant.service.demo.loading import DemoBlocked, Loaded, load
from mandant.service.demo.sign_ins import SignIns
from mandant.service.settings import Settings

__all__ = ["demo"]


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="port; else the first free one from 8350")
def demo(port: int | None) -> None:
    """Serve two invented companies whose customers come from their own export files.

    The first run makes them through the public API; later runs find them. Stops with Ctrl-C.
    """
    settings = Settings.from_env(os.environ)
    if port is not None:
        settings = replace(settings, port=port)
    with told_plainly(settings.var):
        try:
            sys.exit(asyncio.run(_demo(settings)))
        except (DemoBlocked, Refused) as error:
            raise click.ClickException(str(error)) from None


async def _demo(settings: Settings) -> int:
    folder = settings.var / "demo"
    first = not (settings.var / "postgres").exists() and settings.embedded
    click.echo("starting PostgreSQL, web and worker" + (" (the first time: some seconds)" if first else ""))
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "service.log"
    try:
        async with serving(settings, os.environ.copy(), log=log) as service:
            sign_ins = SignIns(folder / "sign-ins.json")
            loaded = await service.unless_stopped(_load_all(service, sign_ins))
            _tell(service, sign_ins, loaded)
            click.echo(f"\nlog: {log}   stop: Ctrl-C\n")
            code = await service.ended()
            click.echo("stopped")
            return code
    except Stopped as stopped:
        return stopped_with(stopped)


async def _load_all(service: Service, sign_ins: SignIns) -> list[Loaded]:
    client = Client(service.address)
    return [await load(client, company, sign_ins, click.echo) for company in COMPANIES]


def _tell(service: Service, sign_ins: SignIns, loaded: list[Loaded]) -> None:
    if not any(one.new for one in loaded):
        click.echo("everything is there from an earlier run; nothing was made anew")
    click.secho(f"\nmandant serves on {service.address}", bold=True)
    click.echo(f"  documentation  {service.address}/api/v1/docs\n")
    for one in loaded:
        known, company = sign_ins.of(one.company.key), one.company
        click.echo(f"{company.name}: {one.customers} customers, tenant {one.tenant_id}")
        click.echo(f"  owner   {company.owner.email:<26} {known.owner_password}")
        click.echo(f"  member  {company.member.email:<26} {known.member_password}")
    records = f"{service.address}/api/v1/tenants/{loaded[0].tenant_id}/modules/customers/records"
    click.echo(f"\nask for two customers of {loaded[0].company.name}:\n")
    click.echo(f"  curl -s -H 'Authorization: Bearer {loaded[0].api.secret}' \\\n    '{records}?limit=2'\n")
    click.echo("sign in as somebody, for a session of your own:\n")
    owner = loaded[0].company.owner
    body = f'{{"email": "{owner.email}", "password": "{sign_ins.of(loaded[0].company.key).owner_password}"}}'
    click.echo(f"  curl -s '{service.address}/api/v1/sign-in' -H 'Content-Type: application/json' \\")
    click.echo(f"    -d '{body}'")
