"""A host developer's whole application."""

from datetime import date
from typing import Annotated

from litestar import Litestar

from mandant import Category, MandantConfig, MandantPlugin, Module, Record, Searchable, Unique


class Contact(Record):
    name: Annotated[str, Searchable(prefix=3)]
    email: Annotated[str, Unique()]
    birthday: date | None = None


contacts = Module("contacts", Contact, category=Category.MODULE)

app = Litestar(plugins=[MandantPlugin(MandantConfig(modules=[contacts]))])
