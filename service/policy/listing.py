"""The whole table: each category with its rule, each column and store with its category."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from mandant.service.policy.english import ENGLISH
from mandant.tenants.retention import (
    EARLIER,
    STORES,
    Classified,
    Period,
    Policy,
    Rule,
    control_tables,
)
from mandant.vault.category import Category

__all__ = ["CategoryLine", "ColumnLine", "EarlierLine", "Listing", "StoreLine", "kept", "listing"]


class CategoryLine(msgspec.Struct, frozen=True):
    """One rule. `deletion` in its order; `kept` is the whole of it as a phrase."""

    category: str
    german: str
    english: str
    source: str
    period: str
    anchor: str
    not_before: str | None
    statute: str | None
    lengthened: str | None
    deletion: tuple[str, ...]
    kept: str
    apart: tuple[str, ...]


class ColumnLine(msgspec.Struct, frozen=True):
    """One column of the data database; all but its name are None where it is unclassified."""

    table: str
    column: str
    category: str | None
    period: str | None
    anchor: str | None
    statute: str | None
    deletion: tuple[str, ...] | None


class StoreLine(msgspec.Struct, frozen=True):
    """What lies outside of columns."""

    kind: str
    name: str
    category: str
    holds: str
    period: str
    anchor: str


class EarlierLine(msgspec.Struct, frozen=True):
    """Rows that go before their category does. `hours` after `after`."""

    rows: str
    hours: int
    after: str
    setting: str | None


class Listing(msgspec.Struct, frozen=True):
    """Everything. `unclassified`: columns of data and tables of control that nobody declared."""

    version: str
    categories: tuple[CategoryLine, ...]
    columns: tuple[ColumnLine, ...]
    stores: tuple[StoreLine, ...]
    earlier: tuple[EarlierLine, ...]
    cookies: tuple[str, ...]
    unclassified: tuple[str, ...]


def kept(rule: Rule) -> str:
    """The rule's period, anchor and all that lengthens it, in one English phrase."""
    return ENGLISH.kept(rule).replace("\N{NO-BREAK SPACE}", " ")


def listing(policy: Policy, columns: Sequence[Classified], control: Iterable[str]) -> Listing:
    """The table of `policy` over the live columns of data and the live tables of control."""
    unclassified = [str(column) for column in columns if column.category is None]
    unclassified += [name for name in control if name not in control_tables()]
    return Listing(
        policy.version,
        tuple(_category(rule) for rule in policy.rules),
        tuple(_column(policy, column) for column in columns),
        tuple(
            StoreLine(
                store.kind,
                store.name,
                store.category.name.lower(),
                store.holds,
                _period(policy, store.category),
                policy.rule(store.category).anchor.value,
            )
            for store in STORES
        ),
        tuple(
            EarlierLine(one.rows, int(one.period.total_seconds()) // 3600, one.after, one.setting)
            for one in EARLIER
        ),
        tuple(f"{cookie.name}: {_plain(ENGLISH.kept_cookie(cookie))}" for cookie in policy.cookies),
        tuple(unclassified),
    )


def _category(rule: Rule) -> CategoryLine:
    return CategoryLine(
        rule.name,
        rule.german,
        rule.english,
        rule.source,
        str(rule.period),
        rule.anchor.value,
        rule.not_before.value if rule.not_before else None,
        rule.statute.name if rule.statute else None,
        str(rule.lengthened.period) if rule.lengthened else None,
        tuple(one.value for one in rule.deletion),
        kept(rule),
        tuple(f"{part.name}: {_plain(ENGLISH.kept_part(part))}" for part in rule.apart),
    )


def _column(policy: Policy, column: Classified) -> ColumnLine:
    if column.category is None:
        return ColumnLine(column.table, column.column, None, None, None, None, None)
    rule = policy.rule(column.category)
    return ColumnLine(
        column.table,
        column.column,
        rule.name,
        _period(policy, column.category),
        rule.anchor.value,
        rule.statute.name if rule.statute else None,
        tuple(one.value for one in rule.deletion),
    )


def _period(policy: Policy, category: Category) -> str:
    period = policy.rule(category).period
    return "until" if period == Period() else str(period)


def _plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")
