"""How often the KMS was asked: per owner and hour, and in total for metrics that name nobody."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from mandant.vault.clock import Clock

__all__ = ["KeyringTotals", "KmsCalls"]


@dataclass(slots=True)
class KeyringTotals:
    """Since the process started, over all tenants.

    `bridged`: attempts that the KMS or control did not answer, so that old keys served on.
    """

    hits: int = 0
    misses: int = 0
    bridged: int = 0
    kms_calls: int = 0
    kms_errors: int = 0


class KmsCalls:
    """Counts of the current hour (UTC), for the `limit` owners that called last; others' are lost."""

    def __init__(self, clock: Clock, limit: int) -> None:
        self._clock = clock
        self._limit = limit
        self._hour: datetime | None = None
        self._calls: OrderedDict[UUID, int] = OrderedDict()

    def add(self, owner: UUID) -> None:
        """One call more for `owner`."""
        self._turn()
        self._calls[owner] = self._calls.get(owner, 0) + 1
        self._calls.move_to_end(owner)
        if len(self._calls) > self._limit:
            self._calls.popitem(last=False)

    def of(self, owner: UUID) -> int:
        """Calls for `owner` in the current hour."""
        self._turn()
        return self._calls.get(owner, 0)

    def _turn(self) -> None:
        hour = self._clock.now().replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            self._hour = hour
            self._calls.clear()
