"""`mandant vault verify`: everything that is sealed, opened and compared."""

from collections.abc import AsyncIterator
from uuid import UUID

import rich_click as click

from mandant.service.cli.installation import Installation, as_worker, installation, run
from mandant.service.cli.progress import Advance, progress
from mandant.service.cli.vault.owners import records_of, tenants_of
from mandant.tenants.errors import TenantsError
from mandant.tenants.everyone import all_persons
from mandant.tenants.verifying import Finding, Step, verify_person, verify_tenant
from mandant.vault.errors import VaultError

__all__ = ["verify"]


@click.command()
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
        tenants = await tenants_of(runtime, tenant)
        persons = [] if tenant else [row async for row in all_persons(runtime.data)]
        total = await records_of(runtime, tenants) + 8 * len(tenants) + 3 * len(persons)
        with progress("verify", total) as advance:
            for number, row in enumerate(tenants, start=1):
                advance(0, f"tenant {number} of {len(tenants)}")
                steps = verify_tenant(runtime.shelf(row.tenant_id), row)
                seen += await _collect(steps, findings, advance, row.tenant_id)
            for person in persons:
                steps = verify_person(runtime.data, runtime.keyring, person, runtime.clock)
                seen += await _collect(steps, findings, advance, person.person_id)
    return seen, findings


async def _collect(steps: AsyncIterator[Step], findings: list[Finding], advance: Advance, owner: UUID) -> int:
    seen = 0
    try:
        async for step in steps:
            seen += step.seen
            findings += step.findings
            advance(step.seen)
    except (TenantsError, VaultError) as error:
        findings.append(Finding(owner, "session", owner, f"{type(error).__name__}: {error}"))
    return seen
