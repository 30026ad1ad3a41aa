"""Brings plain values of an older schema version up to the present one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mandant.tenants.modules.fields import DeclarationError

Upgrade = Callable[[dict[str, Any]], dict[str, Any]]


class Upgrades:
    """The functions of one module, one for each version but the last: 1 -> 2, 2 -> 3, ..."""

    def __init__(self, module: str, version: int) -> None:
        self._module = module
        self._version = version
        self._steps: dict[int, Upgrade] = {}

    def add(self, from_version: int, step: Upgrade) -> None:
        """Raises: DeclarationError for a version that needs none, or one that has its function already."""
        if not 1 <= from_version < self._version:
            raise DeclarationError(
                f"module {self._module}: upgrade from version {from_version} is outside "
                f"1..{self._version - 1}; raise version= when the record changes"
            )
        if from_version in self._steps:
            raise DeclarationError(f"module {self._module}: two upgrades from version {from_version}")
        self._steps[from_version] = step

    def check(self) -> None:
        """Raises: DeclarationError where a version has no function, and its records could not be opened."""
        missing = [v for v in range(1, self._version) if v not in self._steps]
        if missing:
            raise DeclarationError(
                f"module {self._module}: no upgrade from version {', '.join(map(str, missing))}; records "
                "stored by that version could not be opened"
            )

    def apply(self, stored: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Runs every step from `from_version` on. Raises: DeclarationError at a gap."""
        self.check()
        for version in range(from_version, self._version):
            stored = self._steps[version](stored)
        return stored
