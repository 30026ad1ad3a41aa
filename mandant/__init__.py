"""mandant: tenants' data, sealed, isolated and searchable, as a Litestar plugin and as a service.

    class Contact(Record):
        name: Annotated[str, Searchable(prefix=3)]
        email: Annotated[str, Unique()]

    contacts = Module("contacts", Contact, category=Category.MODULE)

    app = Litestar(plugins=[MandantPlugin(MandantConfig(modules=[contacts]))])

Names are imported when they are used: whoever needs only the vault does not load a web framework.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mandant.service.app import create_app
    from mandant.service.plugin import MandantConfig, MandantPlugin
    from mandant.service.settings import Settings
    from mandant.tenants.modules import DeclarationError, Module, Part, Record, Searchable, Unique
    from mandant.vault.category import Category

__all__ = [
    "Category",
    "DeclarationError",
    "MandantConfig",
    "MandantPlugin",
    "Module",
    "Part",
    "Record",
    "Searchable",
    "Settings",
    "Unique",
    "create_app",
]

_HOMES = {
    "Category": "mandant.vault.category",
    "MandantConfig": "mandant.service.plugin",
    "MandantPlugin": "mandant.service.plugin",
    "Settings": "mandant.service.settings",
    "create_app": "mandant.service.app",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "mandant.tenants.modules")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
