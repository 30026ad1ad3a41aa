"""Where an exception happened, without what it says: messages and locals may hold a tenant's data."""

from __future__ import annotations

import sys
from pathlib import PurePath
from types import TracebackType
from typing import Any

DEEPEST_FRAMES = 6
MOST_CAUSES = 4


def location_of(exc_info: Any) -> dict[str, Any]:
    """`{"error": class, "at": [innermost frames first], "causes": [classes]}` of an exception, {} of none.

    `exc_info` is what logging and structlog take: an exception, a triple or True for the current one.
    """
    error = exc_info
    if exc_info is True:
        error = sys.exc_info()[1]
    elif isinstance(exc_info, tuple):
        error = exc_info[1]
    if not isinstance(error, BaseException):
        return {}
    found: dict[str, Any] = {"error": _name(error), "at": frames(error.__traceback__)}
    causes: list[str] = []
    cause = error.__cause__ or error.__context__
    while cause is not None and len(causes) < MOST_CAUSES:
        causes.append(f"{_name(cause)} {' '.join(frames(cause.__traceback__)[:1])}".strip())
        cause = cause.__cause__ or cause.__context__
    if causes:
        found["causes"] = causes
    return found


def frames(traceback: TracebackType | None) -> list[str]:
    """`file.py:line function` of the innermost frames, innermost first."""
    found: list[str] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        found.append(
            f"{'/'.join(PurePath(code.co_filename).parts[-3:])}:{traceback.tb_lineno} {code.co_name}"
        )
        traceback = traceback.tb_next
    return found[-DEEPEST_FRAMES:][::-1]


def _name(error: BaseException) -> str:
    return f"{type(error).__module__}.{type(error).__qualname__}"
