"""`mandant vault rotate`, `re-encrypt`, `reindex`: new keys, and everything that is stored under them."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from uuid import UUID

import rich_click as click

from mandant.service.cli.installation import Installation, as_worker, installation, run
from mandant.service.cli.progress import Advance, progress
from mandant.service.cli.vault.owners import keys_of, records_of, tenants_of
from mandant.service.runtime import Runtime
from mandant.tenants.errors import TenantsError
from mandant.tenants.everyone import PersonRow, TenantRow, all_persons
from mandant.tenants.modules import Module
from mandant.tenants.modules.keychanges import reindex as reindex_category
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
from mandant.vault.category import Category
from mandant.vault.errors import VaultError

__all__ = ["re_encrypt", "reindex", "rotate"]

F = TypeVar("F", bound=Callable[..., None])

_CATEGORIES = [category.name.lower() for category in TENANT_CATEGORIES]


def _for_whom(command: F) -> F:
    command = click.option("--all", "everybody", is_flag=True, help="every tenant, and every person")(command)
    return click.option("--tenant", type=click.UUID, help="one tenant, by id")(command)


def _check_target(tenant: UUID | None, everybody: bool) -> None:
    if (tenant is None) != everybody:
        raise click.UsageError("say for whom: --tenant ID, or --all")


@click.command()
@_for_whom
@click.option("--category", type=click.Choice(_CATEGORIES), help="one data category; without it all")
def rotate(tenant: UUID | None, everybody: bool, category: str | None) -> None:
    """New seal keys: what is written from now on is sealed with them. Old data still opens.

    Afterwards `mandant vault re-encrypt` seals old data anew. Each run makes one more generation.
    """
    _check_target(tenant, everybody)
    categories = TENANT_CATEGORIES if category is None else (Category[category.upper()],)

    async def one_tenant(runtime: Runtime, row: TenantRow, advance: Advance) -> None:
        await rotate_tenant(keys_of(runtime), row.tenant_id, categories)
        advance(1)

    async def one_person(runtime: Runtime, row: PersonRow, advance: Advance) -> None:
        if set(categories) & set(PERSON_CATEGORIES):
            await rotate_person(keys_of(runtime), row.person_id)
        advance(1)

    run(_each(installation(), tenant, "rotate", one_tenant, one_person))


@click.command(name="re-encrypt")
@_for_whom
def re_encrypt(tenant: UUID | None, everybody: bool) -> None:
    """Seal everything anew under the newest keys, while everybody goes on working.

    Stopped in the middle, even killed: run it again, and what is done is passed over.
    """
    _check_target(tenant, everybody)

    async def one_tenant(runtime: Runtime, row: TenantRow, advance: Advance) -> None:
        await replay(runtime.control, runtime.data, row.tenant_id, runtime.clock.now())
        async for seen, _ in reencrypt_tenant(keys_of(runtime), runtime.shelf(row.tenant_id)):
            advance(seen)

    async def one_person(runtime: Runtime, row: PersonRow, advance: Advance) -> None:
        async for seen, _ in reencrypt_person(keys_of(runtime), row.person_id):
            advance(seen)

    run(_each(installation(), tenant, "re-encrypt", one_tenant, one_person))


@click.command()
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
        keys = keys_of(runtime)
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
        tenants = await tenants_of(runtime, tenant)
        wanted = tenant is None and one_person is not None
        persons = [row async for row in all_persons(runtime.data)] if wanted else []
        total = len(tenants) + len(persons)
        if title != "rotate":
            total = await records_of(runtime, tenants) + 3 * len(persons)
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
