"""What a check says: one line, and what to do where something is not right."""

from typing import Literal

import msgspec

__all__ = ["Line", "Status", "ok", "warning", "wrong"]

Status = Literal["ok", "warning", "wrong"]


class Line(msgspec.Struct, frozen=True):
    """`part` groups lines; `todo` is empty when all is well. Holds no secret."""

    part: str
    name: str
    status: Status
    said: str
    todo: str = ""


def ok(part: str, name: str, said: str) -> Line:
    return Line(part, name, "ok", said)


def warning(part: str, name: str, said: str, todo: str) -> Line:
    """It works, but somebody should look at it."""
    return Line(part, name, "warning", said, todo)


def wrong(part: str, name: str, said: str, todo: str) -> Line:
    """It does not work, or does not protect."""
    return Line(part, name, "wrong", said, todo)
