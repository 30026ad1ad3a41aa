"""The records that are measured: a customer with two searchable fields, so two index terms each."""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Annotated

from mandant.tenants.modules import Module, Record, Searchable

__all__ = ["Client", "clients", "make_clients"]


class Client(Record):
    """About 330 bytes when encoded. An e-mail address and a last name can be searched for."""

    first_name: str
    last_name: Annotated[str, Searchable()]
    email: Annotated[str, Searchable(as_="email")]
    phone: str
    street: str
    postcode: str
    city: str
    country: str = "CH"
    birthday: date | None = None
    notes: str = ""


clients = Module("clients", Client)

_FIRST = ("Anna", "Luca", "Noémie", "Jürg", "Chiara", "Beat", "Élodie", "Urs", "Nina", "Reto")
_LAST = ("Müller", "Meier", "Rochat", "Bernasconi", "Keller", "Favre", "Huber", "Caduff", "Weber", "Dubois")
_CITIES = ("Zürich", "Genève", "Lugano", "Bern", "Chur", "Lausanne", "Basel", "Winterthur")


def make_clients(count: int, *, seed: int = 1) -> list[Client]:
    """Clients whose e-mail addresses differ: `client0@example.ch` and so on."""
    random = Random(seed)
    return [_client(number, random) for number in range(count)]


def _client(number: int, random: Random) -> Client:
    return Client(
        first_name=random.choice(_FIRST),
        last_name=f"{random.choice(_LAST)} {random.randrange(1000)}",
        email=f"client{number}@example.ch",
        phone=f"+41 44 {random.randrange(100, 999)} {random.randrange(10, 99)} {random.randrange(10, 99)}",
        street=f"Bahnhofstrasse {random.randrange(1, 200)}",
        postcode=str(random.randrange(1000, 9999)),
        city=random.choice(_CITIES),
        birthday=date(random.randrange(1940, 2008), random.randrange(1, 13), random.randrange(1, 29)),
        notes="Ruft lieber an als zu schreiben. Rechnungen bitte zweimal im Jahr, auf Papier, an die Filiale.",
    )
