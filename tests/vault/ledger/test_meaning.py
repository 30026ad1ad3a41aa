"""What the entries must say together: each rule of FORMAT.md, Meaning, broken once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from mandant.vault.ledger.canonical import Json
from mandant.vault.ledger.leaf import Entry, make_leaf, read_leaf, time_text
from mandant.vault.ledger.meaning import Story
from tests.vault.ledger.world import AGENT, access_story

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ASKED, TOLD, STAFF, TENANT, GRANTED, LOOKED, TOLD_LOOK, RESULT, ENDED, TOLD_END = range(10)

Change = Callable[[list[Entry]], Sequence[Entry]]


def story(*, hours: int = 1, **changes: dict[str, Json]) -> list[Entry]:
    return access_story(time_text(START), time_text(START + timedelta(hours=hours)), **changes)


def told(entries: Sequence[Entry], *, later: timedelta = timedelta(0)) -> Story:
    """Told a minute apart; `later`: how long the last entry waits."""
    found = Story()
    for index, entry in enumerate(entries):
        at = START + index * MINUTE + (later if index == len(entries) - 1 else timedelta(0))
        found.tell(index, read_leaf(make_leaf(entry, at)[0]))
    found.close()
    return found


def without(*places: int) -> Change:
    return lambda entries: [one for place, one in enumerate(entries) if place not in places]


def twice(place: int) -> Change:
    return lambda entries: [*entries[: place + 1], *entries[place:]]


def after(place: int, other: int) -> Change:
    def change(entries: list[Entry]) -> list[Entry]:
        moved = entries.pop(place)
        entries.insert(other, moved)
        return entries

    return change


def said(place: int, **fields: Json) -> Change:
    def change(entries: list[Entry]) -> list[Entry]:
        entries[place] = Entry(entries[place].kind, {**entries[place].said, **fields})
        return entries

    return change


def test_a_rightful_access_says_everything() -> None:
    found = told(story())
    assert (found.found, found.remarks) == ([], [])


def test_break_glass_needs_two_people_and_not_the_tenant() -> None:
    entries = story(request={"mode": "break_glass"})
    assert told(without(TENANT)(entries)).found == []
    assert [index for index, _ in told(without(STAFF, TENANT)(entries)).found] == [GRANTED - 2]


def test_the_tenants_approval_stands_in_where_the_log_says_so() -> None:
    entries = said(TENANT, **{"as": "tenant_for_staff"})(story())
    assert told(without(STAFF)(list(entries))).found == []


@pytest.mark.parametrize(
    ("change", "index", "words"),
    [
        (without(TOLD), ASKED, "a request without a notice"),
        (without(TOLD_LOOK), LOOKED, "an access without a notice"),
        (without(TOLD_END), ENDED, "an end without a notice"),
        (without(STAFF), GRANTED - 1, "without a second member of staff"),
        (without(TENANT), GRANTED - 1, "without the tenant's approval"),
        (said(STAFF, by=str(AGENT)), STAFF, "the agent who asks approves"),
        (said(STAFF, request=str(uuid4())), STAFF, "an approval of no request"),
        (after(TENANT, GRANTED), TENANT, "without the tenant's approval"),
        (without(GRANTED), LOOKED - 1, "an access without a grant"),
        (said(GRANTED, request=str(uuid4())), GRANTED, "a grant without a request"),
        (twice(ASKED), ASKED + 1, "made before"),
        (twice(GRANTED), GRANTED + 1, "given before"),
        (twice(LOOKED), LOOKED + 1, "recorded before"),
        (twice(RESULT), RESULT + 1, "a second result"),
        (without(LOOKED), RESULT - 1, "a result of no access"),
        (said(GRANTED, until=time_text(START + timedelta(hours=2))), GRANTED, "longer than was asked for"),
        (said(GRANTED, until=time_text(START)), GRANTED, "longer than was asked for"),
        (said(GRANTED, until=time_text(START + LOOKED * MINUTE)), LOOKED, "outside its grant's time"),
        (said(GRANTED, **{"from": time_text(START + 6 * MINUTE)}), LOOKED, "outside its grant's time"),
        (after(LOOKED, ENDED), ENDED, "outside its grant's time"),
        (said(LOOKED, agent=str(UUID(int=9))), LOOKED, "somebody else"),
        (said(LOOKED, module="orders"), LOOKED, "a module that was not granted"),
        (said(LOOKED, action="write"), LOOKED, "a write under a grant to read"),
        (said(ENDED, grant=str(uuid4())), ENDED, "the end of no grant"),
    ],
)
def test_a_broken_rule_is_named_with_its_entry(change: Change, index: int, words: str) -> None:
    found = told(change(story())).found
    assert any(place == index and words in text for place, text in found), found


def test_no_grant_is_longer_than_eight_hours() -> None:
    long: dict[str, Json] = {"seconds": 100_000}
    assert told(story(hours=8, request=long)).found == []
    assert [index for index, _ in told(story(hours=9, request=long)).found] == [GRANTED]


def test_a_revoked_grant_is_over_at_once() -> None:
    entries = story()
    grant = entries[GRANTED].said["grant"]
    revoke = Entry("revoke", {"grant": grant, "by": str(UUID(int=3)), "as": "tenant"})
    found = told([*entries[:LOOKED], revoke, *entries[LOOKED:]]).found
    assert [text for index, text in found if index == LOOKED + 1] == ["an access outside its grant's time"]


def test_a_result_may_be_awaited_for_a_day() -> None:
    entries = [*without(RESULT)(story()), Entry("day", {})]
    assert told(entries).found == []
    assert told(entries).remarks == [f"the access of entry {LOOKED} has no result yet"]
    late = told(entries, later=timedelta(hours=25))
    assert late.found == [(LOOKED, "an access without a result for more than a day")]


def test_silence_is_remarked() -> None:
    assert told([Entry("day", {})] * 2, later=timedelta(hours=48)).remarks == []
    assert told([Entry("day", {})] * 2, later=timedelta(hours=50)).remarks != []


def test_a_kind_from_later_is_remarked_and_no_fault() -> None:
    found = Story()
    found.tell(0, {"kind": "held", "v": 1, "at": time_text(START), "commit": {}, "until": "x"})
    found.tell(1, {"kind": "access", "v": 2, "at": time_text(START), "commit": {}})
    found.close()
    assert found.found == []
    assert len(found.remarks) == 2
