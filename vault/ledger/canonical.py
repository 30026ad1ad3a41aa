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
_encoder = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


def encode(value: Json) -> bytes:
    """The bytes of a value: no spaces, keys in the order of their UTF-16 code units, UTF-8.

    Raises: Malformed for a value outside the subset.
    """
    try:
        return _encoder.encode(_ordered(value, 0)).encode()
    except UnicodeEncodeError:
        raise Malformed("a string has a lone surrogate") from None


def decode(raw: bytes) -> Json:
    """The value of canonical bytes. Raises: Malformed when they are not exactly what `encode` makes of it."""
    try:
        value: Json = json.loads(raw.decode(), parse_float=_refuse, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise Malformed("not JSON of strings, integers, arrays and objects") from None
    if encode(value) != raw:
        raise Malformed("JSON, but not in its canonical form")
    return value


def _ordered(value: object, depth: int) -> Json:
    """A copy with every object's keys in order. Raises: Malformed."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        if abs(value) > _LARGEST:
            raise Malformed("an integer has more than 53 bits")
        return value
    if depth == _DEEPEST:
        raise Malformed("more than eight levels deep")
    if isinstance(value, list):
        return [_ordered(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {key: _ordered(value[key], depth + 1) for key in sorted(value, key=_utf16)}
    raise Malformed("only strings, integers, arrays and objects")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")


def _refuse(_: str) -> NoReturn:
    raise Malformed("a number is not an integer")
