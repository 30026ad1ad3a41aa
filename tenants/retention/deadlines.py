"""A deadline as it is stored: the anchor, the version of the rules, and the days that follow from both."""

from __future__ import annotations

from datetime import UTC, date, datetime

import msgspec
from whenever import Date, Instant

from mandant.tenants.retention.calendar import add_period, local_date, purge_start, statute_end
from mandant.tenants.retention.categories import POLICIES
from mandant.tenants.retention.policy import Policy
from mandant.tenants.retention.rule import Anchor
from mandant.vault.category import Category

__all__ = ["Anchors", "Deadline", "compute", "under"]


class Anchors(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened, as it is known when the deadline is computed. Moments are aware, in UTC.

    `at`: the rule's anchor. `contracts_ended`: the end of the last of all contracts, None while one runs.
    `zone`: the tenant's IANA zone. `swiss_with_bank`: a Swiss company with a linked bank account (C5.2).
    `financial_year_starts`: the month, 1 to 12, of whose books the statute speaks.
    """

    at: datetime
    zone: str
    contracts_ended: datetime | None = None
    swiss_with_bank: bool = False
    financial_year_starts: int = 1


class Deadline(msgspec.Struct, frozen=True, kw_only=True):
    """When a category goes. Everything to compute it again is in it; holds no personal data.

    `by_policy`, `by_statute` and `last_day`, the later one of them, are kept whole, in the zone of `anchors`;
    `purge_from` is the moment after. `policy` is the version that the days follow.
    """

    category: str
    policy: str
    anchors: Anchors
    by_policy: date
    by_statute: date | None
    last_day: date
    purge_from: datetime

    def is_over(self, now: datetime) -> bool:
        """Whether it may go, and must. `now` is the injected clock's."""
        return now >= self.purge_from


def compute(policy: Policy, category: Category, anchors: Anchors) -> Deadline | None:
    """The deadline that follows; None while a contract runs that the category waits for.

    The same anchors and policy give the same deadline on any day: max(policy, statute).
    Source: C5.1, OR Art. 958f. Raises: LookupError for a category that the policy does not have; as
    calendar.local_date.
    """
    rule = policy.rule(category)
    anchor_day = local_date(Instant(anchors.at), anchors.zone)
    by_policy = add_period(anchor_day, rule.period_for(anchors.swiss_with_bank))
    if rule.not_before is Anchor.CONTRACTS_ENDED:
        if anchors.contracts_ended is None:
            return None
        by_policy = max(by_policy, local_date(Instant(anchors.contracts_ended), anchors.zone))
    by_statute: Date | None = None
    if rule.statute is not None:
        by_statute = statute_end(anchor_day, rule.statute.years, anchors.financial_year_starts)
    last_day = by_policy if by_statute is None else max(by_policy, by_statute)
    return Deadline(
        category=rule.name,
        policy=policy.version,
        anchors=anchors,
        by_policy=by_policy.to_stdlib(),
        by_statute=None if by_statute is None else by_statute.to_stdlib(),
        last_day=last_day.to_stdlib(),
        purge_from=purge_start(last_day, anchors.zone).to_stdlib().astimezone(UTC),
    )


def under(stored: Deadline, policies: tuple[Policy, ...] = POLICIES) -> Deadline:
    """A stored deadline under the newest policy, one version after the other.

    A version moves the last day forward in time, or says by name that it shortens the category; else what
    runs goes on as it is. Applying it twice changes nothing. Source: C15. Raises: LookupError for a version
    that is not among `policies`; as compute.
    """
    category = Category[stored.category.upper()]
    known = [policy.version for policy in policies]
    if stored.policy not in known:
        raise LookupError(f"retention policy {stored.policy} is not known here; update mandant")
    for policy in policies[known.index(stored.policy) + 1 :]:
        renewed = compute(policy, category, stored.anchors)
        if renewed is not None and (
            renewed.last_day >= stored.last_day or stored.category in policy.announced
        ):
            stored = renewed
    return stored
