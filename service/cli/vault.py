"""`mandant vault`: what keys there are, whether everything opens, and new keys for what is stored."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import rich_click as click
from rich.console import Console
from rich.table import Table

from mandant.service.cli.installation import Installation, as_worker, installation, run
from mandant.service.cli.progress import Advance, progress
from mandant.service.cli.rewrap import re_wrap
from mandant.service.runtime import Runtime
from mandant.tenants.behind import Difference, differences
from mandant.tenants.errors import TenantsError
from mandant.tenants.everyone import PersonRow, TenantRow, all_persons, all_tenants
from mandant.tenants.modules import Module, store
from mandant.tenants.modules.keychanges import reindex as reindex_category
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.ownerkeys import (
    PERSON_CATEGORIES,
    TENANT_CATEGORIES,
    Keys,
    check_declared,
    reencrypt_person,
    reencrypt_tenant,
    rotate_person,
    rotate_tenant,
)
from mandant.tenants.replay import UnknownFact, replay
from mandant.tenants.verifying import Finding, verify_person, verify_tenant
from mandant.vault.category import Category
from mandant.vault.census import Census, take_census
from mandant.vault.errors import VaultError

__all__ = ["vault"]

F = TypeVar("F", bound=Callable[..., None])

_CATEGORIES = [category.name.lower() for category in TENANT_CATEGORIES]


@click.group()
def vault() -> None:
    """Keys and sealed data: counted, verified, renewed. Shows no secret and no content."""


vault.add_command(re_wrap)


def _for_whom(command: F) -> F:
    command = click.option("--all", "everybody", is_flag=True, help="every tenant, and every person")(command)
    return click.option("--tenant", type=click.UUID, help="one tenant, by id")(command)


def _check_target(tenant: UUID | None, everybody: bool) -> None:
    if (tenant is None) != everybody:
        raise click.UsageError("say for whom: --tenant ID, or --all")


@vault.command()
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


@vault.command()
@click.option("--tenant", type=click.UUID, help="one tenant, by id; without it all tenants and persons")
def verify(tenant: UUID | None) -> None:
    """Open everything that is sealed and compare its terms; list what is wrong. Ends with 1 if anything is.

    Whatever a module holds that is not declared here is opened, but its terms are not compared.
    """
    where = installation()
    seen, findings = run(_verify(where, tenant))
    for one in findings:
        click.echo(f"{one.where}  row {one.row}  of {one.owner}: {one.what}")
    if findings:
        raise click.ClickException(f"{len(findings)} of {seen} rows are wrong")
    click.echo(f"{seen} rows opened, all is well")


async def _verify(where: Installation, tenant: UUID | None) -> tuple[int, list[Finding]]:
    seen = 0
    findings: list[Finding] = []
    async with as_worker(where) as runtime:
        tenants = await _tenants(runtime, tenant)
        persons = [] if tenant else [row async for row in all_persons(runtime.data)]
        total = await _rows_of(runtime, tenants) + 8 * len(tenants) + 3 * len(persons)
        with progress("verify", total) as advance:
            for number, row in enumerate(tenants, start=1):
                advance(0, f"tenant {number} of {len(tenants)}")
                steps = verify_tenant(_shelf(runtime, row.tenant_id), row)
                seen += await _collect(steps, findings, advance, row.tenant_id)
            for person in persons:
                steps = verify_person(runtime.data, runtime.keyring, person, runtime.clock)
                seen += await _collect(steps, findings, advance, person.person_id)
    return seen, findings


async def _collect(steps: AsyncIterator[Any], findings: list[Finding], advance: Advance, owner: UUID) -> int:
    seen = 0
    try:
        async for step in steps:
            seen += step.seen
            findings += step.findings
            advance(step.seen)
    except (TenantsError, VaultError) as error:
        findings.append(Finding(owner, "session", owner, f"{type(error).__name__}: {error}"))
    return seen


@vault.command()
@_for_whom
@click.option("--category", type=click.Choice(_CATEGORIES), help="one data category; without it all")
def rotate(tenant: UUID | None, everybody: bool, category: str | None) -> None:
    """New seal keys: what is written from now on is sealed with them. Old data still opens.

    Afterwards `mandant vault re-encrypt` seals old data anew. Each run makes one more generation.
    """
    _check_target(tenant, everybody)
    categories = TENANT_CATEGORIES if category is None else (Category[category.upper()],)

    async def one_tenant(runtime: Runtime, row: TenantRow, advance: Advance) -> None:
        await rotate_tenant(_keys(runtime), row.tenant_id, categories)
        advance(1)

    async def one_person(runtime: Runtime, row: PersonRow, advance: Advance) -> None:
        if set(categories) & set(PERSON_CATEGORIES):
            await rotate_person(_keys(runtime), row.person_id)
        advance(1)

    run(_each(installation(), tenant, "rotate", one_tenant, one_person))


@vault.command(name="re-encrypt")
@_for_whom
def re_encrypt(tenant: UUID | None, everybody: bool) -> None:
    """Seal everything anew under the newest keys, while everybody goes on working.

    Stopped in the middle, even killed: run it again, and what is done is passed over.
    """
    _check_target(tenant, everybody)

    async def one_tenant(runtime: Runtime, row: TenantRow, advance: Advance) -> None:
        await replay(runtime.control, runtime.data, row.tenant_id, runtime.clock.now())
        async for seen, _ in reencrypt_tenant(_keys(runtime), _shelf(runtime, row.tenant_id)):
            advance(seen)

    async def one_person(runtime: Runtime, row: PersonRow, advance: Advance) -> None:
        async for seen, _ in reencrypt_person(_keys(runtime), row.person_id):
            advance(seen)

    run(_each(installation(), tenant, "re-encrypt", one_tenant, one_person))


@vault.command()
@_for_whom
@click.option("--module", help="only the category of this module; modules of a category share index keys")
def reindex(tenant: UUID | None, everybody: bool, module: str | None) -> None:
    """New index keys and new search terms for all records, then the end of the old index keys.

    Searches and uniqueness hold throughout. Needed after a field became searchable or unique, too.
    Stopped in the middle: run it again.
    """
    _check_target(tenant, everybody)
    where = installation()
    known = {one.name: one for one in where.modules}
    if module is not None and module not in known:
        raise click.ClickException(f"no module {module!r}; there are {', '.join(sorted(known)) or 'none'}")
    categories = {known[module].category} if module else {one.category for one in where.modules}

    async def one_tenant(runtime: Runtime, row: TenantRow, advance: Advance) -> None:
        await replay(runtime.control, runtime.data, row.tenant_id, runtime.clock.now())
        keys = _keys(runtime)
        # The old key ends for every module of its category, so all of them have to be known.
        await check_declared(keys, row.tenant_id, where.modules)
        for category in sorted(categories):
            await _reindex(runtime, keys, row.tenant_id, where.modules, category, advance)

    run(_each(where, tenant, "reindex", one_tenant, None))


async def _reindex(
    runtime: Runtime,
    keys: Keys,
    tenant_id: UUID,
    modules: tuple[Module[Any], ...],
    category: Category,
    advance: Advance,
) -> None:
    last = 0
    run_ = reindex_category(
        runtime.control, runtime.provider, keys.tenant(tenant_id), modules, category, runtime.clock
    )
    async for step in run_:
        # A module's count starts anew with the module.
        advance(step.seen - last if step.seen >= last else step.seen)
        last = step.seen


OneTenant = Callable[[Runtime, TenantRow, Advance], Awaitable[None]]
OnePerson = Callable[[Runtime, PersonRow, Advance], Awaitable[None]]


async def _each(
    where: Installation, tenant: UUID | None, title: str, one_tenant: OneTenant, one_person: OnePerson | None
) -> None:
    """Do it for everybody concerned. Who cannot be helped is named; the others do not wait for that."""
    failed = 0
    async with as_worker(where) as runtime:
        tenants = await _tenants(runtime, tenant)
        wanted = tenant is None and one_person is not None
        persons = [row async for row in all_persons(runtime.data)] if wanted else []
        total = len(tenants) + len(persons)
        if title != "rotate":
            total = await _rows_of(runtime, tenants) + 3 * len(persons)
        with progress(title, total) as advance:
            for number, row in enumerate(tenants, start=1):
                advance(0, f"tenant {number} of {len(tenants)}")
                failed += await _told_of(f"tenant {row.tenant_id}", one_tenant(runtime, row, advance))
            for person in persons:
                if one_person is not None:
                    done = one_person(runtime, person, advance)
                    failed += await _told_of(f"person {person.person_id}", done)
    if failed:
        raise click.ClickException(f"{title}: {failed} of {len(tenants) + len(persons)} were not done")
    click.echo(
        f"{title}: done for {len(tenants)} tenants" + (f" and {len(persons)} persons" if wanted else "")
    )


async def _told_of(who: str, work: Awaitable[None]) -> int:
    try:
        await work
    except (TenantsError, VaultError, UnknownFact) as error:
        click.secho(f"{who}: {error or type(error).__name__}", err=True, fg="red")
        return 1
    return 0


async def _tenants(runtime: Runtime, only: UUID | None) -> list[TenantRow]:
    rows = [row async for row in all_tenants(runtime.data) if only is None or row.tenant_id == only]
    if only is not None and not rows:
        raise click.ClickException(f"no tenant {only}; mandant tenants list shows them")
    return [row for row in rows if not row.is_gone]


async def _rows_of(runtime: Runtime, tenants: list[TenantRow]) -> int:
    """Records of the declared modules, for the progress bar; of a tenant that does not open, none."""
    total = 0
    for row in tenants:
        for module in runtime.modules.values():
            try:
                total += await store.count(_keys(runtime).tenant(row.tenant_id), module)
            except (TenantsError, VaultError):
                break
    return total


def _keys(runtime: Runtime) -> Keys:
    return Keys(runtime.data, runtime.control, runtime.keyring, runtime.provider, runtime.clock)


def _shelf(runtime: Runtime, tenant_id: UUID) -> Shelf:
    return Shelf(_keys(runtime).tenant(tenant_id), runtime.objects, runtime.clock, runtime.modules)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
