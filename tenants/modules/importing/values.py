"""Cells as people write them, read into plain values. A refusal is a ValueError that says what is wrong."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Literal

DateOrder = Literal["dmy", "mdy"]

_TRUE = frozenset({"true", "yes", "y", "1", "ja", "j", "oui", "o", "vrai", "wahr", "x"})
_FALSE = frozenset({"false", "no", "n", "0", "nein", "non", "faux", "falsch"})
_EMAIL = re.compile(r"[^@\s<>,;\"]+@[^@\s<>,;\"]+")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T.*)?")
_PARTS = re.compile(r"(\d{1,2})\s*([./-])\s*(\d{1,2})\s*\2\s*(\d{4})(?:[ T,].*)?")


def day(text: str, order: DateOrder | None = None) -> date:
    """31.12.1990, 1990-12-31, 19901231, 31/12/1990 or 12/31/1990.

    Points mean day first. With slashes or dashes a day of 12 or less needs `order`. A time behind it is
    left out. Raises: ValueError, also for years of two digits: they do not say which century.
    """
    text = text.strip()
    if found := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    found = _PARTS.fullmatch(text)
    if not found:
        raise ValueError("is no date with a year of four digits, such as 31.12.1990 or 1990-12-31")
    first, second, year = int(found[1]), int(found[3]), int(found[4])
    if found[2] == "." or first > 12 or first == second:
        return _date(year, second, first)
    if second > 12:
        return _date(year, first, second)
    if order is None:
        raise ValueError("could be day first or month first; choose the order of dates")
    return _date(year, second, first) if order == "dmy" else _date(year, first, second)


def date_order(texts: list[str]) -> DateOrder | None:
    """The order that the unambiguous ones among dates with slashes agree on, if they do."""
    orders: set[DateOrder] = set()
    for text in texts:
        found = _PARTS.fullmatch(text.strip())
        if found and found[2] != ".":
            if int(found[1]) > 12:
                orders.add("dmy")
            elif int(found[3]) > 12:
                orders.add("mdy")
    return orders.pop() if len(orders) == 1 else None


def _date(year: int, month: int, day_: int) -> date:
    try:
        return date(year, month, day_)
    except ValueError:
        raise ValueError("is no day of the calendar") from None


def yes_or_no(text: str) -> bool:
    word = text.strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueError("is neither yes nor no")


def number(text: str) -> Decimal:
    """1234.5, 1'234.50, 1’234,50, 1.234,50 or 1,234.50: the last point or comma is the decimal one.

    A single comma or point with three digits behind it and 1 to 3 before could be either: refused.
    """
    plain = re.sub(r"['’\s\u00a0\u202f]", "", text)
    last = max(plain.rfind("."), plain.rfind(","))
    if last >= 0:
        separators = [c for c in plain if c in ".,"]
        if len(separators) > 1 and len(set(separators)) == 1:
            plain = plain.replace(separators[0], "")
        elif len(separators) == 1 and separators[0] == "," and re.fullmatch(r"-?\d{1,3},\d{3}", plain):
            raise ValueError("could be thousands or decimals; write it without the comma")
        else:
            plain = re.sub("[.,]", "", plain[:last]) + "." + plain[last + 1 :]
    try:
        value = Decimal(plain)
    except InvalidOperation:
        raise ValueError("is no number") from None
    if not value.is_finite():
        raise ValueError("is no number")
    return value


def email(text: str) -> str:
    """One address; `Anna <anna@example.ch>` and `mailto:` give the address alone."""
    found = re.fullmatch(r".*<([^<>]+)>", text.strip())
    address = (found[1] if found else text).strip()
    address = re.sub(r"^mailto:", "", address, flags=re.IGNORECASE)
    if not _EMAIL.fullmatch(address):
        raise ValueError("is no e-mail address")
    return address


def phone(text: str) -> str:
    """A number as written. Raises: ValueError for fewer than 3 or more than 20 digits."""
    written = re.sub(r"^tel:", "", text.strip(), flags=re.IGNORECASE)
    if not 3 <= sum(c.isdigit() for c in written) <= 20:
        raise ValueError("is no phone number")
    return written


def iban(text: str) -> str:
    """Without spaces, in capitals. Raises: ValueError where the check digits are wrong. Source: ISO 13616."""
    plain = re.sub(r"\s", "", text).upper()
    if not re.fullmatch(r"[A-Z]{2}\d{2}[A-Z0-9]{8,30}", plain):
        raise ValueError("is no IBAN")
    if int("".join(str(int(c, 36)) for c in plain[4:] + plain[:4])) % 97 != 1:
        raise ValueError("is an IBAN with wrong check digits")
    return plain
