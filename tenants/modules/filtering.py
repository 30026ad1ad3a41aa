"""Sorts and filters opened records by any field: what a blind index cannot do.

Text is compared without case and accents. Records without a value come last when sorting upwards; in
a list of values the first one counts for sorting, any one for filtering.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal, get_args, get_origin

import msgspec

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules.fields import FieldSpec
from mandant.tenants.modules.record import Part
from mandant.vault import normalise

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "contains", "starts", "empty"]
OPERATORS: tuple[str, ...] = get_args(Operator)


@dataclass(frozen=True, slots=True, repr=False)
class Filter:
    """One condition; made by `condition`, which has compared the value's type with the field's."""

    field: FieldSpec
    operator: Operator
    value: Any

    def matches(self, record: Part) -> bool:
        values = [comparable(v) for v in self.field.values(record)]
        if self.operator == "empty":
            return bool(values) is not self.value
        if self.operator == "ne":
            return all(v != self.value for v in values)
        test = _TESTS[self.operator]
        return any(test(v, self.value) for v in values)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, asked: value == asked,
    "lt": lambda value, asked: value < asked,
    "le": lambda value, asked: value <= asked,
    "gt": lambda value, asked: value > asked,
    "ge": lambda value, asked: value >= asked,
    "contains": lambda value, asked: asked in value,
    "starts": lambda value, asked: value.startswith(asked),
}


def condition(field: FieldSpec, operator: str, raw: str) -> Filter:
    """A filter from a query parameter, `raw` as typed. For `empty`, raw is 'true' or 'false'.

    Raises: Invalid where the operator is unknown or has no meaning for the field, or raw is no such value.
    """
    if operator not in OPERATORS:
        raise Invalid([Problem(field.path, f"must be filtered with one of: {', '.join(OPERATORS)}")])
    kind = bool if operator == "empty" else field.type
    if _is_mapping(kind):
        raise Invalid([Problem(field.path, "is a mapping; it can only be filtered by being empty")])
    if operator in ("contains", "starts") and not _is_text(kind):
        raise Invalid([Problem(field.path, f"is not text; {operator} has no meaning for it")])
    try:
        value = raw if _is_text(kind) else msgspec.convert(raw, kind, strict=False)
    except (msgspec.ValidationError, TypeError):
        raise Invalid([Problem(field.path, "is compared with something that is not of its type")]) from None
    return Filter(field, operator, comparable(value))  # type: ignore[arg-type]


def sort_key(field: FieldSpec) -> Callable[[Part], tuple[bool, Any]]:
    """A key function for `sorted`: (has no value, comparable value). Raises: Invalid for a mapping."""
    if _is_mapping(field.type):
        raise Invalid([Problem(field.path, "is a mapping; it has no order")])
    if len(field.names) == 1 and not field.many:
        name = field.names[0]

        def simple(record: Part) -> tuple[bool, Any]:
            value = getattr(record, name)
            return (True, 0) if value is None else (False, comparable(value))

        return simple

    def nested(record: Part) -> tuple[bool, Any]:
        values = field.values(record)
        return (False, comparable(values[0])) if values else (True, 0)

    return nested


def matches(record: Part, filters: Iterable[Filter]) -> bool:
    return all(f.matches(record) for f in filters)


def comparable(value: Any) -> Any:
    """A value that compares within its field: text without case and accents, an Enum by its value."""
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        return value.lower() if value.isascii() else normalise.text(value) or ""
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=UTC)
    return value


def _is_text(kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return True
    return isinstance(kind, type) and issubclass(kind, str)


def _is_mapping(kind: Any) -> bool:
    return get_origin(kind) is dict
