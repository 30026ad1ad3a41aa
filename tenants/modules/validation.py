"""Reads what somebody sent into a record, or says everything that is wrong with it at once.

The quick way is msgspec's typed decoder, which stops at the first fault. Only when it refuses is every
field tried on its own, so that a form shows all its faults in one answer. No message repeats a value:
messages reach logs.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import islice
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin
from uuid import UUID

import msgspec

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules import limits
from mandant.tenants.modules.record import Part

MAX_JSON = 4 * 1024 * 1024
MAX_PROBLEMS = 100

P = TypeVar("P", bound=Part)

_EXPECTED: dict[Any, str] = {
    str: "must be text",
    int: "must be a whole number",
    float: "must be a number",
    bool: "must be true or false",
    Decimal: "must be a decimal number",
    date: "must be a date such as 1990-12-31",
    datetime: "must be a date and time such as 1990-12-31T08:00:00Z",
    UUID: "must be a UUID",
}
_REFUSALS = (msgspec.ValidationError, RecursionError, OverflowError, ValueError)


def untyped(raw: bytes | memoryview) -> Any:
    """JSON as plain values. Raises: Invalid where it is not JSON, longer than 4 MiB, or too deep."""
    if len(raw) > MAX_JSON:
        raise Invalid([Problem("", f"is longer than {MAX_JSON} bytes")])
    try:
        return msgspec.json.decode(raw)
    except RecursionError:
        raise Invalid([Problem("", "is nested too deep")]) from None
    except UnicodeDecodeError:
        raise Invalid([Problem("", "is not valid UTF-8")]) from None
    except msgspec.DecodeError:
        raise Invalid([Problem("", "is not valid JSON")]) from None


def from_plain(value: Any, record: type[P]) -> P:
    """A record from plain values, as JSON has them. Raises: Invalid with every problem found."""
    try:
        made = msgspec.convert(value, record)
    except _REFUSALS:
        problems = list(islice(_struct(value, record, ()), MAX_PROBLEMS))
        raise Invalid(problems or [Problem("", "does not fit the declaration")]) from None
    limits.check(made)
    return made


def _struct(value: Any, record: type[Part], path: tuple[str, ...]) -> Iterator[Problem]:
    if not isinstance(value, dict):
        yield _problem(path, "must be an object")
        return
    fields = {field.name: field for field in msgspec.structs.fields(record)}
    for key in value:
        if key not in fields:
            yield _problem((*path, str(key)[:60]), "is not a field here; remove it")
    for name, field in fields.items():
        if name in value:
            yield from _value(value[name], field.type, (*path, name))
        elif field.required:
            yield _problem((*path, name), "is missing")


def _value(value: Any, annotation: Any, path: tuple[str, ...]) -> Iterator[Problem]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner = list(_value(value, get_args(annotation)[0], path))
        yield from inner
        if not inner and (refusal := _refusal(value, annotation)):
            yield _problem(path, _form(annotation) if "regex" in refusal else refusal)
    elif type(None) in (arms := get_args(annotation)):
        if value is not None:
            yield from _value(value, next(arm for arm in arms if arm is not type(None)), path)
    elif origin is list:
        if not isinstance(value, list):
            yield _problem(path, "must be a list")
            return
        for index, item in enumerate(value):
            yield from _value(item, get_args(annotation)[0], (*path, str(index)))
    elif origin is dict:
        if not isinstance(value, dict):
            yield _problem(path, "must be an object")
            return
        for key, item in value.items():
            yield from _value(item, get_args(annotation)[1], (*path, str(key)[:60]))
    elif isinstance(annotation, type) and issubclass(annotation, Part):
        yield from _struct(value, annotation, path)
    elif _refusal(value, annotation):
        yield _problem(path, "is missing" if value is None else _expectation(annotation))


def _expectation(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return f"must be one of: {', '.join(get_args(annotation))}"
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"must be one of: {', '.join(str(choice.value) for choice in annotation)}"
    return _EXPECTED[annotation]


def _form(annotation: Any) -> str:
    """What a text with a pattern must be, in the field's own words: a pattern tells most people nothing."""
    said = [meta.description for meta in annotation.__metadata__ if isinstance(meta, msgspec.Meta)]
    return f"must be {said[0]}" if said and said[0] else "does not have the form that it must have"


def _refusal(value: Any, annotation: Any) -> str | None:
    """Why msgspec refuses, for constraints; its messages for those hold the bound, never the value."""
    try:
        msgspec.convert(value, annotation)
    except msgspec.ValidationError as refused:
        return str(refused).replace("`", "").replace("Expected", "must be", 1)
    except _REFUSALS:
        return "does not fit"
    return None


def _problem(path: tuple[str, ...], message: str) -> Problem:
    return Problem(".".join(path), message)
