"""What the types of a record allow but no store should hold."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import islice
from math import isfinite
from typing import Annotated, Any, get_args, get_origin

import msgspec

from mandant.tenants.errors import Invalid, Problem
from mandant.tenants.modules.record import Part

MAX_TEXT = 10_000
MAX_ITEMS = 1_000
MAX_SEALED = 1024 * 1024
_MAX_PROBLEMS = 100
SMALLEST, LARGEST = -(2**63), 2**64 - 1


def check(record: Part) -> None:
    """Refuses text over 10,000 characters (unless Meta(max_length=...) allows more), NUL characters, lone
    surrogates, numbers beyond 64 bits or not finite, and lists or mappings of over 1,000 items.

    Raises: Invalid with every problem found (at most 100).
    """
    problems = list(islice(_struct(record, ""), _MAX_PROBLEMS))
    if problems:
        raise Invalid(problems)


def surely_kept(body: bytes) -> bool:
    """Does the encoded size alone say that `check` finds nothing? Most records are small: it costs a tenth.

    Under 1,000 bytes no text has 10,000 characters and no list 1,000 items; without a zero byte there is no
    NUL; half a surrogate pair and a number beyond 64 bits do not encode. Not for floats and decimals.
    """
    return len(body) < MAX_ITEMS and b"\0" not in body


def _struct(record: Part, path: str) -> Iterator[Problem]:
    for name, kind, longest in _plan(type(record)):
        value = getattr(record, name)
        if kind is str and value is not None:
            # by far the most frequent: no generator, no path built unless there is something to say
            suspicious = len(value) > longest or "\0" in value or not value.isascii()
            if suspicious and (message := _text(value, longest)):
                yield Problem(path + name, message)
        elif value is not None:
            yield from _value(value, longest, path + name)


@cache
def _plan(record: type[Part]) -> tuple[tuple[str, type, int], ...]:
    """(field, str or object, longest text) for each field that can break a limit."""
    plan: list[tuple[str, type, int]] = []
    for field in msgspec.structs.fields(record):
        leaf, longest = _leaf(field.type)
        plan.append((field.name, str if leaf is str else object, longest))
    return tuple(plan)


def _leaf(annotation: Any) -> tuple[Any, int]:
    """The type inside Annotated and `| None`, and the longest text; looks into lists for the length."""
    longest = MAX_TEXT
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            for meta in annotation.__metadata__:
                if isinstance(meta, msgspec.Meta) and meta.max_length:
                    longest = meta.max_length
            annotation = get_args(annotation)[0]
        elif type(None) in get_args(annotation):
            annotation = next(arm for arm in get_args(annotation) if arm is not type(None))
        elif origin is list:
            return list, _leaf(get_args(annotation)[0])[1]
        else:
            return annotation, longest


def _value(value: Any, longest: int, path: str) -> Iterator[Problem]:
    message: str | None = None
    if isinstance(value, str):
        message = _text(value, longest)
    elif isinstance(value, Part):
        yield from _struct(value, path + ".")
    elif isinstance(value, list | dict):
        if len(value) > MAX_ITEMS:
            message = f"has more than {MAX_ITEMS} entries"
        else:
            yield from _items(value, longest, path)
    elif isinstance(value, int):
        if not SMALLEST <= value <= LARGEST:
            message = "is a number beyond 64 bits"
    elif isinstance(value, float | Decimal) and not _reasonable(value):
        message = "is not a finite number of reasonable size"
    if message:
        yield Problem(path, message)


def _items(value: list[Any] | dict[str, Any], longest: int, path: str) -> Iterator[Problem]:
    if isinstance(value, dict):
        for key, item in value.items():
            if message := _text(key, MAX_TEXT):
                yield Problem(path, f"has a key that {message}")
            yield from _value(item, longest, f"{path}.{key[:60]}")
    else:
        for index, item in enumerate(value):
            yield from _value(item, longest, f"{path}.{index}")


def _reasonable(value: float | Decimal) -> bool:
    return isfinite(value) and (isinstance(value, float) or abs(value.adjusted()) <= 100)


def _text(value: str, longest: int) -> str | None:
    if len(value) > longest:
        return f"is longer than {longest} characters"
    if "\0" in value:
        return "contains a NUL character"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "contains half a surrogate pair, which is not text"
    return None
