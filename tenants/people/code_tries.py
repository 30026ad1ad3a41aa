"""Wrong codes are counted: whoever has the password does not find the code by trying. Source: C11.

After `FREE` wrong codes in a row there is a wait, twice as long after each one more, of an hour at most. That
is 24 tries a day, each of which three codes of 1,000,000 fit: 0.007 %. The count stands in the sealed
credentials, comes only with the right password, so nobody else makes a person wait, and a right code ends it.
"""

from datetime import datetime, timedelta

import msgspec

from mandant.tenants.people.errors import CodesWait
from mandant.tenants.people.person import Credentials

FREE = 5
SHORTEST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)


def require_no_wait(credentials: Credentials, at: datetime) -> None:
    """Raises: CodesWait."""
    if credentials.wait_until is not None and at < credentials.wait_until:
        raise CodesWait(credentials.wait_until - at)


def counted(credentials: Credentials, at: datetime) -> Credentials:
    """The credentials after one more wrong code."""
    wrong = credentials.wrong_codes + 1
    return msgspec.structs.replace(credentials, wrong_codes=wrong, wait_until=at + wait_after(wrong))


def wait_after(wrong: int) -> timedelta:
    """How long no code is tried after so many wrong ones in a row."""
    if wrong < FREE:
        return timedelta(0)
    return min(LONGEST, SHORTEST * (1 << min(wrong - FREE, 10)))
