"""`mandant tenants`: make a company with its owner, list companies, show one."""

from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.table import Table

from mandant.service.cli.installation import installation, run
from mandant.service.opening import open_runtime
from mandant.tenants.errors import NotFound
from mandant.tenants.people.agreements import EDITIONS, Agreement, list_agreements
from mandant.tenants.people.company import Company, StoredCompany, read_company
from mandant.tenants.people.deployment import People
from mandant.tenants.people.listing import companies
from mandant.tenants.people.person import Profile
from mandant.tenants.people.registration import Registered, Registration, register
from mandant.vault.errors import ScopeMissing

__all__ = ["tenants"]

T = TypeVar("T")

_SIGNED = ", ".join(f"{kind} {edition}" for kind, edition in EDITIONS.items())


@click.group()
def tenants() -> None:
    """Companies that use the software."""


@tenants.command()
@click.option("--company", prompt=True, help="the company's name")
@click.option("--domain", prompt=True, help="its domain, e.g. muster.example")
@click.option("--country", prompt=True, default="CH", show_default=True, help="ISO 3166, two letters")
@click.option("--head-count", type=click.IntRange(1), help="employees")
@click.option(
    "--time-zone", default="Europe/Zurich", show_default=True, help="IANA name: periods are counted in it"
)
@click.option("--name", prompt="Owner's name", help="the owner's name")
@click.option("--email", prompt="Owner's e-mail", help="the owner's address, to sign in with")
@click.option("--function", default="", help="what the owner does in the company")
@click.option("--language", default="de", show_default=True, help="ISO 639-1, two letters")
@click.option("--accept", is_flag=True, help=f"the owner has accepted {_SIGNED}")
@click.password_option(
    envvar="MANDANT_NEW_PASSWORD", help="12 characters or more; better not on the command line"
)
def create(
    company: str,
    domain: str,
    country: str,
    head_count: int | None,
    time_zone: str,
    name: str,
    email: str,
    function: str,
    language: str,
    accept: bool,
    password: str,
) -> None:
    """Register a company and its owner."""
    if not accept:
        raise click.ClickException(f"say --accept once the owner has accepted: {_SIGNED}")
    wanted = Registration(
        Profile(name, email, language),
        password,
        Company(company, domain, country.upper(), head_count, time_zone),
        function,
        dict(EDITIONS),
    )
    made: Registered = _with_people(lambda people: register(people, wanted))
    click.echo(f"tenant {made.tenant_id}")
    click.echo(f"person {made.person_id}")


@tenants.command("list")
def list_() -> None:
    """All companies, oldest first."""

    async def found(people: People) -> list[StoredCompany]:
        return [one async for one in companies(people)]

    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("tenant", "name", "domain", "state", "since"):
        # An id that is cut off cannot be used; what does not fit a terminal would be left out.
        table.add_column(name, overflow="fold", no_wrap=name in ("tenant", "state", "since"))
    for one in _with_people(found):
        company = one.company
        table.add_row(str(one.tenant_id), company.name, company.domain, one.state, f"{one.created_at:%F}")
    Console().print(table)


@tenants.command()
@click.argument("tenant", type=click.UUID)
def show(tenant: UUID) -> None:
    """One company: its data and the agreements it accepted. No module data."""

    async def found(people: People) -> tuple[StoredCompany, list[Agreement]]:
        return await read_company(people, tenant), await list_agreements(people, tenant)

    stored, accepted = _with_people(found)
    company = stored.company
    table = Table(show_header=False, box=None)
    for label, value in (
        ("tenant", stored.tenant_id),
        ("name", company.name),
        ("domain", company.domain),
        ("country", company.country),
        ("employees", company.head_count),
        ("time zone", company.time_zone),
        ("state", stored.state),
        ("since", stored.created_at),
        *((one.kind, f"{one.edition}, accepted {one.accepted_at:%F %R}") for one in accepted),
    ):
        table.add_row(label, "" if value is None else str(value))
    Console().print(table)


def _with_people(work: Callable[[People], Awaitable[T]]) -> T:
    """Open the services, do the work, say in one line what was refused."""

    async def with_people() -> T:
        async with open_runtime(installation().settings, []) as runtime:
            try:
                return await work(runtime.people)
            except (NotFound, ScopeMissing):
                raise click.ClickException(
                    "there is no such tenant; `mandant tenants list` shows all"
                ) from None

    return run(with_people())
