"""Versions of the policy: what stood once stays, and nothing gets shorter without saying so."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from mandant.tenants.retention import (
    DIGESTS,
    POLICIES,
    POLICY,
    Anchor,
    Apart,
    Deletion,
    Lengthening,
    Period,
    Policy,
    Rule,
    Statute,
    digest,
    shortened,
)
from mandant.vault.category import Category

REQUIREMENTS = Path(__file__).parents[4] / "shared" / "REQUIREMENTS.md"


def changed(category: Category, **fields: object) -> Policy:
    rules = tuple(
        replace(rule, **fields) if rule.category is category else rule  # type: ignore[arg-type]
        for rule in POLICY.rules
    )
    return replace(POLICY, version="2099-01-01", rules=rules)


def test_declarations_change_only_with_a_new_version() -> None:
    said = "add a policy with its day to POLICIES and its digest to DIGESTS; do not change one that stands"
    assert {policy.version: digest(policy) for policy in POLICIES} == DIGESTS, said


def test_versions_are_days_in_order_and_the_newest_holds() -> None:
    versions = [policy.version for policy in POLICIES]
    assert versions == sorted(set(versions))
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", version) for version in versions)
    assert POLICIES[-1] is POLICY


def test_no_version_shortens_what_it_does_not_announce() -> None:
    for old, new in pairwise(POLICIES):
        assert {one.name for one in shortened(old, new)} <= set(new.announced), new.version


def test_every_category_has_one_rule() -> None:
    assert sorted(rule.category for rule in POLICY.rules) == sorted(Category)


@pytest.mark.parametrize(
    ("category", "period", "anchor"),
    [
        (Category.CONTRACT, Period(months=120), Anchor.LAST_CONTRACT_ACTIVITY),
        (Category.TECHNICAL, Period(days=30), Anchor.CREATED),
        (Category.REGISTRATION, Period(months=3), Anchor.ACCOUNT_TERMINATED),
        (Category.MODULE, Period(months=3), Anchor.CONTRACTS_ENDED),
        (Category.BANK, Period(months=3), Anchor.CONTRACTS_ENDED),
        (Category.BANK_LOG, Period(months=1), Anchor.CREATED),
        (Category.COMMUNICATION, Period(months=3), Anchor.ACCOUNT_TERMINATED),
        (Category.BEHAVIOUR, Period(months=24), Anchor.CREATED),
        (Category.NEWSLETTER, Period(), Anchor.UNSUBSCRIBED),
        (Category.SERVER_LOG, Period(days=30), Anchor.CREATED),
        (Category.ACCOUNTABILITY, Period(months=120), Anchor.PURGED),
    ],
)
def test_the_table_of_the_privacy_notices(category: Category, period: Period, anchor: Anchor) -> None:
    rule = POLICY.rule(category)
    assert (rule.period, rule.anchor) == (period, anchor)


def test_what_the_table_says_beside_the_period() -> None:
    contract = POLICY.rule(Category.CONTRACT)
    assert contract.not_before is Anchor.CONTRACTS_ENDED
    assert contract.statute == Statute("OR 958f", 10)
    assert POLICY.rule(Category.TECHNICAL).lengthened == Lengthening(Period(months=12))
    (tokens,) = POLICY.rule(Category.BANK).apart
    assert tokens.anchors == (Anchor.CONSENT_ENDED, Anchor.CONTRACTS_ENDED)
    assert Deletion.ANONYMISE in POLICY.rule(Category.BEHAVIOUR).deletion
    assert {cookie.name: cookie.period for cookie in POLICY.cookies if cookie.name != "session"} == (
        dict.fromkeys(("necessary", "performance", "tracking"), Period(months=24))
    )


@pytest.mark.skipif(not REQUIREMENTS.exists(), reason="the requirements are not beside the repository")
def test_each_line_of_the_requirements_table_has_its_rule_under_the_same_german_term() -> None:
    table = REQUIREMENTS.read_text().split("## Data categories")[1].split("##")[0]
    lines = re.findall(r"^\| (C[\d.]+) \| ([^|]+) \|", table, re.MULTILINE)
    assert len(lines) == 11
    terms = {(rule.source, rule.name): rule.german for rule in POLICY.rules}
    for source, said in lines:
        name = re.search(r"`(\w+)`", said)
        if name is None:
            assert {cookie.source.split()[0] for cookie in POLICY.cookies} == {source}
            continue
        german = said.split(" (")[0]
        assert terms[source, name[1]] == german or german == german.lower()


@pytest.mark.parametrize(
    ("category", "fields", "before", "after"),
    [
        (Category.MODULE, {"period": Period(months=2)}, "3 months", "2 months"),
        (Category.TECHNICAL, {"period": Period(days=29)}, "30 days", "29 days"),
        (Category.TECHNICAL, {"period": Period(months=1)}, "30 days", "1 month"),
        (Category.MODULE, {"anchor": Anchor.ACCOUNT_TERMINATED}, "contracts_ended", "account_terminated"),
        (Category.CONTRACT, {"not_before": None}, "not before contracts_ended", "at any time"),
        (Category.CONTRACT, {"statute": None}, "OR 958f", "no statute"),
        (Category.TECHNICAL, {"lengthened": None}, "lengthened to 12 months", "30 days"),
    ],
)
def test_what_a_new_version_shortens_is_named(
    category: Category, fields: dict[str, object], before: str, after: str
) -> None:
    (one,) = shortened(POLICY, changed(category, **fields))
    assert (one.name, one.before, one.after) == (category.name.lower(), before, after)


def test_a_category_without_a_rule_and_a_part_that_ends_alone_are_shortenings() -> None:
    without = replace(POLICY, rules=tuple(r for r in POLICY.rules if r.category is not Category.MODULE))
    assert [one.name for one in shortened(POLICY, without)] == ["module"]
    drafts = Apart("drafts", "C5.4", Period(days=1), (Anchor.CREATED,), (Deletion.DELETE,))
    assert [one.name for one in shortened(POLICY, changed(Category.MODULE, apart=(drafts,)))] == [
        "module.drafts"
    ]
    cookies = tuple(replace(cookie, period=Period()) for cookie in POLICY.cookies)
    assert "cookies.tracking" in [one.name for one in shortened(POLICY, replace(POLICY, cookies=cookies))]


def test_what_gets_longer_or_only_another_word_is_none() -> None:
    assert shortened(POLICY, POLICY) == []
    assert shortened(POLICY, changed(Category.MODULE, period=Period(months=4))) == []
    assert shortened(POLICY, changed(Category.TECHNICAL, period=Period(months=2))) == []
    assert shortened(POLICY, changed(Category.MODULE, german="Daten der Module")) == []


def test_the_digest_is_of_promises_and_not_of_terms() -> None:
    same = changed(Category.MODULE, german="Daten der Module")
    assert digest(replace(same, version=POLICY.version)) == digest(POLICY)
    other = changed(Category.MODULE, period=Period(months=4))
    assert digest(replace(other, version=POLICY.version)) != digest(POLICY)


def test_a_category_that_the_policy_does_not_know_is_an_error() -> None:
    with pytest.raises(LookupError, match="module"):
        Policy("2026-01-01", rules=()).rule(Category.MODULE)
    assert isinstance(POLICY.rule(Category.MODULE), Rule)
