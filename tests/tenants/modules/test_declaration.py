"""A module is one typed record: storage, search and refusals follow from its declaration."""

from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.tenants.errors import Invalid
from mandant.tenants.modules import (
    CannotDecode,
    DeclarationError,
    Module,
    Part,
    Record,
    Searchable,
    Unique,
    catalogue,
)
from mandant.vault.category import Category


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Mail(Part):
    address: Annotated[str, Searchable(as_="email")]
    kind: Literal["home", "work"] = "home"


class Contact(Record):
    name: Annotated[str, Searchable(prefix=3)]
    email: Annotated[str, Unique(as_="email")]
    birthday: Annotated[date, Searchable()] | None = None
    mails: list[Mail] = []  # noqa: RUF012 - msgspec copies it
    tags: list[Annotated[str, Searchable()]] = []  # noqa: RUF012
    colour: Annotated[Colour, Searchable()] | None = None
    amount: Decimal | None = None
    count: int = 0
    extra: dict[str, str] = {}  # noqa: RUF012


def module(version: int = 1) -> Module[Contact]:
    return Module("contacts", Contact, version=version)


contacts = module()
anna = Contact(name="Anna Müller", email="Anna@Velo.example", mails=[Mail(address="a@b.example")])


def problems(raw: bytes) -> dict[str, str]:
    with pytest.raises(Invalid) as caught:
        contacts.parse(raw)
    return {problem.field: problem.message for problem in caught.value.problems}


def test_a_record_comes_back_as_it_was_with_its_version_in_front() -> None:
    plain = contacts.encode(anna)
    assert plain[:2] == b"\0\1"
    assert contacts.decode(memoryview(plain)) == anna
    assert contacts.is_current(plain)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=50), st.dates())
def test_any_text_and_date_comes_back(name: str, birthday: date) -> None:
    record = Contact(name=name, email="x", birthday=birthday)
    assert contacts.decode(contacts.encode(record)) == record


def test_an_older_version_is_upgraded_step_by_step() -> None:
    third = module(version=3)

    @third.upgrade(from_version=1)
    def _(old: dict[str, Any]) -> dict[str, Any]:
        old["mail"] = old.pop("e")
        return old

    @third.upgrade(from_version=2)
    def _(old: dict[str, Any]) -> dict[str, Any]:
        old["email"] = old.pop("mail")
        return old

    catalogue([third])
    stored = b"\0\1" + msgspec.msgpack.encode({"name": "Anna", "e": "a@b"})
    assert third.decode(stored) == Contact(name="Anna", email="a@b")
    assert not third.is_current(stored)


def test_a_newer_version_and_a_missing_field_say_what_to_do() -> None:
    with pytest.raises(CannotDecode, match="this process knows 1; update"):
        contacts.decode(b"\0\2" + msgspec.msgpack.encode({}))
    with pytest.raises(CannotDecode, match="email; a field that was added needs a default"):
        contacts.decode(b"\0\1" + msgspec.msgpack.encode({"name": "secret"}))
    with pytest.raises(CannotDecode) as caught:
        contacts.decode(b"\0\1" + msgspec.msgpack.encode({"name": "x", "email": "y", "colour": "canary"}))
    assert "canary" not in str(caught.value)
    with pytest.raises(CannotDecode, match="no record"):
        contacts.decode(b"")


def test_gaps_and_doubles_among_upgrades_are_refused() -> None:
    with pytest.raises(DeclarationError, match="no upgrade from version 1, 2"):
        catalogue([module(version=3)])
    two = module(version=2)
    two.upgrade(from_version=1)(lambda old: old)
    with pytest.raises(DeclarationError, match="two upgrades"):
        two.upgrade(from_version=1)(lambda old: old)
    with pytest.raises(DeclarationError, match="outside"):
        two.upgrade(from_version=2)(lambda old: old)
    with pytest.raises(DeclarationError, match="two modules are named"):
        catalogue([module(), module()])


@pytest.mark.parametrize("name", ["", "Contacts", "1a", "a-b", "a" * 41, "system", "import"])
def test_names_that_cannot_be_addresses_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError, match="module name"):
        Module(name, Contact)


def _declared(annotation: Any, name: str = "field") -> None:
    record: Any = type("Odd", (Record,), {"__annotations__": {name: annotation}})
    Module("odd", record)


class Loose(msgspec.Struct):
    text: str


@pytest.mark.parametrize(
    ("annotation", "says"),
    [
        (bytes, "cannot be stored"),
        (set[str], "cannot be stored"),
        (list[list[str]], "list of lists"),
        (str | int, "union"),
        (Loose, "must derive from Part"),
        (Annotated[float, Searchable()], "cannot be searched"),
        (Annotated[str, Searchable(prefix=1)], "prefix is a number"),
        (Annotated[int, Searchable(prefix=3)], "prefix is a number"),
        (Annotated[int, Searchable(as_="email")], "needs a str"),
        (Annotated[str, Searchable(), Searchable()], "same marker twice"),
        (Annotated[str, Searchable(as_="email"), Unique(as_="text")], "same as_"),
        (Annotated[list[Mail], Searchable()], "put Searchable on a field of Mail"),
    ],
)
def test_fields_that_cannot_be_kept_or_found_are_refused(annotation: Any, says: str) -> None:
    with pytest.raises(DeclarationError, match=says):
        _declared(annotation)


@pytest.mark.parametrize("name", ["id", "version", "Name", "_hidden"])
def test_reserved_and_odd_field_names_are_refused(name: str) -> None:
    with pytest.raises(DeclarationError):
        _declared(str, name)


def test_only_tenants_categories_hold_modules() -> None:
    with pytest.raises(DeclarationError, match="MODULE or BANK"):
        Module("logs", Contact, category=Category.TECHNICAL)


def test_every_fault_is_named_at_once_and_no_value_is_repeated() -> None:
    found = problems(
        b'{"name":1,"birthday":"canary","mails":[{"adress":"canary"},3],"colour":"canary","new":1}'
    )
    assert found == {
        "new": "is not a field here; remove it",
        "name": "must be text",
        "email": "is missing",
        "birthday": "must be a date such as 1990-12-31",
        "mails.0.adress": "is not a field here; remove it",
        "mails.0.address": "is missing",
        "mails.1": "must be an object",
        "colour": "must be one of: red, blue",
    }


@pytest.mark.parametrize(
    ("raw", "field", "says"),
    [
        (b'{"name":"a\\u0000","email":"b"}', "name", "NUL"),
        (b'{"name":"' + b"x" * 10_001 + b'","email":"b"}', "name", "longer than 10000"),
        (b'{"name":"a","email":"b","count":' + b"9" * 30 + b"}", "count", "64 bits"),
        (b'{"name":"a","email":"b","amount":"1e999"}', "amount", "finite"),
        (b'{"name":"a","email":"b","tags":[' + b'"t",' * 1000 + b'"t"]}', "tags", "1000 entries"),
        (b'{"name":"a","email":"b","extra":{"\\u0000":"x"}}', "extra", "NUL"),
        (b'{"name":"a","email":"b","colour":' + b"[" * 200_000, "", "nested too deep"),
        (b'{"name":"\xff","email":"b"}', "", "not valid"),
        (b'{"name":"\\ud800","email":"b"}', "", "not valid JSON"),
        (b'{"name":"a"' + b" " * 5_000_000 + b"}", "", "longer than"),
        (b"", "", "not valid JSON"),
        (b"[]", "", "must be an object"),
    ],
)
def test_hostile_json_is_a_problem_and_never_a_crash(raw: bytes, field: str, says: str) -> None:
    assert says in problems(raw)[field]


def test_a_record_made_in_python_is_checked_before_it_is_sealed() -> None:
    wrong: Any = 3
    for record in (Contact(name=wrong, email="b"), Contact(name="\ud800", email="b")):
        with pytest.raises(Invalid):
            contacts.encode(record)
    with pytest.raises(Invalid, match="1 problem"):
        contacts.encode(Contact(name="a", email="b", extra={str(n): "x" * 9_000 for n in range(200)}))


def test_printing_a_record_shows_no_value() -> None:
    assert "Anna" not in f"{anna} {anna!r} {[anna]} {contacts!r} {anna.mails}"


def test_terms_and_unique_values_are_normalised() -> None:
    record = Contact(name="Anna Müller", email="A@B.example", tags=["VIP", "vip"], colour=Colour.RED)
    entries = set(contacts.index_values(record))
    assert ("name", "exact", "anna muller") in entries
    assert {("name", "prefix", "ann"), ("name", "prefix", "mul")} <= entries
    assert ("email", "exact", "a@b.example") in entries
    assert ("colour", "exact", "red") in entries
    assert [entry for entry in entries if entry[0] == "tags"] == [("tags", "exact", "vip")]
    assert list(contacts.unique_values(record)) == [("email", "a@b.example")]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=40))
def test_what_is_indexed_is_found_by_looking_for_it(name: str) -> None:
    record = Contact(name=name, email="x")
    entries = set(contacts.index_values(record))
    for beginnings in (False, True):
        try:
            look = contacts.look("name", name, beginnings=beginnings)
        except Invalid:
            continue
        assert set(look.entries) <= entries
        assert look.found(record)


def test_a_colliding_record_is_not_found() -> None:
    look = contacts.look("name", "Mülle", beginnings=True)
    assert look.found(anna)
    assert not look.found(Contact(name="Mulder", email="x"))
    assert "Mülle" not in repr(look)


def test_a_field_that_is_not_searchable_says_so() -> None:
    for path, asked, beginnings in (("count", "1", False), ("email", "a", True), ("nope", "a", False)):
        with pytest.raises(Invalid):
            contacts.look(path, asked, beginnings=beginnings)
    with pytest.raises(Invalid, match="1 problem"):
        contacts.look("birthday", "yesterday")


def test_any_field_sorts_and_filters_opened_records() -> None:
    records = [
        Contact(name="Zoë", email="1", count=3),
        Contact(name="émile", email="2", birthday=date(1990, 1, 1), amount=Decimal("1.5")),
        Contact(name="Bob", email="3", mails=[Mail(address="b@b.example", kind="work")]),
    ]

    def names(path: str, operator: str, raw: str) -> list[str]:
        condition = contacts.condition(path, operator, raw)
        return [r.email for r in records if contacts.matches(r, [condition])]

    assert [r.email for r in sorted(records, key=contacts.sort_key("name"))] == ["3", "2", "1"]
    assert [r.email for r in sorted(records, key=contacts.sort_key("birthday"))] == ["2", "1", "3"]
    assert names("name", "eq", "ZOE") == ["1"]
    assert names("name", "contains", "mil") == ["2"]
    assert names("count", "ge", "3") == ["1"]
    assert names("amount", "lt", "2") == ["2"]
    assert names("birthday", "empty", "true") == ["1", "3"]
    assert names("mails.kind", "eq", "work") == ["3"]
    assert names("birthday", "ne", "1990-01-01") == ["1", "3"]
    for path, operator, raw in (("count", "contains", "1"), ("count", "eq", "x"), ("name", "like", "x")):
        with pytest.raises(Invalid):
            contacts.condition(path, operator, raw)
    with pytest.raises(Invalid):
        contacts.sort_key("extra")


def test_rules_hold_for_what_is_sent_and_not_for_what_is_stored() -> None:
    ruled = Module("ruled", Contact, rules=[lambda r: [("name", "is taken")] if r.name == "x" else []])
    with pytest.raises(Invalid) as caught:
        ruled.parse(b'{"name":"x","email":"y"}')
    assert caught.value.problems[0].message == "is taken"
    assert ruled.decode(ruled.encode(Contact(name="x", email="y"))).name == "x"


def test_uuid_and_decimal_have_one_spelling() -> None:
    class Item(Record):
        ref: Annotated[UUID, Searchable()]
        price: Annotated[Decimal, Searchable()]

    items = Module("items", Item)
    ref = UUID(int=7)
    first = set(items.index_values(Item(ref=ref, price=Decimal("1.50"))))
    assert first == set(items.index_values(Item(ref=ref, price=Decimal("1.5"))))
    assert items.look("ref", str(ref).upper()).found(Item(ref=ref, price=Decimal(1)))
