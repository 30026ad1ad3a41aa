"""Canonical JSON and leaves: one sequence of bytes for a value, and nothing else is read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.vault.ledger.bundle_file import entry_line
from mandant.vault.ledger.canonical import Json, decode, encode
from mandant.vault.ledger.commitment import commit, opens
from mandant.vault.ledger.leaf import LARGEST_LEAF, Entry, make_leaf, read_leaf, time_text
from mandant.vault.ledger.malformed import Malformed

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[Json] = st.recursive(
    TEXT | st.integers(-(2**53) + 1, 2**53 - 1),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
).filter(lambda value: _depth(value) <= 8)


def _depth(value: Json) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(_depth, inner), default=0)


@given(VALUES)
def test_what_is_written_is_read_and_written_the_same(value: Json) -> None:
    assert decode(encode(value)) == value
    assert encode(decode(encode(value))) == encode(value)


def test_keys_stand_in_the_order_of_their_utf16_code_units() -> None:
    """The example of RFC 8785, 3.2.3, whose order is not that of code points."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    written = encode(dict.fromkeys(keys, 1)).decode()
    order = [
        written.index(one)
        for one in ('"\\r"', '"1"', '"\u0080"', '"\u00f6"', '"\u20ac"', '"\U0001f600"', '"\ufb33"')
    ]
    assert order == sorted(order)


def test_only_quote_backslash_and_control_characters_are_escaped() -> None:
    text = '"\\/\b\t\n\f\r\x00\x1f\x7f\u2028é\U0001f600'
    assert encode(text).decode() == '"\\"\\\\/\\b\\t\\n\\f\\r\\u0000\\u001f\x7f\u2028é\U0001f600"'


def test_composed_and_decomposed_letters_are_two_values() -> None:
    assert encode("é") != encode("e\u0301")


@pytest.mark.parametrize(
    "value", [True, None, 1.5, 2**53, -(2**53), "\ud800", {1: "x"}, [[[[[[[[[]]]]]]]]], b"x"]
)
def test_values_outside_the_subset_are_not_written(value: object) -> None:
    with pytest.raises(Malformed):
        encode(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": 1}', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b"1.0", b"1e2", b"-0", b"01", b"true", b"null", b"NaN",
        b'"\\u0041"', b'"\\/"', b'"\\ud800"', b'"\xff"', b"\xef\xbb\xbf1", b"", b"{", b"9007199254740993",
        b"[" * 100_000, b"1" * 5_000, b'"\\u001F"', b'"\\u00e9"',
    ],
)  # fmt: skip
def test_bytes_that_are_not_canonical_are_not_read(raw: bytes) -> None:
    with pytest.raises(Malformed):
        decode(raw)


def _entry(size: int) -> Entry:
    return Entry("notice", {"notice": _ID, "of": _ID, "about": "access", "channels": ["a" * 60] * size})


_ID = "00000000-0000-0000-0000-000000000001"


def test_a_leaf_has_at_most_65535_bytes() -> None:
    assert len(make_leaf(_entry(1035), NOW)[0]) <= LARGEST_LEAF
    with pytest.raises(Malformed, match="at most 65535"):
        make_leaf(_entry(1045), NOW)
    with pytest.raises(Malformed):
        read_leaf(b'"' + b"a" * LARGEST_LEAF + b'"')


def test_a_leaf_says_nothing_that_is_hidden() -> None:
    leaf, openings = make_leaf(Entry("day", {}, {"reason": "Änne's list", "records": ["r1", "r2"]}), NOW)
    assert b"nne's" not in leaf
    assert b'"r1"' not in leaf
    commits = read_leaf(leaf)["commit"]
    assert isinstance(commits, dict)
    assert {name: opens(commits[name], name, openings[name]) for name in commits} == {
        "reason": True,
        "records": True,
    }
    assert not opens(commits["reason"], "records", openings["reason"])
    assert not opens(commits["reason"], "reason", openings["records"])


def test_the_same_words_have_another_commitment_each_time() -> None:
    entry = Entry("day", {}, {"reason": "the same"})
    assert make_leaf(entry, NOW)[0] != make_leaf(entry, NOW)[0]


def test_a_commitment_is_that_of_the_specification() -> None:
    text, opening = commit(bytes(range(32)), "reason", "a bug: \u00fc")
    assert text == "BY3guUHFVJzTLekaZJHUCnEbyPyFMzYdk8jSd2Zivsk="
    assert opens(text, "reason", opening)
    for broken in ({"salt": "AA==", "value": "x"}, {"value": "x"}, "x", {"salt": 1, "value": "x"}):
        assert not opens(text, "reason", broken)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "said",
    [
        {"grant": _ID, "why": "because the customer said so"},
        {"grant": "Anna Muster", "why": "early"},
        {"grant": _ID.upper().replace("1", "A"), "why": "early"},
        {"grant": _ID},
        {"grant": _ID, "why": "early", "more": "x"},
        {"grant": _ID, "why": "early", "at": "now"},
    ],
)
def test_free_text_finds_no_place_in_a_leaf(said: dict[str, Json]) -> None:
    with pytest.raises(Malformed):
        make_leaf(Entry("end", said), NOW)


def test_text_order_of_times_is_their_order() -> None:
    zurich = timezone(timedelta(hours=1))
    assert (
        time_text(datetime(2026, 3, 2, 10, 0, tzinfo=zurich))
        == "2026-03-02T09:00:00.000000Z"
        == time_text(NOW)
    )


@pytest.mark.parametrize(
    "at",
    [
        "2026-13-01T09:00:00.000000Z",
        "2026-02-30T09:00:00.000000Z",
        "2026-03-02T25:00:00.000000Z",
        "2026-03-02T09:00:00Z",
        "now",
    ],
)
def test_a_time_that_there_is_not_is_no_time(at: str) -> None:
    with pytest.raises(Malformed, match="time"):
        read_leaf(encode({"at": at, "commit": {}, "kind": "later", "v": 1}))


def test_what_is_hidden_is_never_too_deep_for_the_bundle() -> None:
    deep: Json = "x"
    for _ in range(5):
        deep = [deep]
    leaf, openings = make_leaf(Entry("day", {}, {"records": deep}), NOW)
    assert entry_line(0, leaf, openings)
    with pytest.raises(Malformed, match="levels"):
        make_leaf(Entry("day", {}, {"records": [deep]}), NOW)
