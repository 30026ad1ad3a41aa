"""Normal forms: two ways to write one value get one blind-index term. Specified in vault/FORMAT.md.

Each returns None where there is nothing to look up: such a value has no term. None refuses: what is
no e-mail address, phone number or IBAN gets the nearest form that still finds itself. Of a longer
value only the first 4096 characters take part, but in `exact`.
"""

from __future__ import annotations

import re
import unicodedata

import idna
import phonenumbers

__all__ = ["email", "exact", "iban", "matches_prefix", "phone", "prefix_query", "prefixes", "text"]

# What of a value takes part. Ordering the marks of a letter takes time with the square of their number:
# a megabyte of accents would stop a worker for half an hour.
LIMIT = 4096

# Letters that Unicode does not take apart, and marks that people type in two ways.
FOLDS = {
    "æ": "ae", "œ": "oe", "ø": "o", "ð": "d", "đ": "d", "þ": "th", "ł": "l", "ħ": "h", "ı": "i",
    "‘": "'", "’": "'", "ʼ": "'", "‐": "-", "–": "-", "—": "-", "−": "-",
}  # fmt: skip


class _Strip(dict[int, str]):
    """Drops accents and invisible characters; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        drop = unicodedata.category(character) in ("Mn", "Me", "Cf")
        self[code] = kept = "" if drop else FOLDS.get(character, character)
        return kept


class _Words(dict[int, str]):
    """Turns whatever is no letter, number or mark into a space; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = kept = character if unicodedata.category(character)[0] in "LNM" else " "
        return kept


_STRIP = _Strip()
_WORDS = _Words()


def exact(value: str) -> str | None:
    """As it is written, byte for byte."""
    return _scalar(value) or None


def text(value: str) -> str | None:
    """Without case, accents and surplus spaces: ` Café  MÜLLER ` -> `cafe muller`.

    `ß` is `ss`; `ä` is `a`. `ae` stays `ae`: folding it would make Manuel and Manul one name, so
    Mueller and Müller are two.
    """
    value = value[:LIMIT]
    if value.isascii():
        return " ".join(value.lower().split()) or None
    folded = unicodedata.normalize("NFKD", _scalar(value)).casefold()
    return " ".join(unicodedata.normalize("NFKD", folded).translate(_STRIP).split()) or None


def email(value: str) -> str | None:
    """Without case, the domain as IDNA writes it: ` Anna@MÜLLER.ch ` -> `anna@xn--mller-kva.ch`.

    Parts after `+` and dots in the local part stay: what they mean is the receiving server's affair.
    """
    folded = _compatible(value)
    local, at, domain = folded.rpartition("@")
    if not at:
        return folded.casefold() or None
    return f"{local.casefold()}@{_domain(domain)}"


def phone(value: str, default_region: str = "CH") -> str | None:
    """E.164: `044 668 18 00` -> `+41446681800`.

    `default_region` is two letters (ISO 3166), for numbers written without a country.
    What is no possible number gives its digits, with the `+` it began with.
    """
    written = _compatible(value)
    try:
        number = phonenumbers.parse(written, default_region)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and phonenumbers.is_possible_number(number):
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    digits = "".join(str(unicodedata.decimal(character)) for character in written if character.isdecimal())
    if not digits:
        return None
    return "+" + digits if written.startswith("+") else digits


def iban(value: str) -> str | None:
    """Upper case, letters and digits only: `ch93 0076 2011 6238 5295 7` -> `CH9300762011623852957`."""
    return re.sub(r"[^A-Z0-9]", "", _compatible(value).upper()) or None


def prefixes(value: str, length: int) -> frozenset[str]:
    """What a prefix-searchable value is indexed under: the first `length` characters of each word and of all.

    Words are what stands between spaces and punctuation in the text form. `Hans Müller-Meier`, 3 ->
    han, mul, mei; `Li Wei`, 3 -> li, wei and, for all of it, `li `. Shorter words count whole.
    """
    whole = text(value)
    if whole is None:
        return frozenset()
    return frozenset(word[:length] for word in (*whole.translate(_WORDS).split(), whole))


def prefix_query(query: str, length: int) -> frozenset[str]:
    """The prefixes that a value must ALL be indexed under to be found by `query`; empty for an empty one.

    Words shorter than `length` do not narrow the search while a longer one does. A query of short words
    only finds values that begin with it, or whose word is exactly it.
    """
    whole = text(query)
    if whole is None:
        return frozenset()
    words = [word[:length] for word in whole.translate(_WORDS).split() if len(word) >= length]
    return frozenset(words or [whole[:length]])


def matches_prefix(query: str, value: str) -> bool:
    """Whether an opened value is meant by `query`: it begins with it, or each of its words begins a word."""
    wanted, whole = text(query), text(value)
    if wanted is None or whole is None:
        return False
    if whole.startswith(wanted):
        return True
    words, begun = whole.translate(_WORDS).split(), wanted.translate(_WORDS).split()
    return bool(begun) and all(any(word.startswith(start) for word in words) for start in begun)


def _scalar(value: str) -> str:
    """Lone surrogates, which UTF-8 cannot hold, replaced by U+FFFD."""
    return value if value.isascii() else re.sub("[\ud800-\udfff]", "\ufffd", value)


def _compatible(value: str) -> str:
    """NFKC of the first 4096 characters, without spaces around it."""
    return unicodedata.normalize("NFKC", _scalar(value[:LIMIT])).strip()


def _domain(domain: str) -> str:
    """A domain in A-labels and lower case; as it is, in lower case, where IDNA refuses it."""
    lowered = domain.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    try:
        return idna.encode(lowered, uts46=True).decode()
    except idna.IDNAError:
        return lowered
