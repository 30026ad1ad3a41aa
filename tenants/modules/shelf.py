"""What the functions on files take first: where a tenant's files are."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mandant.tenants.errors import NotFound
from mandant.tenants.modules.declaration import Module
from mandant.tenants.objects import ObjectStore
from mandant.tenants.session import Tenant, TenantSession, open_session
from mandant.vault.clock import Clock


@dataclass(frozen=True, slots=True)
class Shelf:
    """A tenant's files: their rows behind the tenant's door, their bytes in the object store.

    A file takes several transactions, with none open while bytes move: so this is never a session.
    `modules`: those of the installation, by name.
    """

    tenant: Tenant
    objects: ObjectStore
    clock: Clock
    modules: Mapping[str, Module[Any]]

    @property
    def tenant_id(self) -> UUID:
        return self.tenant.tenant_id

    def session(self, *, write: bool = False) -> AbstractAsyncContextManager[TenantSession]:
        """A transaction of the tenant. Raises: as open_session."""
        return open_session(self.tenant.data, self.tenant.keyring, self.tenant_id, write=write)

    def module(self, name: str) -> Module[Any]:
        """Raises: NotFound for a module that this installation does not have (any more)."""
        try:
            return self.modules[name]
        except KeyError:
            raise NotFound("module") from None
