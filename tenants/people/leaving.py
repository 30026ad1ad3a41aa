"""When the data of a person who left ends. Source: C5.3: three months after the account is terminated."""

from datetime import datetime

from whenever import Instant, ZonedDateTime

MONTHS = 3


def ends_at(left_at: datetime, time_zone: str) -> datetime:
    """The midnight after the last day of three calendar months, in the tenant's time zone (IANA).

    Same day number, or the month's last day where there is none: who leaves on 30 November is kept
    through 28 or 29 February. Returns UTC.
    """
    last_day = Instant(left_at).to_tz(time_zone).date().add(months=MONTHS)
    next_day = last_day.add(days=1)
    midnight = ZonedDateTime(next_day.year, next_day.month, next_day.day, tz=time_zone)
    return midnight.to_instant().to_stdlib()
