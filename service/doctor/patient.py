"""What the checks look at: settings, addresses, and the connections that could be made."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import asyncpg

from mandant.service.databases import Databases
from mandant.service.migrations.run import Tree
from mandant.service.settings import Settings
from mandant.vault.clock import Clock

__all__ = ["ROLES", "Connection", "NotConnected", "Patient"]

Connection: TypeAlias = "asyncpg.Connection[Any]"
ROLES = ("mandant_app", "mandant_worker", "mandant_owner")


class NotConnected(Exception):
    """A check needs a connection that could not be made; the line of the connection says why."""


@dataclass(frozen=True, slots=True)
class Patient:
    """One installation. `connections` holds what check_connections could open, by database and role."""

    settings: Settings
    where: Databases
    clock: Clock
    connections: dict[tuple[Tree, str], Connection] = field(default_factory=dict, repr=False)

    def url(self, tree: Tree, role: str) -> str:
        """Raises: LookupError where the settings name none."""
        return self.where.data(role) if tree == "data" else self.where.control(role)

    def connection(self, tree: Tree, *roles: str) -> Connection:
        """The first of the roles that is connected, any where none is named. Raises: NotConnected."""
        for role in roles or ROLES:
            if (tree, role) in self.connections:
                return self.connections[tree, role]
        raise NotConnected(f"{tree} database")

    async def close(self) -> None:
        for connection in self.connections.values():
            await connection.close()
