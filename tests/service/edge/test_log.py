"""What is logged: allowed fields with plain values, exceptions by class and place, never a value."""

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog

from mandant.service.edge.address import shortened
from mandant.service.edge.log_sink import LogSink
from mandant.service.edge.log_stdlib import WITHHELD, PipeHandler
from mandant.service.edge.logs import LogPipe, get_logger, pipe
from mandant.service.edge.sealed import LONGEST_TEXT, only_allowed
from mandant.tenants.modules import Record
from mandant.vault.category import Category
from mandant.vault.envelope import DataKey
from mandant.vault.secret import Secret
from tests.service.edge.conftest import Probe
from tests.service.edge.lines import log_lines

CANARY = "canary-in-a-log-2b7d"


class Contact(Record):
    name: str


class Plain(msgspec.Struct):
    name: str


@dataclass
class Holder:
    name: str


class Text(str):
    """A kind of text that somebody made to hold more."""

    __slots__ = ()


@pytest.fixture
def lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The process's pipe into a file; call it to read what has been written."""
    target = os.open(tmp_path / "log", os.O_RDWR | os.O_CREAT)
    monkeypatch.setattr(pipe().sink, "_fd", target)

    def read() -> list[dict[str, Any]]:
        pipe().sink.flush()
        return [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]

    yield read
    pipe().sink.flush()
    os.close(target)


KEY = DataKey(UUID(int=1), Category.MODULE, 1, CANARY.encode().ljust(32)[:32])


@pytest.mark.parametrize(
    "value",
    [
        Secret(CANARY.encode()),
        KEY,
        Contact(name=CANARY),
        Plain(CANARY),
        Holder(CANARY),
        Text(CANARY),
        CANARY.encode(),
        bytearray(CANARY.encode()),
        memoryview(CANARY.encode()),
        {"name": CANARY},
        [Contact(name=CANARY)],
        (CANARY.encode(),),
        ValueError(CANARY),
        object,
    ],
)
@pytest.mark.parametrize("field", ["name", "reason", "customer"])
def test_what_may_hold_a_tenants_data_does_not_print(lines: Any, value: Any, field: str) -> None:
    get_logger("test").info("something", **{field: value})
    (line,) = lines()
    assert CANARY not in json.dumps(line)
    assert line["event"] == "something"
    if field == "customer":
        assert line["withheld"] == ["customer"]
    else:
        assert line[field] in ("<sealed>", ["<sealed>"])


def test_a_field_that_nobody_allowed_is_named_but_not_shown(lines: Any) -> None:
    get_logger("test").info("something", email=CANARY, rows=3)
    (line,) = lines()
    assert line["withheld"] == ["email"]
    assert line["rows"] == 3
    assert CANARY not in json.dumps(line)


def test_long_texts_are_cut() -> None:
    kept = only_allowed(None, "info", {"event": "x" * 10_000})
    assert len(kept["event"]) == LONGEST_TEXT + 3


def test_an_exception_is_logged_by_class_and_place(lines: Any) -> None:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise RuntimeError(CANARY) from error
    except RuntimeError:
        get_logger("test").exception("failed")
    (line,) = lines()
    assert line["error"] == "builtins.RuntimeError"
    assert "test_log.py" in line["at"][0]
    assert line["causes"][0].startswith("builtins.ValueError")
    assert CANARY not in json.dumps(line)


@pytest.mark.parametrize(
    ("name", "message", "arguments", "said"),
    [
        ("asyncpg", f"failed for {CANARY}", (), WITHHELD),
        ("sqlalchemy.engine", "parameters %r", (CANARY,), "parameters %r"),
        ("botocore", "took %d ms after %.1f", (3, 0.5), "took 3 ms after 0.5"),
        ("_granian.workers", "Listening at: %s", ("http://127.0.0.1",), "Listening at: http://127.0.0.1"),
    ],
)
def test_other_packages_speak_through_the_pipe_without_their_values(
    lines: Any, name: str, message: str, arguments: tuple[object, ...], said: str
) -> None:
    record = logging.LogRecord(name, logging.INFO, "/somewhere/lib.py", 7, message, arguments, None, "run")
    PipeHandler().handle(record)
    (line,) = lines()
    assert line["event"] == said
    assert line["logger"] == name
    assert CANARY not in json.dumps(line)


def test_an_error_of_a_trusted_logger_is_withheld_like_any_other(lines: Any) -> None:
    record = logging.LogRecord("_granian", logging.ERROR, "/lib.py", 7, f"failed: {CANARY}", (), None, "run")
    PipeHandler().handle(record)
    (line,) = lines()
    assert line["event"] == WITHHELD
    assert line["at"] == ["lib.py:7 run"]


def test_a_hosts_own_structlog_does_not_change_ours(lines: Any) -> None:
    structlog.configure(processors=[structlog.dev.ConsoleRenderer()])
    try:
        get_logger("test").info("something", secret=CANARY)
    finally:
        structlog.reset_defaults()
    (line,) = lines()
    assert line["withheld"] == ["secret"]


def test_a_reader_that_stopped_reading_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mandant.service.edge.log_sink.MOST_WAITING", 10)
    sink = LogSink(-1)
    sink._thread = sink  # type: ignore[assignment]  # nobody writes
    for _ in range(25):
        sink.put(b"{}")
    assert sink.dropped == 15


async def test_the_access_line_has_the_template_and_not_the_address(http: Any, probe: Probe) -> None:
    thing = "0190f3e6-7a1b-7000-8000-0000000000aa"
    answer = await http.get(f"/api/v1/probe/things/{thing}?limit=7")
    (line,) = await log_lines(probe.log, request_id=answer.headers["x-request-id"])
    assert line["route"] == "/api/v1/probe/things/{thing}"
    assert line["status"] == 200
    assert line["method"] == "GET"
    assert set(line) == {"time", "event", "level", "method", "route", "status", "duration_ms", "request_id"}
    assert thing not in probe.log.read_text()


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("203.0.113.77", "203.0.113.0"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
        ("::ffff:203.0.113.77", "203.0.113.0"),
        ("not an address", None),
        (None, None),
    ],
)
def test_addresses_are_shortened(address: str | None, kept: str | None) -> None:
    """C16.1."""
    assert shortened(address) == kept


def test_the_pipe_tells_the_injected_clocks_time() -> None:
    from datetime import UTC, datetime

    from mandant.vault.clock import MovingClock

    told = LogPipe(MovingClock(datetime(2026, 3, 2, 9, tzinfo=UTC)), LogSink())(None, "info", {"event": "x"})
    assert json.loads(told)["time"] == "2026-03-02T09:00:00.000+00:00"
