"""New seal keys for a tenant or a person, in any category; and everything of theirs sealed anew under them.

What is missing of older facts is replayed first: a new fact must not hide one that was never carried out.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import TenantsError
from mandant.tenants.modules import Module
from mandant.tenants.modules.file_reseal import reseal_files
from mandant.tenants.modules.reseal import Progress, reseal
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.replay import replay, replay_person
from mandant.tenants.sealed_rows import RowsDone, person_rows, tenant_rows
from mandant.tenants.session import Tenant
from mandant.tenants.verifying_records import modules_of
from mandant.vault.category import Category
from mandant.vault.clock import Clock
from mandant.vault.control import ControlDatabase
from mandant.vault.errors import Unopenable
from mandant.vault.keyring import Keyring
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.rotation import rotate
from mandant.vault.scopes import CATEGORIES, scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose

TENANT_CATEGORIES = (*CATEGORIES[ScopeKind.TENANT], *CATEGORIES[ScopeKind.OPERATOR])
PERSON_CATEGORIES = CATEGORIES[ScopeKind.PERSON]


class ModulesNotDeclared(TenantsError):
    """A tenant has records of modules that this program does not know; they would be left behind."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"there are records of modules that are not declared here: {', '.join(names)}. Run the command "
            "in the host's application: litestar --app ... mandant vault ..."
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """What changing keys takes; both databases connected to as mandant_worker."""

    data: DataDatabase
    control: ControlDatabase
    keyring: Keyring
    provider: KeyProvider
    clock: Clock

    def tenant(self, tenant_id: UUID) -> Tenant:
        return Tenant(self.data, self.keyring, tenant_id)


async def rotate_tenant(keys: Keys, tenant_id: UUID, categories: Sequence[Category]) -> None:
    """A new seal key a category. Raises: NotFound, UnknownFact, KmsError, ControlUnavailable."""
    at = keys.clock.now()
    await replay(keys.control, keys.data, tenant_id, at)
    for category in categories:
        kind = ScopeKind.TENANT if category in CATEGORIES[ScopeKind.TENANT] else ScopeKind.OPERATOR
        scope = scope_id(tenant_id, kind)
        await rotate(keys.control, keys.provider, scope, category, Purpose.SEAL, at)
        await replay(keys.control, keys.data, tenant_id, at)


async def rotate_person(keys: Keys, person_id: UUID) -> None:
    """A new seal key for what is known of a person. Raises: as rotate_tenant."""
    at = keys.clock.now()
    await replay_person(keys.control, keys.data, person_id, at)
    for category in PERSON_CATEGORIES:
        scope = scope_id(person_id, ScopeKind.PERSON)
        await rotate(keys.control, keys.provider, scope, category, Purpose.SEAL, at)
        await replay_person(keys.control, keys.data, person_id, at)


async def reencrypt_tenant(keys: Keys, shelf: Shelf) -> AsyncIterator[tuple[int, int]]:
    """Everything of a tenant under its newest keys. Yields (rows looked at, written anew) a batch.

    Raises: ModulesNotDeclared before anything is written; Unopenable; as open_session.
    """
    await check_declared(keys, shelf.tenant_id, list(shelf.modules.values()))
    for module in shelf.modules.values():
        for run in (reseal(shelf.tenant, module), reseal_files(shelf, module)):
            last = Progress(0, 0)
            async for progress in run:
                yield progress.seen - last.seen, progress.resealed - last.resealed
                last = progress
    async for done in tenant_rows(keys.data, keys.keyring, shelf.tenant_id, reseal=True):
        yield _done(done)


async def reencrypt_person(keys: Keys, person_id: UUID) -> AsyncIterator[tuple[int, int]]:
    """As reencrypt_tenant, for a person. Raises: Unopenable; as open_person."""
    async for done in person_rows(keys.data, keys.keyring, person_id, reseal=True):
        yield _done(done)


async def check_declared(keys: Keys, tenant_id: UUID, modules: Sequence[Module[Any]]) -> None:
    """Raises: ModulesNotDeclared; as open_session."""
    known = {module.name for module in modules}
    unknown = [name for name in await modules_of(keys.data, keys.keyring, tenant_id) if name not in known]
    if unknown:
        raise ModulesNotDeclared(unknown)


def _done(done: RowsDone) -> tuple[int, int]:
    if done.failures:
        raise Unopenable(f"{done.column} {done.failures[0][0]} does not open: run mandant vault verify")
    return done.seen, done.resealed
