"""Bytes that do not print."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

__all__ = ["Secret"]


class Secret:
    """Key material or another secret, any length. Only `reveal()` gives the bytes.

    repr, str and f-strings say `<secret>`; pickle and copy refuse; json and msgspec know no such
    type and refuse too (a plain class on purpose: msgspec would write a dataclass's fields out).
    Python cannot promise wiped memory: whoever reads this process's memory reads the secret.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = value

    def reveal(self) -> bytes:
        """The bytes. Must stay secret."""
        return self._value

    def __repr__(self) -> str:
        return "<secret>"

    def __format__(self, spec: str) -> str:
        return "<secret>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a secret is neither pickled nor copied")
