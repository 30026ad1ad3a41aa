from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from mandant.vault.clock import MovingClock, SystemClock


def test_the_system_clock_says_aware_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_moving_clock_stands_still_until_it_is_moved() -> None:
    start = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)
    clock = MovingClock(start)
    assert clock.now() == clock.now() == start
    assert clock.advance(timedelta(hours=1)) == clock.now() == datetime(2026, 12, 1, 0, 30, tzinfo=UTC)


def test_a_moving_clock_is_in_utc_wherever_it_was_started() -> None:
    clock = MovingClock(datetime(2026, 12, 1, 0, 30, tzinfo=timezone(timedelta(hours=1))))
    assert clock.now().isoformat() == "2026-11-30T23:30:00+00:00"


def test_a_moving_clock_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="back"):
        MovingClock(datetime(2026, 11, 30, tzinfo=UTC)).advance(timedelta(seconds=-1))


def test_a_clock_without_a_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        MovingClock(datetime(2026, 11, 30))  # noqa: DTZ001
