"""Markers on a record's fields, and what they mean once a module is declared."""

from __future__ import annotations

import types
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from mandant.tenants.modules.record import Part

Reading = Literal["text", "email", "phone", "iban", "exact"]
READINGS: tuple[str, ...] = get_args(Reading)

SCALARS: tuple[type, ...] = (str, int, float, bool, Decimal, date, datetime, UUID)
SEARCHABLE_SCALARS: tuple[type, ...] = (str, int, bool, Decimal, date, UUID)
MAX_DEPTH = 6


class DeclarationError(TypeError):
    """A module is declared wrongly. Raised at import time, so that no process starts with it."""


@dataclass(frozen=True, slots=True)
class Searchable:
    """The field can be searched without opening records.

    `prefix` (2 to 10): also by the first letters of each word, from that many letters on. Each distinct
    beginning is then visible as equal or different, so leave it out where nobody types half a value.
    `as_`: how two spellings are recognised as one value; `text` ignores case and accents.
    `region`: ISO country of phone numbers written without a country code.
    """

    prefix: int | None = None
    as_: Reading | None = None
    region: str = "CH"


@dataclass(frozen=True, slots=True)
class Unique:
    """No two records of a tenant's module have the same value here; also searchable exactly."""

    as_: Reading | None = None
    region: str = "CH"


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """One leaf of a record. `path` is dotted and passes through lists: `emails.address`."""

    path: str
    names: tuple[str, ...]
    type: Any
    optional: bool
    many: bool
    searchable: bool = False
    unique: bool = False
    reading: Reading = "exact"
    prefix: int | None = None
    region: str = "CH"

    def values(self, record: Part) -> list[Any]:
        """The values at this path that are not None, in order; more than one where a list is passed."""
        if len(self.names) == 1:  # by far the most frequent
            value = getattr(record, self.names[0])
            if not isinstance(value, list):
                return [] if value is None else [value]
        found: list[Any] = [record]
        for name in self.names:
            step: list[Any] = []
            for holder in found:
                value = getattr(holder, name)
                if isinstance(value, list):
                    step.extend(v for v in value if v is not None)
                elif value is not None:
                    step.append(value)
            found = step
        return found


def describe(record: type[Part]) -> tuple[FieldSpec, ...]:
    """Every leaf field of `record`, depth first, in the order of declaration.

    Raises: DeclarationError for a type that cannot be stored, or a marker where it has no meaning.
    """
    return tuple(_walk(record, (), many=False, seen=()))


def _walk(
    record: type[Part], prefix: tuple[str, ...], *, many: bool, seen: tuple[type, ...]
) -> Iterator[FieldSpec]:
    if record in seen:
        raise DeclarationError(f"{record.__name__} contains itself; a record must end somewhere")
    if len(seen) >= MAX_DEPTH:
        raise DeclarationError(f"{'.'.join(prefix)}: nested more than {MAX_DEPTH} Structs deep; flatten it")
    for field in msgspec.structs.fields(record):
        names = (*prefix, field.name)
        where = f"{record.__name__}.{field.name}"
        if field.encode_name != field.name:
            raise DeclarationError(f"{where}: rename= is not supported; name the field as it is stored")
        kind, markers, optional, repeated = unwrap(field.type, where)
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            if not issubclass(kind, Part):
                raise DeclarationError(
                    f"{where}: {kind.__name__} must derive from Part, so that it refuses unknown fields "
                    "and prints no values"
                )
            if markers:
                marker = type(markers[0]).__name__
                raise DeclarationError(f"{where}: put {marker} on a field of {kind.__name__}")
            yield from _walk(kind, names, many=many or repeated, seen=(*seen, record))
        else:
            spec = FieldSpec(".".join(names), names, kind, optional, many or repeated)
            yield marked(spec, markers, where)


def unwrap(annotation: Any, where: str) -> tuple[Any, list[Searchable | Unique], bool, bool]:
    """Looks through Annotated, `| None` and list: (inner type, markers, may be None, is a list).

    Raises: DeclarationError where the inner type is none that a module can store.
    """
    markers: list[Searchable | Unique] = []
    optional = repeated = False
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            markers.extend(m for m in annotation.__metadata__ if isinstance(m, Searchable | Unique))
            annotation = get_args(annotation)[0]
        elif origin in (Union, types.UnionType):
            arms = [arm for arm in get_args(annotation) if arm is not type(None)]
            if len(arms) != 1 or len(arms) == len(get_args(annotation)):
                raise DeclarationError(f"{where}: a union is only supported with None")
            optional = True
            annotation = arms[0]
        elif origin is list:
            if repeated:
                raise DeclarationError(f"{where}: a list of lists is not supported; use a list of Structs")
            repeated = True
            annotation = get_args(annotation)[0]
        else:
            break
    _refuse_unsupported(annotation, origin, where)
    return annotation, markers, optional, repeated


def _refuse_unsupported(annotation: Any, origin: Any, where: str) -> None:
    arguments = get_args(annotation)
    if origin is Literal:
        supported = all(isinstance(choice, str) for choice in arguments)
    elif origin is dict:
        supported = arguments[0] is str and arguments[1] in SCALARS
    else:
        supported = isinstance(annotation, type) and (
            annotation in SCALARS or issubclass(annotation, msgspec.Struct | Enum)
        )
    if supported:
        return
    raise DeclarationError(
        f"{where}: {annotation!r} cannot be stored; use str, int, float, bool, Decimal, date, datetime, "
        "UUID, an Enum, a Literal of strings, a Part, list[...] of these, or dict[str, scalar]"
    )


def marked(spec: FieldSpec, markers: list[Searchable | Unique], where: str) -> FieldSpec:
    """`spec` with what its markers say. Raises: DeclarationError where a marker has no meaning."""
    if not markers:
        return spec
    kinds = [type(m) for m in markers]
    if len(set(kinds)) != len(kinds):
        raise DeclarationError(f"{where}: the same marker twice")
    if not _searchable_type(spec.type):
        raise DeclarationError(f"{where}: {spec.type!r} cannot be searched by blind index; filter by it")
    is_text = spec.type is str
    readings = {m.as_ for m in markers if m.as_ is not None}
    if len(readings) > 1:
        raise DeclarationError(f"{where}: Searchable and Unique must have the same as_")
    reading: Reading = readings.pop() if readings else ("text" if is_text else "exact")
    if reading not in READINGS:
        raise DeclarationError(f"{where}: as_ must be one of {', '.join(READINGS)}")
    if reading != "exact" and not is_text:
        raise DeclarationError(f"{where}: as_={reading!r} needs a str")
    prefix = next((m.prefix for m in markers if isinstance(m, Searchable)), None)
    if prefix is not None and not (is_text and 2 <= prefix <= 10):
        raise DeclarationError(f"{where}: prefix is a number of letters from 2 to 10, on a str")
    return FieldSpec(
        spec.path,
        spec.names,
        spec.type,
        spec.optional,
        spec.many,
        searchable=True,
        unique=Unique in kinds,
        reading=reading,
        prefix=prefix,
        region=markers[0].region,
    )


def _searchable_type(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return True
    return isinstance(kind, type) and (kind in SEARCHABLE_SCALARS or issubclass(kind, Enum))
