"""The short cut past the limits lets nothing through that they refuse."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.tenants.errors import Invalid
from mandant.tenants.modules import Module, Record, limits


class Note(Record):
    text: str
    count: int = 1
    tags: list[str] = []  # noqa: RUF012 - msgspec copies it


class Price(Record):
    amount: Decimal
    rates: dict[str, float] = {}  # noqa: RUF012


notes, prices = Module("notes", Note), Module("prices", Price)

texts = st.text(st.characters(codec="utf-8"), max_size=30) | st.sampled_from(
    ["x" * 10_001, "a\0b", "é" * 600]
)
many = st.lists(texts, max_size=5) | st.just(["x"] * 1_001) | st.just([""] * 999)


@given(st.builds(Note, text=texts, count=st.integers(-(2**63), 2**64 - 1), tags=many))
def test_what_is_short_enough_to_be_passed_over_breaks_no_limit(note: Note) -> None:
    try:
        limits.check(note)
    except Invalid:
        with pytest.raises(Invalid):
            notes.encode(note)
    else:
        assert notes.decode(notes.encode(note)) == note


@pytest.mark.parametrize(
    "price",
    [
        Price(amount=Decimal("1e500")),
        Price(amount=Decimal(1), rates={"x": float("inf")}),
        Price(amount=Decimal(1), rates={"x": float("nan")}),
    ],
)
def test_numbers_of_no_reasonable_size_are_refused_however_short_they_are(price: Price) -> None:
    with pytest.raises(Invalid):
        prices.encode(price)
