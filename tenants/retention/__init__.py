"""How long what is kept, from when, by which law, and what ends it: declared once, asked everywhere.

rule = POLICY.rule(Category.MODULE)                       # 3 months after ALL contracts ended
anchors = Anchors(at=contracts_ended, zone="Europe/Zurich", contracts_ended=contracts_ended)
deadline = compute(POLICY, Category.MODULE, anchors)      # stored beside what it limits
deadline.last_day, deadline.purge_from, deadline.is_over(clock.now())
under(deadline)                                           # after the policy changed
created_before(Instant(clock.now()), zone, rule.period)   # what a sweep takes
"""

from mandant.tenants.retention.calendar import (
    add_months,
    add_period,
    created_before,
    deadline,
    financial_year_end,
    local_date,
    purge_start,
    statute_end,
)
from mandant.tenants.retention.catalog import (
    Classified,
    Unclassified,
    check_classified,
    classified_columns,
    tables_of,
)
from mandant.tenants.retention.categories import DIGESTS, POLICIES, POLICY
from mandant.tenants.retention.deadlines import Anchors, Deadline, compute, under
from mandant.tenants.retention.policy import Policy, Shortening, digest, shortened
from mandant.tenants.retention.rule import Anchor, Apart, Deletion, Lengthening, Period, Rule, Statute
from mandant.tenants.retention.stores import EARLIER, STORES, Earlier, Store, control_tables

__all__ = [
    "DIGESTS",
    "EARLIER",
    "POLICIES",
    "POLICY",
    "STORES",
    "Anchor",
    "Anchors",
    "Apart",
    "Classified",
    "Deadline",
    "Deletion",
    "Earlier",
    "Lengthening",
    "Period",
    "Policy",
    "Rule",
    "Shortening",
    "Statute",
    "Store",
    "Unclassified",
    "add_months",
    "add_period",
    "check_classified",
    "classified_columns",
    "compute",
    "control_tables",
    "created_before",
    "deadline",
    "digest",
    "financial_year_end",
    "local_date",
    "purge_start",
    "shortened",
    "statute_end",
    "tables_of",
    "under",
]
