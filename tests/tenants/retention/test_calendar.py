"""Calendar periods: OR Art. 77 in the tenant's zone. Known days, both nights of the clock, and properties."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from whenever import Date, Instant

from mandant.tenants.retention import (
    Period,
    add_months,
    add_period,
    created_before,
    deadline,
    financial_year_end,
    local_date,
    purge_start,
    statute_end,
)

ZURICH = "Europe/Zurich"
# Nights at midnight (Havana, Cairo, Sao Paulo), a minute after it (St. John's), a day that never was (Apia).
ZONES = (
    *("Europe/Zurich", "UTC", "America/Havana", "Africa/Cairo", "America/Sao_Paulo", "America/St_Johns"),
    *("Pacific/Apia", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"),
)
zones = st.sampled_from(ZONES)
dates = st.dates(min_value=Date(1990, 1, 1).to_stdlib(), max_value=Date(2060, 12, 31).to_stdlib()).map(Date)
moments = st.integers(631_152_000, 2_871_763_200).map(Instant.from_timestamp)
months = st.integers(1, 130)
periods = st.one_of(months.map(lambda n: Period(months=n)), st.integers(0, 400).map(lambda n: Period(days=n)))


@pytest.mark.parametrize(
    ("anchor", "count", "last"),
    [
        (Date(2026, 11, 30), 3, Date(2027, 2, 28)),
        (Date(2027, 11, 30), 3, Date(2028, 2, 29)),
        (Date(2026, 1, 31), 1, Date(2026, 2, 28)),
        (Date(2028, 1, 31), 1, Date(2028, 2, 29)),
        (Date(2026, 1, 31), 3, Date(2026, 4, 30)),
        (Date(2028, 2, 29), 12, Date(2029, 2, 28)),
        (Date(2028, 2, 29), 24, Date(2030, 2, 28)),
        (Date(2028, 2, 29), 48, Date(2032, 2, 29)),
        (Date(2026, 2, 28), 3, Date(2026, 5, 28)),
        (Date(2026, 12, 31), 3, Date(2027, 3, 31)),
    ],
)
def test_same_day_number_or_the_months_last_day(anchor: Date, count: int, last: Date) -> None:
    assert add_months(anchor, count) == last


def test_chained_months_would_end_earlier() -> None:
    anchor = Date(2026, 1, 31)
    assert add_months(add_months(add_months(anchor, 1), 1), 1) == Date(2026, 4, 28)
    assert add_months(anchor, 3) == Date(2026, 4, 30)


def test_half_an_hour_before_midnight_in_utc_is_the_next_day_in_zurich() -> None:
    at = Instant("2026-11-30T23:30Z")
    assert local_date(at, ZURICH) == Date(2026, 12, 1)
    assert local_date(at, "UTC") == Date(2026, 11, 30)
    assert deadline(at, ZURICH, Period(months=3)) == Date(2027, 3, 1)
    assert deadline(at, "UTC", Period(months=3)) == Date(2027, 2, 28)


@pytest.mark.parametrize(
    ("last", "zone", "from_"),
    [
        (Date(2027, 2, 28), ZURICH, "2027-02-28T23:00Z"),
        # The night in which an hour is missing, and the one that has one more: the day is over at midnight.
        (Date(2026, 3, 28), ZURICH, "2026-03-28T23:00Z"),
        (Date(2026, 3, 29), ZURICH, "2026-03-29T22:00Z"),
        (Date(2026, 10, 24), ZURICH, "2026-10-24T22:00Z"),
        (Date(2026, 10, 25), ZURICH, "2026-10-25T23:00Z"),
        # Midnight does not exist: the clock goes from 24:00 to 01:00.
        (Date(2018, 11, 3), "America/Sao_Paulo", "2018-11-04T03:00Z"),
        (Date(2024, 4, 25), "Africa/Cairo", "2024-04-25T22:00Z"),
        # Midnight comes twice, from 01:00 back to 00:00: the day before is over the first time.
        (Date(2024, 11, 2), "America/Havana", "2024-11-03T04:00Z"),
        # From 00:01 back to 23:01: the day before comes again, and is over the second time.
        (Date(2006, 10, 28), "America/St_Johns", "2006-10-29T03:30Z"),
        # From 23:30 to 00:30: the day begins half an hour late, not a whole one.
        (Date(1919, 3, 30), "America/Toronto", "1919-03-31T04:30Z"),
        # Samoa left out 30 December 2011.
        (Date(2011, 12, 29), "Pacific/Apia", "2011-12-30T10:00Z"),
        (Date(2011, 12, 30), "Pacific/Apia", "2011-12-30T10:00Z"),
    ],
)
def test_the_purge_starts_at_the_next_local_midnight(last: Date, zone: str, from_: str) -> None:
    assert purge_start(last, zone) == Instant(from_)


@given(dates, zones)
def test_the_last_day_is_over_at_the_purges_start_for_good_and_not_before(last: Date, zone: str) -> None:
    start = purge_start(last, zone)
    assert local_date(start.subtract(nanoseconds=1), zone) <= last
    for minutes in (0, 1, 29, 30, 59, 60, 61, 120, 180, 1440):
        assert local_date(start.add(minutes=minutes), zone) > last


@given(dates, months)
def test_never_earlier_than_full_months_and_at_most_the_clamp_short_of_the_day_number(
    anchor: Date, count: int
) -> None:
    last = add_months(anchor, count)
    assert (last.year * 12 + last.month) - (anchor.year * 12 + anchor.month) == count
    assert last.day == min(anchor.day, last.days_in_month())


@given(moments, zones, months)
def test_what_is_limited_is_there_at_the_same_local_time_of_the_last_day(
    at: Instant, zone: str, count: int
) -> None:
    here = at.to_tz(zone)
    full = here.add(months=count, disambiguation="compatible").to_instant()
    assert purge_start(deadline(at, zone, Period(months=count)), zone) > full


@given(moments, moments, zones, periods)
def test_a_later_anchor_never_ends_earlier(one: Instant, other: Instant, zone: str, period: Period) -> None:
    first, second = sorted((one, other))
    # Where an evening comes twice the date itself goes back; there the anchor's own day decides.
    assume(local_date(first, zone) <= local_date(second, zone))
    assert deadline(first, zone, period) <= deadline(second, zone, period)


@given(dates, st.integers(1, 60))
def test_chaining_is_never_later_and_differs_only_by_a_clamp(anchor: Date, count: int) -> None:
    chained = anchor
    for _ in range(count):
        chained = add_months(chained, 1)
    once = add_months(anchor, count)
    assert chained <= once
    if anchor.day <= 28:
        assert chained == once


@settings(max_examples=300)
@given(moments, moments, zones, periods)
def test_a_sweep_takes_what_is_past_its_purge_start_and_nothing_else(
    created: Instant, now: Instant, zone: str, period: Period
) -> None:
    assume(zone != "America/St_Johns")
    over = purge_start(deadline(created, zone, period), zone) <= now
    assert (created < created_before(now, zone, period)) == over


@given(st.integers(-3, 3), st.integers(-90_000, 90_000), zones, periods)
def test_a_sweep_agrees_to_the_second_around_the_border(
    days: int, seconds: int, zone: str, period: Period
) -> None:
    now = Instant("2027-03-01T00:00Z").add(hours=24 * days)
    border = created_before(now, zone, period)
    created = border.add(seconds=seconds)
    over = purge_start(deadline(created, zone, period), zone) <= now
    assert (created < border) == over


def test_where_an_evening_comes_twice_a_sweep_is_never_too_early() -> None:
    zone, period = "America/St_Johns", Period(days=30)
    for minute in range(-90, 90):
        created = Instant("2006-10-29T02:30Z").add(minutes=minute)
        start = purge_start(deadline(created, zone, period), zone)
        assert not created < created_before(start.subtract(seconds=1), zone, period)
        assert created < created_before(start.add(hours=24), zone, period)


@given(moments, moments, zones, periods)
def test_a_clock_that_jumps_moves_the_border_of_a_sweep_the_same_way(
    one: Instant, other: Instant, zone: str, period: Period
) -> None:
    first, second = sorted((one, other))
    assume(local_date(first, zone) <= local_date(second, zone))
    assert created_before(first, zone, period) <= created_before(second, zone, period)


def test_a_sweep_on_the_first_of_march_takes_the_last_days_of_november() -> None:
    now = Instant("2027-03-01T00:00Z")
    assert created_before(now, "UTC", Period(months=3)) == Instant("2026-12-01T00:00Z")
    assert created_before(now.subtract(seconds=1), "UTC", Period(months=3)) == Instant("2026-11-28T00:00Z")


@pytest.mark.parametrize(
    ("day", "first_month", "end"),
    [
        (Date(2026, 11, 22), 1, Date(2026, 12, 31)),
        (Date(2026, 12, 31), 1, Date(2026, 12, 31)),
        (Date(2026, 6, 30), 7, Date(2026, 6, 30)),
        (Date(2026, 7, 1), 7, Date(2027, 6, 30)),
        (Date(2027, 3, 15), 3, Date(2028, 2, 29)),
    ],
)
def test_a_financial_year_ends_before_its_first_month(day: Date, first_month: int, end: Date) -> None:
    assert financial_year_end(day, first_month) == end


def test_the_statute_runs_ten_whole_financial_years() -> None:
    assert statute_end(Date(2026, 11, 22), 10) == Date(2036, 12, 31)
    assert statute_end(Date(2026, 7, 1), 10, 7) == Date(2037, 6, 30)
    assert statute_end(Date(2026, 2, 28), 10, 3) == Date(2036, 2, 29)
    with pytest.raises(ValueError, match="1 to 12"):
        statute_end(Date(2026, 1, 1), 10, 13)


@given(dates, st.integers(1, 12), st.integers(1, 12))
def test_the_statute_is_never_earlier_than_so_many_years(day: Date, first_month: int, years: int) -> None:
    end = statute_end(day, years, first_month)
    assert add_months(day, years * 12) <= end
    assert end == financial_year_end(end, first_month)


def test_a_period_has_one_unit() -> None:
    with pytest.raises(ValueError, match="months or days"):
        Period(months=1, days=1)
    with pytest.raises(ValueError, match="negative"):
        Period(days=-1)
    assert add_period(Date(2026, 11, 22), Period()) == Date(2026, 11, 22)
    assert add_period(Date(2026, 11, 22), Period(days=30)) == Date(2026, 12, 22)
