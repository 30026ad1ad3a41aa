"""The modules that there are where nobody declares others."""

from typing import Any

from mandant.tenants.modules.customers import customers, groups
from mandant.tenants.modules.declaration import Module

__all__ = ["BUILT_IN"]

BUILT_IN: tuple[Module[Any], ...] = (customers, groups)
