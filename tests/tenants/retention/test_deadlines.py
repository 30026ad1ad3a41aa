"""Stored deadlines: max(policy, statute), computed again from what is stored, never shorter in silence."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mandant.tenants.retention import POLICY, Anchors, Deadline, Period, Policy, compute, under
from mandant.vault.category import Category

ZURICH = "Europe/Zurich"
NIGHT = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # 1 December in Zürich
moments = st.integers(788_918_400, 2_840_140_800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def of(category: Category, at: datetime, policy: Policy = POLICY, **more: object) -> Deadline:
    found = compute(policy, category, Anchors(at=at, zone=ZURICH, **more))  # type: ignore[arg-type]
    assert found is not None
    return found


def version(day: str, category: Category, announced: tuple[str, ...] = (), **fields: object) -> Policy:
    rules = tuple(
        replace(rule, **fields) if rule.category is category else rule  # type: ignore[arg-type]
        for rule in POLICY.rules
    )
    return replace(POLICY, version=day, rules=rules, announced=announced)


def test_module_data_goes_three_months_after_the_last_contract_at_local_midnight() -> None:
    found = of(Category.MODULE, NIGHT)
    assert found.last_day == date(2027, 3, 1)
    assert found.purge_from == datetime(2027, 3, 1, 23, 0, tzinfo=UTC)
    assert not found.is_over(found.purge_from - timedelta(microseconds=1))
    assert found.is_over(found.purge_from)


def test_contract_data_is_kept_by_the_later_of_policy_and_statute() -> None:
    ended = datetime(2026, 11, 30, 12, tzinfo=UTC)
    found = of(Category.CONTRACT, ended, contracts_ended=ended)
    assert (found.by_policy, found.by_statute, found.last_day) == (
        date(2036, 11, 30),
        date(2036, 12, 31),
        date(2036, 12, 31),
    )
    july = of(Category.CONTRACT, ended, contracts_ended=ended, financial_year_starts=7)
    assert july.last_day == date(2037, 6, 30)


def test_contract_data_never_goes_before_the_contract_ends() -> None:
    activity = datetime(2010, 5, 5, tzinfo=UTC)
    assert compute(POLICY, Category.CONTRACT, Anchors(at=activity, zone=ZURICH)) is None
    late = of(Category.CONTRACT, activity, contracts_ended=datetime(2026, 11, 22, tzinfo=UTC))
    assert late.last_day == date(2026, 11, 22)


def test_a_linked_bank_account_of_a_swiss_company_lengthens_and_its_end_shortens_again() -> None:
    assert of(Category.TECHNICAL, NIGHT).last_day == date(2026, 12, 31)
    assert of(Category.TECHNICAL, NIGHT, swiss_with_bank=True).last_day == date(2027, 12, 1)
    assert of(Category.MODULE, NIGHT, swiss_with_bank=True) == replace_anchor(of(Category.MODULE, NIGHT))


def replace_anchor(found: Deadline) -> Deadline:
    anchors = msgspec.structs.replace(found.anchors, swiss_with_bank=True)
    return msgspec.structs.replace(found, anchors=anchors)


@given(moments, st.sampled_from(list(Category)), st.booleans(), st.integers(1, 12))
def test_what_is_stored_is_computed_again_from_itself(
    at: datetime, category: Category, swiss: bool, first_month: int
) -> None:
    found = of(category, at, contracts_ended=at, swiss_with_bank=swiss, financial_year_starts=first_month)
    back = msgspec.json.decode(msgspec.json.encode(found), type=Deadline)
    assert back == found
    assert compute(POLICY, Category[back.category.upper()], back.anchors) == found
    assert under(back) == found


@given(moments, moments, st.sampled_from(list(Category)))
def test_a_later_anchor_never_gives_an_earlier_purge(
    one: datetime, other: datetime, category: Category
) -> None:
    first, second = sorted((one, other))
    assert (
        of(category, first, contracts_ended=first).purge_from
        <= of(category, second, contracts_ended=second).purge_from
    )


def test_a_newer_policy_lengthens_what_runs() -> None:
    newer = version("2027-01-01", Category.MODULE, period=Period(months=4))
    found = under(of(Category.MODULE, NIGHT), (POLICY, newer))
    assert (found.policy, found.last_day) == ("2027-01-01", date(2027, 4, 1))
    assert under(found, (POLICY, newer)) == found


def test_a_newer_policy_does_not_shorten_what_runs_in_silence() -> None:
    stored = of(Category.MODULE, NIGHT)
    silent = version("2027-01-01", Category.MODULE, period=Period(months=2))
    assert under(stored, (POLICY, silent)) == stored
    announced = version("2027-01-01", Category.MODULE, ("module",), period=Period(months=2))
    assert under(stored, (POLICY, announced)).last_day == date(2027, 2, 1)


def test_an_announcement_in_a_version_between_is_not_passed_over() -> None:
    announced = version("2027-01-01", Category.MODULE, ("module",), period=Period(months=2))
    same = replace(announced, version="2027-06-01", announced=())
    assert under(of(Category.MODULE, NIGHT), (POLICY, announced, same)).last_day == date(2027, 2, 1)


def test_a_deadline_of_an_unknown_version_is_not_guessed() -> None:
    stored = msgspec.structs.replace(of(Category.MODULE, NIGHT), policy="1999-01-01")
    with pytest.raises(LookupError, match="1999-01-01"):
        under(stored)
