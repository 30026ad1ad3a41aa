"""What a language has to bring, and how its words and a rule's numbers become a phrase."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from mandant.tenants.retention import Anchor, Apart, Deletion, Period, Rule
from mandant.vault.category import Category

__all__ = ["Words"]

_YEARS_FROM = 60  # months: "10 years" reads better than "120 months", "24 months" better than "2 years"


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `after` has `{period}` in it; `until` is the same for what ends with the event itself.

    `statutes`: Statute.name -> as the law is cited. `parts`: Apart.name -> what it is. `day` is a format of
    day, month's name and year; units are singular and plural.
    """

    language: str
    title: str
    as_of: str
    before: tuple[str, ...]
    heads: tuple[str, str, str, str]
    cookies: str
    cookie_heads: tuple[str, str]
    cookie_at_most: str
    behind: tuple[str, ...]
    names: Mapping[Category, str]
    contents: Mapping[Category, str]
    parts: Mapping[str, str]
    units: Mapping[str, tuple[str, str]]
    after: Mapping[Anchor, str]
    until: Mapping[Anchor, str]
    either: tuple[str, str]
    not_before: Mapping[Anchor, str]
    statute: str
    statutes: Mapping[str, str]
    lengthened: str
    deletion: Mapping[tuple[Deletion, ...], str]
    months: tuple[str, ...]
    day: str

    def date(self, day: date) -> str:
        """22. November 2026, and what it is elsewhere."""
        number = "1er" if self.language == "fr-CH" and day.day == 1 else str(day.day)
        return self.day.format(number, self.months[day.month - 1], day.year)

    def period(self, period: Period) -> str:
        """3 Monate; 10 Jahre."""
        count, unit = (period.months, "month") if period.months else (period.days, "day")
        if unit == "month" and count >= _YEARS_FROM and count % 12 == 0:
            count, unit = count // 12, "year"
        return f"{count}\N{NO-BREAK SPACE}{self.units[unit][count != 1]}"

    def kept(self, rule: Rule) -> str:
        """How long a category is kept, with all that lengthens it."""
        said = [self._ends(rule.period, rule.anchor)]
        if rule.lengthened is not None:
            said.append(self.lengthened.format(period=self.period(rule.lengthened.period)))
        if rule.not_before is not None:
            said.append(self.not_before[rule.not_before])
        if rule.statute is not None:
            years = self.period(Period(months=12 * rule.statute.years))
            said.append(self.statute.format(period=years, law=self.statutes[rule.statute.name]))
        return ", ".join(said)

    def kept_part(self, part: Apart) -> str:
        """The same for what ends on its own: by the first of its events."""
        ends = [self._ends(part.period, anchor) for anchor in part.anchors]
        return ends[0] if len(ends) == 1 else self.either[0].join(ends) + self.either[1]

    def kept_cookie(self, part: Apart) -> str:
        """A cookie's longest life."""
        if part.period == Period():
            return self.kept_part(part)
        return self.cookie_at_most.format(period=self.period(part.period))

    def _ends(self, period: Period, anchor: Anchor) -> str:
        if period == Period():
            return self.until[anchor]
        return self.after[anchor].format(period=self.period(period))
