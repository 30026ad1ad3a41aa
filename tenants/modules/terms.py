"""From values to what the blind index sees of them, and from a search to what it must look for.

A searchable value has one `exact` entry: the whole value, normalised. With a prefix of n it also has
`prefix` entries: the first n letters of each word. Terms collide by design, and a longer beginning is
looked up by its first n letters: whatever is found is checked against the opened record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any

import msgspec

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules.fields import FieldSpec
from mandant.tenants.modules.record import Part
from mandant.vault import normalise
from mandant.vault.index import Kind

Entry = tuple[str, Kind, str]
"""Field path, kind of term, normalised value: what a blind-index term is made of."""

PREFIXED = 1_000
"""Characters of one value whose words can be found by their beginnings; later words cannot."""


@dataclass(frozen=True, slots=True)
class Look:
    """One search in one field: `entries` must ALL be in the index, then `found` decides on the record."""

    field: FieldSpec
    entries: tuple[Entry, ...]
    asked: str
    beginnings: bool

    def __repr__(self) -> str:
        return f"Look({self.field.path!r})"

    def found(self, record: Part) -> bool:
        """Does the opened record really match?"""
        for value in self.field.values(record):
            if self.beginnings:
                if normalise.matches_prefix(self.asked, canonical(value)):
                    return True
            elif normalised(self.field, value) == self.asked:
                return True
        return False


def normalised(field: FieldSpec, value: Any) -> str | None:
    """The spelling under which two values of the field count as equal; None: there is nothing to find."""
    plain = canonical(value)
    match field.reading:
        case "text":
            return normalise.text(plain)
        case "email":
            return normalise.email(plain)
        case "phone":
            return normalise.phone(plain, field.region)
        case "iban":
            return normalise.iban(plain)
        case "exact":
            return normalise.exact(plain)


def canonical(value: Any) -> str:
    """A scalar as text, the same for equal values: 1.50 and 1.5 are one number."""
    if type(value) is str:
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def entries(field: FieldSpec, record: Part) -> Iterator[Entry]:
    """(field path, 'exact' or 'prefix', normalised value) for what is to be found of the field; distinct."""
    values = field.values(record)
    normals = [normalised(field, value) for value in values]
    for normal in normals if len(normals) < 2 else dict.fromkeys(normals):
        if normal is not None:
            yield field.path, "exact", normal
    if field.prefix is not None:
        starts: set[str] = set()
        for value in values:
            starts |= normalise.prefixes(canonical(value)[:PREFIXED], field.prefix)
        for start in starts:
            yield field.path, "prefix", start


def look(field: FieldSpec, asked: str, *, beginnings: bool) -> Look:
    """What to search for. `asked` is text as typed, for a date or number field too.

    Raises: Invalid where the field is not searchable this way, or nothing is asked.
    """
    if not field.searchable:
        raise Invalid([Problem(field.path, "is not searchable; filter the list by it instead")])
    if beginnings:
        if field.prefix is None:
            raise Invalid([Problem(field.path, "is searchable by its whole value only")])
        starts = normalise.prefix_query(asked, field.prefix)
        if not starts:
            raise Invalid([Problem(field.path, "is searched for nothing; give some letters")])
        return Look(field, tuple((field.path, "prefix", start) for start in sorted(starts)), asked, True)
    normal = normalised(field, _typed(field, asked))
    if normal is None:
        raise Invalid([Problem(field.path, "is searched for nothing; give a value")])
    return Look(field, ((field.path, "exact", normal),), normal, False)


def _typed(field: FieldSpec, asked: str) -> Any:
    if field.type is str:
        return asked
    try:
        return msgspec.convert(asked, field.type, strict=False)
    except msgspec.ValidationError:
        raise Invalid([Problem(field.path, "is searched for with a value that is not of its type")]) from None
