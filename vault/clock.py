"""The injected clock: nothing else in the project reads the time of day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "MovingClock", "SystemClock"]


class Clock(Protocol):
    def now(self) -> datetime:
        """The time now: aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    __slots__ = ()

    def now(self) -> datetime:
        return datetime.now(UTC)


class MovingClock:
    """A clock that stands still until it is moved: for tests and for `make tour`."""

    __slots__ = ("_now",)

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time, e.g. datetime(2026, 11, 22, tzinfo=UTC)")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move forward and return the new time. Raises: ValueError when `by` is negative."""
        if by < timedelta(0):
            raise ValueError("time does not go back")
        self._now += by
        return self._now
