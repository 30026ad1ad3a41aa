"""A policy: the rules that hold from a day on; what it promises as a digest; and where it promises less."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any

import msgspec

from mandant.tenants.retention.rule import Anchor, Apart, Period, Rule
from mandant.vault.category import Category

__all__ = ["Policy", "Shortening", "digest", "shortened"]


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules as of a day. `version` is that day: 2026-11-22.

    `announced`: what this version shortens against those before it, by Shortening.name, as tenants were
    told in time (C15). What is not named here keeps the longer period that already runs.
    """

    version: str
    rules: tuple[Rule, ...]
    cookies: tuple[Apart, ...] = ()
    announced: tuple[str, ...] = ()

    def rule(self, category: Category) -> Rule:
        """The category's rule. Raises: LookupError, for a category that was never declared."""
        for rule in self.rules:
            if rule.category is category:
                return rule
        raise LookupError(f"policy {self.version} has no rule for {category.name.lower()}")


@dataclass(frozen=True, slots=True)
class Shortening:
    """One thing that may go earlier than before. `name` is what Policy.announced calls it."""

    name: str
    before: str
    after: str


def digest(policy: Policy) -> str:
    """64 hexadecimal digits over all that the policy promises; the terms for people are left out."""
    promised: dict[str, Any] = asdict(policy)
    for rule in promised["rules"]:
        del rule["german"], rule["english"]
    return sha256(msgspec.json.encode(promised)).hexdigest()


def shortened(old: Policy, new: Policy) -> list[Shortening]:
    """What `new` may let go earlier than `old` did, or by another event. Empty: nobody loses a day."""
    found: list[Shortening] = []
    after = {rule.category: rule for rule in new.rules}
    for rule in old.rules:
        found += _of_rule(rule, after.get(rule.category))
    found += _of_parts("cookies", old.cookies, new.cookies)
    return found


def _of_rule(old: Rule, new: Rule | None) -> Iterator[Shortening]:
    if new is None:
        yield Shortening(old.name, str(old.period), "no rule")
        return
    if _may_end_earlier(old.period, new.period):
        yield Shortening(old.name, str(old.period), str(new.period))
    if old.anchor is not new.anchor:
        yield Shortening(old.name, old.anchor.value, new.anchor.value)
    if old.not_before is not None and old.not_before is not new.not_before:
        yield Shortening(old.name, f"not before {old.not_before.value}", _said(new.not_before))
    if old.statute is not None and (new.statute is None or new.statute.years < old.statute.years):
        yield Shortening(
            old.name, old.statute.name, "no statute" if new.statute is None else new.statute.name
        )
    if old.lengthened is not None:
        longer = new.period if new.lengthened is None else new.lengthened.period
        if _may_end_earlier(old.lengthened.period, longer):
            yield Shortening(old.name, f"lengthened to {old.lengthened.period}", str(longer))
    yield from _of_parts(old.name, old.apart, new.apart)


def _of_parts(whole: str, old: Sequence[Apart], new: Sequence[Apart]) -> Iterator[Shortening]:
    after = {part.name: part for part in new}
    before = {part.name: part for part in old}
    for part in old:
        now = after.get(part.name)
        if now is not None and (_may_end_earlier(part.period, now.period) or part.anchors != now.anchors):
            yield Shortening(f"{whole}.{part.name}", _part(part), _part(now))
    for part in new:
        # Set apart for the first time: it ended with the whole until now.
        if part.name not in before:
            yield Shortening(f"{whole}.{part.name}", f"as {whole}", _part(part))


def _part(part: Apart) -> str:
    return f"{part.period} after {' or '.join(anchor.value for anchor in part.anchors)}"


def _said(anchor: Anchor | None) -> str:
    return "at any time" if anchor is None else f"not before {anchor.value}"


def _may_end_earlier(old: Period, new: Period) -> bool:
    """Whether some anchor's day comes earlier. Months against days: by the shortest and longest months."""
    if bool(old.months) == bool(new.months):
        return (new.months, new.days) < (old.months, old.days)
    return _days(new, 28) < _days(old, 31)


def _days(period: Period, month: int) -> int:
    return period.days + period.months * month
