"""Calendar periods in a tenant's time zone: by day numbers, never by hours. Reads no clock.

A period starts with the local date of its anchor, which does not count; its last day counts whole. What it
limits goes from the next local midnight on. Source: OR Art. 77, BGB 187 and 188. That a last day may fall on
a Sunday moves nothing: OR Art. 78 and BGB 193 are about what somebody has to do.
"""

from __future__ import annotations

from whenever import Date, Instant, Time

from mandant.tenants.retention.rule import Period

__all__ = [
    "add_months",
    "add_period",
    "created_before",
    "deadline",
    "financial_year_end",
    "local_date",
    "purge_start",
    "statute_end",
]

_MIDNIGHT = Time()


def add_months(anchor: Date, months: int) -> Date:
    """The last day of a period of calendar months that starts at `anchor`.

    Same day number, or the month's last day where there is none: 2026-11-30 + 3 -> 2027-02-28.
    Never chain two calls: the clamp is lost. Source: OR Art. 77; C5.4.
    """
    return anchor.add(months=months)


def add_period(anchor: Date, period: Period) -> Date:
    """The last day of `period`; of an empty one, the anchor's day itself."""
    return add_months(anchor, period.months) if period.months else anchor.add(days=period.days)


def local_date(at: Instant, zone: str) -> Date:
    """The date on the tenant's wall: 2026-11-30T23:30Z is 1 December in Europe/Zurich.

    Raises: whenever.TimeZoneNotFoundError for a zone that the machine's database does not have.
    """
    return at.to_tz(zone).date()


def deadline(anchor: Instant, zone: str, period: Period) -> Date:
    """The last day on which what the period limits is kept. Raises: as local_date."""
    return add_period(local_date(anchor, zone), period)


def purge_start(last_day: Date, zone: str) -> Instant:
    """The moment from which `last_day` is over in `zone` for good, and not a second later.

    Not always midnight: where the clock skips it, the day's first moment; where a whole day is skipped, the
    first moment of the one after. Where the clock goes back over midnight, the second time it strikes.
    Raises: as local_date.
    """
    following = last_day.next_day()
    first = _first_moment(following, zone)
    again = following.at(_MIDNIGHT).assume_tz(zone, disambiguation="later").to_instant()
    # St. John's set its clocks back from 00:01 to 23:01: the day began, and then it was yesterday once more.
    yesterday_again = again.subtract(nanoseconds=1).to_tz(zone).date() <= last_day
    return max(first, again) if yesterday_again else first


def created_before(now: Instant, zone: str, period: Period) -> Instant:
    """What came to be before this moment is past its period at `now`; nothing else is. For sweeps.

    Only where an evening comes twice, its second pass is counted to the day after: never too early.
    Raises: as local_date.
    """
    yesterday = local_date(now, zone).prev_day()
    latest = (
        yesterday.subtract(months=period.months) if period.months else yesterday.subtract(days=period.days)
    )
    # Several days may share a last day: 28, 29 and 30 November all end on 28 February.
    while add_period(latest.next_day(), period) <= yesterday:
        latest = latest.next_day()
    return _first_moment(latest.next_day(), zone)


def financial_year_end(date: Date, first_month: int = 1) -> Date:
    """The last day of the financial year that `date` lies in; it starts with `first_month`, 1 to 12.

    Raises: ValueError for another month.
    """
    if not 1 <= first_month <= 12:
        raise ValueError("a financial year starts with a month from 1 to 12")
    year = date.year if date.month >= first_month else date.year - 1
    return Date(year + 1, first_month, 1).prev_day()


def statute_end(date: Date, years: int, first_month: int = 1) -> Date:
    """The last day of the financial year `years` after the one that `date` lies in. Source: OR Art. 958f.

    The period starts with the first day after the books are closed, so it ends with a month: from 28 February
    2026, ten years are until 29 February 2036. Raises: as financial_year_end.
    """
    closed = financial_year_end(date, first_month)
    return Date(closed.year + years, closed.month, 1).end_of("month")


def _first_moment(day: Date, zone: str) -> Instant:
    return day.at(_MIDNIGHT).assume_tz(zone, disambiguation="compatible").start_of("day").to_instant()
