"""Other packages' stdlib logging through our pipe, without what their messages may carry.

A library's message can hold a statement's parameters or an exception's text. What gets out is the
template (a constant of its source) with numbers put in, where it has arguments; the text itself only from
loggers that are known to say nothing of a tenant; and always the place in the source.
"""

from __future__ import annotations

import logging
from pathlib import PurePath
from typing import Any

from mandant.service.edge.logs import get_logger

WITHHELD = "text withheld: see at"
# They report starts, stops and migrations; their messages are made of settings.
TRUSTED = ("_granian", "granian", "uvicorn.error", "alembic.runtime.migration")

_METHOD = {logging.DEBUG: "debug", logging.INFO: "info", logging.WARNING: "warning", logging.ERROR: "error"}


def redirect_stdlib(level: str) -> None:
    """Replace the root logger's handlers by ours, and let servers' own loggers propagate to it."""
    root = logging.getLogger()
    root.handlers[:] = [PipeHandler()]
    root.setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "granian", "_granian"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    # Ours has the route's template where theirs has the path, which may name a search.
    for name in ("uvicorn.access", "granian.access"):
        logging.getLogger(name).disabled = True


class PipeHandler(logging.Handler):
    """Hands stdlib records to the pipe."""

    def __init__(self) -> None:
        super().__init__()
        self._log = get_logger("stdlib")

    def emit(self, record: logging.LogRecord) -> None:
        """Log the record's safe part."""
        write = getattr(self._log, _METHOD.get(record.levelno, "error" if record.levelno > 40 else "info"))
        fields: dict[str, Any] = {"logger": record.name}
        if not _trusted(record):
            fields["at"] = [f"{PurePath(record.pathname).name}:{record.lineno} {record.funcName}"]
        if record.exc_info:
            fields["exc_info"] = record.exc_info
        write(safe_text(record), **fields)


def safe_text(record: logging.LogRecord) -> str:
    """The message of a trusted logger; of others the template with numbers filled in, or nothing."""
    if _trusted(record):
        return record.getMessage()
    arguments = record.args
    if not arguments:
        # Without arguments it may be an f-string, values and all.
        return WITHHELD
    if isinstance(arguments, tuple) and all(isinstance(a, int | float) for a in arguments):
        return record.getMessage()
    return str(record.msg)


def _trusted(record: logging.LogRecord) -> bool:
    own = any(record.name == name or record.name.startswith(f"{name}.") for name in TRUSTED)
    return own and record.levelno < logging.ERROR
