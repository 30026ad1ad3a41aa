"""What is exported can be imported again: exactly as JSON Lines, as CSV but for spaces around texts."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mandant.tenants.modules.customers import Address, Customer, Email, Phone, Relation, customers
from mandant.tenants.modules.exporting import Exported, csv_lines, json_lines
from mandant.tenants.modules.importing import Importer, open_reader, propose
from mandant.tenants.modules.spreadsheet import guarded, unguarded

MOMENT = datetime(2026, 11, 22, tzinfo=UTC)

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
trimmed = texts.map(lambda text: unguarded(text.strip()).strip()).filter(bool)
letters = st.sampled_from(["a", "Zoë", "=1+1", "+41", "'=x", "a;b", 'quo"te', "two\nlines", "@x", "- -"])
name = st.none() | trimmed | letters
uuids = st.uuids()


def lists(item: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(item, max_size=5)


addresses = st.builds(
    Address,
    kind=st.sampled_from(["home", "work", "billing", "delivery", "other"]),
    street=name,
    extra=st.none() | texts,
    postcode=st.none() | st.just("8001"),
    city=name,
    country=st.sampled_from([None, "CH", "FR"]),
)
emails = st.builds(Email, kind=st.sampled_from(["home", "work", "other"]), address=st.just("a@b.example"))
phones = st.builds(
    Phone,
    kind=st.sampled_from(["home", "work", "mobile", "fax", "other"]),
    number=st.just("+41 44 555 00 00"),
)
people = st.builds(
    Customer,
    kind=st.sampled_from(["person", "company"]),
    number=name,
    first_name=name,
    last_name=trimmed,
    company=name,
    addresses=lists(addresses),
    emails=lists(emails),
    phones=lists(phones),
    birthday=st.none() | st.dates(date(1000, 1, 1)),
    language=st.sampled_from([None, "de", "fr"]),
    tags=st.lists(trimmed | letters, max_size=4, unique=True).filter(
        lambda tags: not any(tag.startswith("* ") for tag in tags)
    ),
    groups=st.lists(uuids, max_size=3, unique=True),
    relations=lists(st.builds(Relation, kind=trimmed, customer=uuids)),
    notes=name,
)


def collected(lines: AsyncIterator[bytes]) -> bytes:
    async def collect() -> bytes:
        return b"".join([line async for line in lines])

    return asyncio.run(collect())


async def exported(*records: Customer) -> AsyncIterator[Exported[Customer]]:
    for number, record in enumerate(records):
        yield Exported(UUID(int=number + 1), 1, MOMENT, MOMENT, record)


def imported(data: bytes) -> list[Any]:
    reader = open_reader(io.BytesIO(data))
    importer = Importer(customers, propose(customers, reader.header))
    return [(row.uid, importer.to_record(row)) for row in reader.rows()]


@given(st.lists(people, min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_json_lines_come_back_exactly_with_their_ids(records: list[Customer]) -> None:
    data = collected(json_lines(exported(*records)))
    assert imported(data) == [(str(UUID(int=n + 1)), record) for n, record in enumerate(records)]


@given(st.lists(people, min_size=1, max_size=4))
@settings(deadline=None, max_examples=120)
def test_csv_comes_back_too(records: list[Customer]) -> None:
    data = collected(csv_lines(customers, exported(*records)))
    assert imported(data) == [(str(UUID(int=n + 1)), record) for n, record in enumerate(records)]


@given(texts)
def test_no_cell_begins_a_formula_and_the_apostrophe_comes_off_again(text: str) -> None:
    cell = guarded(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert unguarded(cell) == text


@pytest.mark.parametrize("text", ["=1+1", "+41 44", "-1", "@SUM(A1)", "'=x", "\t=1"])
def test_dangerous_cells_get_an_apostrophe(text: str) -> None:
    assert guarded(text) == "'" + text


def test_ordinary_cells_stay_as_they_are() -> None:
    assert [guarded(text) for text in ("Anna", "'s Gravenhage", "", "a=b")] == [
        "Anna",
        "'s Gravenhage",
        "",
        "a=b",
    ]


def test_csv_opens_in_excel_as_utf8_with_semicolons() -> None:
    data = collected(csv_lines(customers, exported(Customer(last_name="=Zoë"))))
    assert data.startswith(b"\xef\xbb\xbfid;created;updated;kind;")
    assert "'=Zoë" in data.decode()
