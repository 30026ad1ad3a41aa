"""The words of a retention rule: how long, from when, by which law, and what happens on the day."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mandant.vault.category import Category

__all__ = ["Anchor", "Apart", "Deletion", "Lengthening", "Period", "Rule", "Statute"]


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar months, or calendar days; never both. Of neither: it ends on the anchor's own day."""

    months: int = 0
    days: int = 0

    def __post_init__(self) -> None:
        if self.months < 0 or self.days < 0 or (self.months and self.days):
            raise ValueError("a period has months or days, and none that are negative")

    def __str__(self) -> str:
        if self.months:
            return f"{self.months} month{'s' * (self.months != 1)}"
        return f"{self.days} day{'s' * (self.days != 1)}" if self.days else "at once"


class Anchor(Enum):
    """What a period starts with. Until it has happened nothing runs."""

    CREATED = "created"  # the item came to be
    CONTRACTS_ENDED = "contracts_ended"  # the last of ALL the tenant's contracts ended
    LAST_CONTRACT_ACTIVITY = "last_contract_activity"
    ACCOUNT_TERMINATED = "account_terminated"
    MEMBERSHIP_ENDED = "membership_ended"  # the last one of a person
    CONSENT_ENDED = "consent_ended"  # the bank's
    UNSUBSCRIBED = "unsubscribed"
    SESSION_ENDED = "session_ended"  # the browser's
    VISITOR_LEFT = "visitor_left"
    PURGED = "purged"  # the tenant
    ENTRY_ENDED = "entry_ended"  # what it leads to went, or the work was done


class Deletion(Enum):
    """What deletion means, in the order in which it is done."""

    SHRED = "shred"  # the key is destroyed: unreadable at once, in copies too
    DELETE = "delete"  # rows and objects go
    ANONYMISE = "anonymise"  # it stays, and leads to nobody


@dataclass(frozen=True, slots=True)
class Statute:
    """Years that the law demands, from the end of the financial year in which the anchor lies."""

    name: str
    years: int


@dataclass(frozen=True, slots=True)
class Lengthening:
    """The period for a Swiss company while it has a linked bank account. Source: C5.2, C5.5."""

    period: Period


@dataclass(frozen=True, slots=True)
class Apart:
    """A part of a category, or a cookie, with an end of its own: by the first of `anchors` that happens."""

    name: str
    source: str
    period: Period
    anchors: tuple[Anchor, ...]
    deletion: tuple[Deletion, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """One data category. `not_before`: it never goes before this has happened.

    `source` is the requirement's id. The terms are for people: changing one changes no promise.
    """

    category: Category
    german: str
    english: str
    source: str
    period: Period
    anchor: Anchor
    deletion: tuple[Deletion, ...]
    not_before: Anchor | None = None
    statute: Statute | None = None
    lengthened: Lengthening | None = None
    apart: tuple[Apart, ...] = ()

    @property
    def name(self) -> str:
        """The category's name in code, as columns are commented with it."""
        return self.category.name.lower()

    def period_for(self, swiss_with_bank: bool) -> Period:
        """The period for a Swiss company with a linked bank account, or for anybody else. Source: C5.2."""
        return self.lengthened.period if self.lengthened is not None and swiss_with_bank else self.period
