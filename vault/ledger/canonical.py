"""Canonical JSON: one sequence of bytes for each value. Source: RFC 8785, a subset without doubtful parts.

    encode({"v": 1, "kind": "day"})      # b'{"kind":"day","v":1}'

Values are strings without lone surrogates, integers of at most 53 bits, arrays, and objects; at most eight
levels deep. There are no fractions, no `true`, no `false` and no `null`.
"""

from __future__ import annotations

import json
from typing import NoReturn, TypeAlias

from mandant.vault.ledger.malformed import Malformed

__all__ = ["Json", "decode", "encode"]

Json: TypeAlias = "str | int | list[Json] | dict[str, Json]"

_LARGEST = 2**53 - 1
_DEEPEST = 8
_ORDERED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)
_SORTING = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False, sort_keys=True)


def encode(value: Json) -> bytes:
    """The bytes of a value: no spaces, keys in the order of their UTF-16 code units, UTF-8.

    Raises: Malformed for a value outside the subset.
    """
    _check(value, 0)
    text = _SORTING.encode(value)
    # Sorted by code points. UTF-16 code units have another order only where some are above the surrogates.
    if not text.isascii() and max(text) >= "\ue000":
        text = _ORDERED.encode(_ordered(value))
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise Malformed("a string has a lone surrogate") from None


def decode(raw: bytes) -> Json:
    """The value of canonical bytes. Raises: Malformed when they are not exactly what `encode` makes of it."""
    try:
        value: Json = _READER.decode(raw.decode())
    except (ValueError, RecursionError):
        raise Malformed("not JSON of strings, integers, arrays and objects") from None
    if encode(value) != raw:
        raise Malformed("JSON, but not in its canonical form")
    return value


def _check(value: object, depth: int) -> None:
    """Raises: Malformed for a value outside the subset."""
    kind = type(value)
    if kind is str:
        return
    if kind is int:
        if not -_LARGEST <= value <= _LARGEST:  # type: ignore[operator]
            raise Malformed("an integer has more than 53 bits")
        return
    if depth == _DEEPEST:
        raise Malformed("more than eight levels deep")
    if isinstance(value, dict):
        for key, inner in value.items():
            if type(key) is not str:
                raise Malformed("keys are strings")
            _check(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _check(inner, depth + 1)
    else:
        raise Malformed("only strings, integers, arrays and objects")


def _ordered(value: Json) -> Json:
    """A copy with every object's keys in order."""
    if isinstance(value, dict):
        return {key: _ordered(value[key]) for key in sorted(value, key=_utf16)}
    return [_ordered(item) for item in value] if isinstance(value, list) else value


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _refuse(_: str) -> NoReturn:
    raise Malformed("a number is not an integer")


_READER = json.JSONDecoder(parse_float=_refuse, parse_constant=_refuse)
