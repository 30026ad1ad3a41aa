"""Structured logs: one JSON object a line, through one pipe, which lets out only allowed, plain fields."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, cast

import msgspec
import structlog

from mandant.service.edge.log_sink import LogSink
from mandant.service.edge.sealed import only_allowed
from mandant.vault.clock import Clock, SystemClock

_encode = msgspec.json.Encoder().encode


class LogPipe:
    """Where every log line of the process goes: structlog's processors and the sink, with the clock."""

    def __init__(self, clock: Clock, sink: LogSink) -> None:
        self._clock = clock
        self.sink = sink

    def processors(self) -> list[Any]:
        """structlog's processors, the last of which makes the line."""
        return [
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            only_allowed,
            self,
        ]

    def __call__(self, _logger: Any, _method: str, event: MutableMapping[str, Any]) -> bytes:
        return _encode({"time": self._clock.now().isoformat(timespec="milliseconds"), **event})

    def access(self, fields: str) -> None:
        """Write an access line; its fields are JSON already, because it is hot."""
        self.sink.put(
            f'{{"time":"{self._clock.now().isoformat(timespec="milliseconds")}",{fields}}}'.encode()
        )


class _Writer:
    """What structlog calls with the finished line, whatever its level."""

    def __init__(self, sink: LogSink) -> None:
        self._put = sink.put

    def info(self, line: bytes) -> None:
        self._put(line)

    debug = warning = error = critical = exception = fatal = msg = info


_pipe = LogPipe(SystemClock(), LogSink())


def pipe() -> LogPipe:
    """The process's log pipe."""
    return _pipe


def get_logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger of ours that a host's own structlog configuration neither changes nor is changed by."""
    return cast(
        "structlog.typing.FilteringBoundLogger",
        structlog.wrap_logger(
            _Writer(_pipe.sink),
            processors=_pipe.processors(),
            wrapper_class=structlog.make_filtering_bound_logger("info"),
            context_class=dict,
        ).bind(logger=name),
    )


def configure_logging(*, level: str = "info") -> None:
    """Send all structlog and stdlib logging of this process through the pipe.

    For processes that are ours alone (`mandant up`, worker, the stand-alone app); under a host the host's
    logging stays as it is.
    """
    from mandant.service.edge.log_stdlib import redirect_stdlib

    structlog.configure(
        processors=_pipe.processors(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Writer(_pipe.sink),
        context_class=dict,
        cache_logger_on_first_use=True,
    )
    redirect_stdlib(level)
