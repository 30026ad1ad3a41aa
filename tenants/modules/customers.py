"""The built-in modules: customers (persons and companies, with relations) and their groups.

Source: C4.4.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from msgspec import Meta, field

from mandant.tenants.modules.customer_headings import HEADINGS
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.fields import Searchable, Unique
from mandant.tenants.modules.import_rules import ImportRules
from mandant.tenants.modules.importing import places
from mandant.tenants.modules.record import Part, Record

Name = Annotated[str, Searchable(prefix=3), Meta(max_length=300)]
Short = Annotated[str, Meta(max_length=300)]
# Python's $ also stands before a last line end: the same pattern means the same to every reader.
_EMAIL = r"^[^@\s\x00]+@[^@\s\x00]+(?!\s)$"
EmailAddress = Annotated[
    str, Searchable(as_="email"), Meta(pattern=_EMAIL, max_length=320, description="an e-mail address")
]
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2, description="two letters, such as CH")]
Language = Annotated[str, Meta(pattern="^[a-z]{2}$", max_length=2, description="two letters, such as de")]


class Address(Part):
    """A postal address. `country` is ISO 3166-1 alpha-2."""

    kind: Literal["home", "work", "billing", "delivery", "other"] = "home"
    street: Short | None = None
    extra: Short | None = None
    postcode: Annotated[str, Searchable(), Meta(max_length=20)] | None = None
    city: Name | None = None
    region: Short | None = None
    country: Country | None = None


class Email(Part):
    """An e-mail address, as written."""

    address: EmailAddress
    kind: Literal["home", "work", "other"] = "home"


class Phone(Part):
    """A phone number, as written; found in any spelling, without country code as a Swiss one."""

    number: Annotated[str, Searchable(as_="phone", region="CH"), Meta(max_length=60)]
    kind: Literal["home", "work", "mobile", "fax", "other"] = "home"


class Relation(Part):
    """How this customer stands to another: `kind` in the tenant's own words, such as spouse or employer."""

    kind: Short
    customer: Annotated[UUID, Searchable()]


class Customer(Record):
    """A person or a company. `number` is the tenant's own customer number."""

    kind: Literal["person", "company"] = "person"
    number: Annotated[str, Unique(), Meta(max_length=60)] | None = None
    salutation: Short | None = None
    title: Short | None = None
    first_name: Name | None = None
    last_name: Name | None = None
    company: Name | None = None
    department: Short | None = None
    position: Short | None = None
    addresses: list[Address] = field(default_factory=list)
    emails: list[Email] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    birthday: date | None = None
    language: Language | None = None
    website: Annotated[str, Meta(max_length=2000)] | None = None
    ibans: list[Annotated[str, Searchable(as_="iban"), Meta(max_length=60)]] = field(default_factory=list)
    tags: list[Annotated[str, Searchable(), Meta(max_length=300)]] = field(default_factory=list)
    groups: list[Annotated[UUID, Searchable()]] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    notes: Annotated[str, Meta(max_length=100_000)] | None = None


class Group(Record):
    """A group that customers belong to by naming its record's id."""

    name: Annotated[str, Unique(), Searchable(prefix=3), Meta(max_length=300)]
    description: str | None = None


def named(customer: Customer) -> Iterator[tuple[str, str]]:
    """A customer is somebody: without a name, a company, an e-mail or a phone there is nobody to find."""
    if not any((customer.first_name, customer.last_name, customer.company, customer.emails, customer.phones)):
        yield (
            "last_name",
            "is missing; a customer needs a name, a company, an e-mail address or a phone number",
        )


def finish(values: dict[str, Any]) -> None:
    """Splits a full name where nothing better was given, and tells companies from persons."""
    full = values.pop("~full_name", None)
    first = values.get("first_name")
    if full and first and not values.get("last_name"):
        # German tables have `Name` and `Vorname`
        values["last_name"] = full.removeprefix(first).removesuffix(first).strip(" ,") or full
    unnamed = not (first or values.get("last_name"))
    if full and unnamed and full != values.get("company"):
        last, comma, first = full.partition(",")
        if not comma:
            first, _, last = full.rpartition(" ")
        values["last_name"] = last.strip()
        if first.strip():
            values["first_name"] = first.strip()
        unnamed = False
    values.setdefault("kind", "company" if values.get("company") and unnamed else "person")


def phone_kind(text: str) -> str:
    """Google's, Outlook's and vCard's words for a kind of number, in three languages."""
    return _kind(text, {"mobile": _MOBILE, "fax": _FAX, "work": _WORK, "home": _HOME})


def place_kind(text: str) -> str:
    """The kind of an address or e-mail address; what is unknown is `other`."""
    return _kind(text, {"billing": _BILLING, "delivery": _DELIVERY, "work": _WORK, "home": _HOME})


_MOBILE = ("mobil", "cell", "handy", "natel", "portable", "iphone")
_FAX = ("fax", "telecop", "télécop")
_WORK = (
    "work",
    "business",
    "office",
    "geschäft",
    "arbeit",
    "büro",
    "bureau",
    "travail",
    "prof",
    "firma",
    "main",
)
_BILLING = ("billing", "rechnung", "factur")
_DELIVERY = ("delivery", "liefer", "livraison", "shipping")
_HOME = ("home", "privat", "domicile", "perso", "maison")


def _kind(text: str, words: dict[str, tuple[str, ...]]) -> str:
    lowered = text.casefold()
    for kind, beginnings in words.items():
        if any(word in lowered for word in beginnings):
            return kind
    return "other"


def tag(text: str) -> str:
    """A label; Google's own ones, such as `* myContacts`, are none of the person's."""
    return "" if text.startswith("* ") else text


def customer_kind(text: str) -> str:
    """Raises: ValueError for what is neither a person nor a company in any of the three languages."""
    word = text.strip().casefold()
    if word in ("person", "privat", "privatperson", "personne", "particulier", "individual", "private", "p"):
        return "person"
    if word in (
        "company",
        "firma",
        "unternehmen",
        "entreprise",
        "société",
        "organisation",
        "organization",
        "f",
    ):
        return "company"
    raise ValueError("is neither a person nor a company")


customers = Module(
    "customers",
    Customer,
    rules=(named,),
    imports=ImportRules(
        headers=HEADINGS,
        converters={
            "kind": customer_kind,
            "language": places.language,
            "addresses.kind": place_kind,
            "addresses.country": places.country,
            "emails.kind": place_kind,
            "phones.kind": phone_kind,
            "tags": tag,
        },
        finish=finish,
    ),
    example=Customer(
        kind="person",
        number="K-1001",
        salutation="Frau",
        first_name="Anna",
        last_name="Muster",
        company="Muster Treuhand AG",
        position="Buchhalterin",
        addresses=[
            Address(kind="work", street="Bahnhofstrasse 1", postcode="8001", city="Zürich", country="CH")
        ],
        emails=[Email(address="anna@muster.example", kind="work")],
        phones=[Phone(number="+41 44 668 18 00", kind="work")],
        birthday=date(1990, 12, 31),
        language="de",
        website="https://muster.example",
        ibans=["CH93 0076 2011 6238 5295 7"],
        tags=["Newsletter"],
        notes="Ruft lieber an.",
    ),
)

groups = Module("groups", Group, example=Group(name="Stammkunden", description="Seit mehr als drei Jahren"))
