"""Terms: equal values of one field meet, everything else differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.vault.index import FieldIndex, Kind, term, unique_term

KEY, OTHER_KEY = b"k" * 32, b"K" * 32
TAG = ~0xFFFFFF


@given(st.text(min_size=1))
def test_a_term_is_a_signed_64_bit_integer_and_always_the_same(value: str) -> None:
    number = term(KEY, "customers", "email", "exact", value)
    assert -(2**63) <= number < 2**63
    assert number == FieldIndex(KEY, "customers", "email", "exact").term(value)


def test_the_upper_40_bits_are_the_fields_and_the_lower_24_the_values() -> None:
    emails = FieldIndex(KEY, "customers", "email", "exact")
    terms = [emails.term(f"{number}@example.ch") for number in range(200)]
    assert len({number & TAG for number in terms}) == 1
    assert len({number & ~TAG for number in terms}) == 200


@pytest.mark.parametrize(
    ("key", "module", "field", "kind"),
    [
        (OTHER_KEY, "customers", "email", "exact"),
        (KEY, "contacts", "email", "exact"),
        (KEY, "customers", "name", "exact"),
        (KEY, "customers", "email", "prefix"),
        (KEY, "customer", "semail", "exact"),
    ],
)
def test_another_tenant_module_field_or_kind_shares_nothing(
    key: bytes, module: str, field: str, kind: Kind
) -> None:
    ours = term(KEY, "customers", "email", "exact", "anna@example.ch")
    theirs = term(key, module, field, kind, "anna@example.ch")
    assert ours & TAG != theirs & TAG
    assert ours & ~TAG != theirs & ~TAG


def test_half_the_tags_are_negative_and_keep_their_bits() -> None:
    fields = [FieldIndex(KEY, "customers", f"f{number}", "exact").term("x") for number in range(64)]
    assert 0 < sum(number < 0 for number in fields) < 64
    for number, value in enumerate(fields):
        assert value & TAG == term(KEY, "customers", f"f{number}", "exact", "another") & TAG


def test_a_unique_term_has_16_bytes_of_its_own() -> None:
    ours = unique_term(KEY, "customers", "email", "anna@example.ch")
    assert len(ours) == 16
    assert ours == unique_term(KEY, "customers", "email", "anna@example.ch")
    others = {
        unique_term(KEY, "customers", "email", "beat@example.ch"),
        unique_term(OTHER_KEY, "customers", "email", "anna@example.ch"),
        unique_term(KEY, "contacts", "email", "anna@example.ch"),
        unique_term(KEY, "customers", "name", "anna@example.ch"),
    }
    assert len(others | {ours}) == 5


def test_an_empty_value_has_no_term() -> None:
    with pytest.raises(ValueError, match="empty"):
        term(KEY, "customers", "email", "exact", "")
    with pytest.raises(ValueError, match="empty"):
        unique_term(KEY, "customers", "email", "")


def test_an_index_key_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        term(b"", "customers", "email", "exact", "x")
    with pytest.raises(ValueError, match="32 bytes"):
        unique_term(b"", "customers", "email", "x")
