"""Modules of a tenant's data: declared from a typed record, sealed, searchable, importable, exportable.

Example::

    class Contact(Record):
        name: Annotated[str, Searchable(prefix=3)]
        email: Annotated[str, Unique()]
        birthday: date | None = None

    contacts = Module("contacts", Contact, category=Category.MODULE, version=2)

    @contacts.upgrade(from_version=1)
    def _(old: dict[str, Any]) -> dict[str, Any]:
        old["email"] = old.pop("mail")
        return old
"""

from mandant.tenants.modules.declaration import CannotDecode, Module, catalogue
from mandant.tenants.modules.fields import DeclarationError, FieldSpec, Searchable, Unique
from mandant.tenants.modules.import_rules import ImportRules
from mandant.tenants.modules.record import Part, Record

__all__ = [
    "CannotDecode",
    "DeclarationError",
    "FieldSpec",
    "ImportRules",
    "Module",
    "Part",
    "Record",
    "Searchable",
    "Unique",
    "catalogue",
]
