"""Open everything that is sealed, and compare what stands beside it. Nothing is changed, no content returned.

async for step in verify_tenant(shelf, row): ...
"""

from collections.abc import AsyncIterator
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import TenantsError
from mandant.tenants.everyone import PersonRow, TenantRow
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.people.directory import find, term_of
from mandant.tenants.people.person import read_person
from mandant.tenants.people.transaction import open_person
from mandant.tenants.sealed_rows import RowsDone, person_rows, tenant_rows
from mandant.tenants.verifying_files import verify_files
from mandant.tenants.verifying_records import Finding, Step, modules_of, verify_records
from mandant.vault.clock import Clock
from mandant.vault.errors import VaultError
from mandant.vault.keyring import Keyring
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind

__all__ = ["Finding", "Step", "verify_person", "verify_tenant"]


async def verify_tenant(shelf: Shelf, row: TenantRow) -> AsyncIterator[Step]:
    """A tenant's keys, key state, sealed columns, records and files; without keys, only that is found."""
    data, keyring = shelf.tenant.data, shelf.tenant.keyring
    broken = await _keys(keyring, row.tenant_id, (ScopeKind.TENANT, ScopeKind.OPERATOR), row.key_state)
    yield Step(1, broken)
    if broken:
        return
    async for done in tenant_rows(data, keyring, row.tenant_id, reseal=False):
        yield _step(row.tenant_id, done)
    for name in await modules_of(data, keyring, row.tenant_id):
        async for step in verify_records(data, keyring, row.tenant_id, name, shelf.modules.get(name)):
            yield step
    for module in shelf.modules.values():
        async for step in verify_files(shelf, module):
            yield step


async def verify_person(
    data: DataDatabase, keyring: Keyring, row: PersonRow, clock: Clock
) -> AsyncIterator[Step]:
    """A person's keys, key state, sealed columns, and whether the address leads to the person."""
    broken = await _keys(keyring, row.person_id, (ScopeKind.PERSON,), row.key_state)
    yield Step(1, broken)
    if broken:
        return
    damaged = False
    async for done in person_rows(data, keyring, row.person_id, reseal=False):
        damaged = damaged or bool(done.failures)
        yield _step(row.person_id, done)
    if damaged:
        return
    async with open_person(data, keyring, row.person_id) as session:
        person = await read_person(session)
    term = await term_of(keyring, "email", person.profile.email)
    entry = await find(data.pool, term, clock.now())
    if entry is None or entry.person_id != row.person_id:
        yield Step(0, (Finding(row.person_id, "entry", row.person_id, "no address leads to this person"),))


async def _keys(
    keyring: Keyring, owner: UUID, kinds: tuple[ScopeKind, ...], key_state: int
) -> tuple[Finding, ...]:
    """Unwraps every key of the owner's scopes, and compares control's last fact with the data's number."""
    findings: list[Finding] = []
    for kind in kinds:
        scope = scope_id(owner, kind)
        try:
            keys = await keyring.open(scope)
        except (VaultError, TenantsError) as error:
            findings.append(Finding(owner, f"{kind.value} scope", scope, f"no key: {type(error).__name__}"))
            continue
        if keys.key_state > key_state:
            said = f"data stands at fact {key_state}, control at {keys.key_state}: the worker replays it"
            findings.append(Finding(owner, f"{kind.value} scope", scope, said))
        elif keys.key_state < key_state:
            said = f"data stands at fact {key_state}, control at {keys.key_state}: control is older than data"
            findings.append(Finding(owner, f"{kind.value} scope", scope, said))
    return tuple(findings)


def _step(owner: UUID, done: RowsDone) -> Step:
    return Step(
        done.seen,
        tuple(Finding(owner, str(done.column), record_id, why) for record_id, why in done.failures),
    )
