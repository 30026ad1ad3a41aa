"""Two ways to write one value have one normal form; two values have two."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.vault.normalise import (
    LIMIT,
    email,
    exact,
    iban,
    matches_prefix,
    phone,
    prefix_query,
    prefixes,
    text,
)

NORMALISERS = [exact, text, email, phone, iban]
every_normaliser = pytest.mark.parametrize("normalise", NORMALISERS, ids=lambda function: function.__name__)
Normaliser = Callable[[str], str | None]
# Lone surrogates too: JSON can carry them, UTF-8 cannot.
anything = st.text(st.characters(exclude_categories=()), max_size=60)


@every_normaliser
@given(value=anything)
def test_a_normal_form_is_its_own_and_is_utf8(normalise: Normaliser, value: str) -> None:
    form = normalise(value)
    assert form != ""
    if form is not None:
        form.encode()
        assert normalise(form) == form


@every_normaliser
def test_nothing_has_no_normal_form(normalise: Normaliser) -> None:
    assert normalise("") is None


@every_normaliser
def test_a_million_accents_on_one_letter_cost_no_more_than_a_few_thousand(normalise: Normaliser) -> None:
    form = normalise("a" + "\u0301\u0316" * 500_000)
    if normalise is not exact:
        assert form is None or len(form) <= 2 * LIMIT


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Müller", "MULLER"),
        ("Strasse", "STRAẞE"),
        (" Hans\t Muster ", "hans muster"),
        ("Sœur Thérèse", "soeur therese"),
        ("O’Brien", "O'Brien"),
        ("Mu\u0308ller", "Müller"),
        ("Nguyễn", "nguyen"),
        ("a\u200bb", "ab"),
    ],
)
def test_text_that_people_take_for_one_is_one(one: str, other: str) -> None:
    assert text(one) == text(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Mueller", "Müller"), ("Manuel", "Manul"), ("Muster AG", "Muster"), ("a b", "ab")]
)
def test_text_that_is_two_stays_two(one: str, other: str) -> None:
    assert text(one) != text(other)


def test_an_email_address_is_found_however_it_is_written() -> None:
    assert email(" Anna@MÜLLER.ch ") == email("anna@xn--mller-kva.CH") == "anna@xn--mller-kva.ch"
    assert email("anna+news@example.ch") != email("anna@example.ch")
    assert email("an.na@example.ch") != email("anna@example.ch")
    assert email("anna@straße.de") != email("anna@strasse.de")


def test_a_phone_number_is_found_however_it_is_written() -> None:
    written = ["044 668 18 00", "+41 44 668 18 00", "0041446681800", "+41 (0)44 668 18 00", "044/668.18.00"]
    assert {phone(number) for number in written} == {"+41446681800"}
    assert phone("030 901820", "DE") == "+4930901820"
    assert phone("intern 12") == "12"
    assert phone("unbekannt") is None


def test_an_iban_is_found_however_it_is_written() -> None:
    assert iban("ch93 0076 2011 6238 5295 7") == iban("CH9300762011623852957") == "CH9300762011623852957"


def test_exact_keeps_every_byte() -> None:
    assert exact(" Aé ") == " Aé "


def found(query: str, value: str, length: int = 3) -> bool:
    """As the index does it: a record that has all of the query's prefixes, and is then opened and compared."""
    asked = prefix_query(query, length)
    return bool(asked) and asked <= prefixes(value, length) and matches_prefix(query, value)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("mül", "Hans Müller"),
        ("MULLER", "Hans Müller"),
        ("hans mül", "Hans Müller"),
        ("mül hans", "Hans Müller"),
        ("meier", "Hans Müller-Meier"),
        ("müller-m", "Hans Müller-Meier"),
        ("müller-m", "Müller-Meier"),
        ("li w", "Li Wei"),
        ("li wei", "Li Wei"),
        ("li", "Li Wei"),
        ("xu", "Xu"),
        ("o'br", "O’Brien"),
        ("brien", "O’Brien"),
        ("東京都", "東京都庁"),
    ],
)
def test_a_prefix_finds(query: str, value: str) -> None:
    assert found(query, value)


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ("ller", "Hans Müller"),
        ("müll", "Hans Muster"),
        ("müs", "Hans Müller"),
        ("hans mül", "Hans Muster"),
        ("mü", "Hans Müller"),
        ("", "Hans Müller"),
        ("  ", "Hans Müller"),
        ("han", ""),
        ("li w", "Hans Li Wei"),
    ],
)
def test_a_prefix_does_not_find(query: str, value: str) -> None:
    assert not found(query, value)


@given(value=anything, length=st.integers(1, 5))
def test_whoever_types_the_beginning_of_a_value_finds_it(value: str, length: int) -> None:
    whole = text(value)
    if whole is None:
        return
    for size in range(length, len(whole) + 1):
        if whole[:size].strip() == whole[:size]:
            assert found(whole[:size], value, length), (whole[:size], whole)
