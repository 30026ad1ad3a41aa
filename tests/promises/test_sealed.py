"""Promise 1, Sealed: no tenant's plaintext at rest. Canaries go in through the public API, then everything
that the service leaves behind is searched for them: data directory, WAL, dumps, logs, queue, objects,
temporary files, metrics, traces.
"""

import asyncio
import base64
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest

from mandant.service.postgres import CONTROL_DATABASE, DATA_DATABASE
from mandant.service.postgres.account import pick_account
from mandant.service.postgres.binaries import find_binaries
from tests.promises.needles import Canary, digests, files, found_in, found_in_files, needles, spellings
from tests.promises.operations import Operations
from tests.promises.planting import Visitor, plant_files, plant_groups, plant_people, plant_records
from tests.promises.planting_imports import plant_imports
from tests.promises.running import Running, running
from tests.promises.strewing import strew

# Operations whose body has no room for a value that somebody chose.
NOTHING_TO_PLANT = {
    "POST /api/v1/tenants/{tenant_id}/agreements": "editions, which we publish",
    "POST /api/v1/invitations/accept": "a secret that we made",
}


@dataclass
class Left:
    """What was done, and what is left behind when the service has stopped."""

    operations: Operations
    canary: Canary
    visitor: Visitor
    plain: Canary  # the control: planted in plaintext, on purpose
    folder: Path
    wrong_answers: list[str]
    dumps: dict[str, bytes] = field(default_factory=dict)
    pages: dict[str, bytes] = field(default_factory=dict)
    live: list[str] = field(default_factory=list)  # findings while the service ran
    jobs: int = 0


@pytest.fixture(scope="module")
def left() -> Iterator[Left]:
    settings = {"MANDANT_SIGN_IN_ATTEMPTS": "10000", "MANDANT_KEY_TTL": "60"}
    with running(**settings) as service, httpx.Client(base_url=service.url, timeout=60) as http:
        canary, plain = Canary(seed=int.from_bytes(os.urandom(8))), Canary(seed=int.from_bytes(os.urandom(8)))
        operations = Operations(http.get("/api/v1/openapi.json").json(), canary.core)
        visitor = Visitor(http, canary)
        http.event_hooks["response"] = [lambda answer: _noted(operations, answer)]
        visitor.register()
        plant_people(visitor)
        plant_records(visitor)
        plant_groups(visitor)
        plant_files(visitor)
        plant_imports(visitor)
        found = Left(operations, canary, visitor, plain, service.folder, strew(visitor, operations))
        _use_the_rest(visitor)
        found.pages["metrics"] = http.get("/metrics").content
        found.pages["ready"] = http.get("/health/ready").content
        found.jobs = asyncio.run(_plant_in_plaintext(service, plain))
        for database in (DATA_DATABASE, CONTROL_DATABASE):
            found.dumps[database] = _dump(service, database)
        found.live = found_in_files(files(service.folder), needles(canary))
        service.stop()
        found.pages |= {f"trace {i}": body for i, body in enumerate(service.traces)}
        yield found


def _noted(operations: Operations, answer: httpx.Response) -> None:
    answer.read()
    operations.note(answer)


def _use_the_rest(visitor: Visitor) -> None:
    """Operations without anything to plant in."""
    for path in ("/health/live", "/health/ready", "/problems/not-found"):
        assert visitor.http.get(path).status_code == 200


async def _plant_in_plaintext(service: Running, plain: Canary) -> int:
    """The control: the search must find this. Returns the number of jobs that were enqueued so far."""
    connection = await asyncpg.connect(service.server.dsn("postgres", DATA_DATABASE))
    try:
        await connection.execute("CREATE TABLE public.scratch (word text)")
        await connection.execute("INSERT INTO public.scratch VALUES ($1)", plain.word())
        await connection.execute("CHECKPOINT")
        return int(await connection.fetchval("SELECT last_value FROM queue.procrastinate_jobs_id_seq"))
    finally:
        await connection.close()


def _dump(service: Running, database: str) -> bytes:
    account = pick_account(service.var / "postgres" / "data")
    program = find_binaries(account, service.var) / "pg_dump"
    command = [str(program), "--dbname", service.server.dsn("postgres", database)]
    return subprocess.run(command, check=True, capture_output=True).stdout


def test_every_operation_of_the_document_was_used_and_planted_in(left: Left) -> None:
    offered = left.operations.all()
    unused = [name for name in offered if not left.operations.done[name]]
    assert unused == [], "teach tests/promises/planting.py to use these"
    bare = [
        name
        for name, operation in offered.items()
        if "requestBody" in operation and not left.operations.planted[name]
    ]
    assert sorted(set(bare) - set(NOTHING_TO_PLANT)) == [], (
        "teach tests/promises/planting.py to plant in these"
    )


def test_nothing_that_was_strewn_comes_back_or_breaks_the_service(left: Left) -> None:
    assert left.wrong_answers == [], "\n".join(left.wrong_answers[:20])


def test_the_folder_holds_no_canary_while_the_service_runs(left: Left) -> None:
    """Data directory, WAL, object folder, key file, run files, temporary files, what was printed."""
    assert left.live == []


def test_the_folder_holds_no_canary_after_the_service_has_stopped(left: Left) -> None:
    assert found_in_files(files(left.folder), needles(left.canary)) == []


def test_neither_database_dumped_by_the_superuser_shows_a_canary(left: Left) -> None:
    for database, dump in left.dumps.items():
        assert found_in(dump, needles(left.canary)) == [], database


def test_bytes_in_the_dump_are_no_canary_and_no_hash_of_one(left: Left) -> None:
    """A dump writes bytes as hexadecimal. A hash without a key is plaintext to whoever guesses."""
    guessed = [*left.visitor.chosen, left.canary.number, f"+41{left.canary.number}"]
    hashed = {name: digest for value in guessed for name, digest in digests(value).items()}
    wanted = {name: needle.hex().encode() for name, needle in (needles(left.canary) | hashed).items()}
    for database, dump in left.dumps.items():
        assert b"COPY mandant.record " in dump or database == CONTROL_DATABASE
        assert found_in(dump, wanted) == [], database


def test_the_queue_holds_no_canary(left: Left) -> None:
    """Those that wait are in the dump, those that are done in the WAL: here only that there were any."""
    assert left.jobs > 0
    assert b"COPY queue.procrastinate_jobs " in left.dumps[DATA_DATABASE]


def test_metrics_health_and_traces_show_no_canary(left: Left) -> None:
    assert b"mandant_" in left.pages["metrics"]
    assert any(b"/api/v1/" in page for name, page in left.pages.items() if name.startswith("trace"))
    for name, page in left.pages.items():
        assert found_in(page, needles(left.canary)) == [], name


def test_the_log_was_written_and_shows_no_canary(left: Left) -> None:
    log = (left.folder / "out.log").read_bytes()
    assert log.count(b'"event"') > 100
    assert found_in(log, needles(left.canary)) == []


def test_the_search_can_fail_a_plain_row_is_found_in_every_place(left: Left) -> None:
    found = "\n".join(found_in_files(files(left.folder), needles(left.plain)))
    assert "/postgres/data/base/" in found
    assert "/postgres/data/pg_wal/" in found
    assert found_in(left.dumps[DATA_DATABASE], needles(left.plain)) != []


@pytest.mark.parametrize("name", sorted(spellings("bcdfghjklmnp")))
def test_the_search_can_fail_each_spelling_is_found(name: str, tmp_path: Path) -> None:
    canary = Canary(seed=7)
    word = canary.word()
    shapes = {
        "as it is": word.lower().encode(),
        "lower": word.lower().encode(),
        "upper": word.upper().encode(),
        "capitalised": word.encode(),
        "utf-16-le": word.lower().encode("utf-16-le"),
        "utf-16-be": word.lower().encode("utf-16-be"),
        "utf-16-le capitalised": word.encode("utf-16-le"),
        "reversed": word.lower()[::-1].encode(),
        "reversed capitalised": word[::-1].encode(),
        "hex": word.lower().encode().hex().encode(),
        "hex upper": word.lower().encode().hex().upper().encode(),
        "hex capitalised": word.encode().hex().encode(),
        "rot13": word.lower().encode().translate(_ROT13),
    }
    content = shapes.get(name) or _base64(word, name)
    (tmp_path / "leak").write_bytes(b"\0 some bytes \xff" + content + b" and more")
    assert any(one.endswith(f"core, {name}") for one in found_in_files(files(tmp_path), needles(canary)))


def _base64(word: str, name: str) -> bytes:
    shift = int(name.split()[2])
    spelled = word if name.endswith("capitalised") else word.lower()
    return base64.b64encode(b"abc"[:shift] + spelled.encode() + b"tail")


_ROT13 = bytes.maketrans(b"abcdefghijklmnopqrstuvwxyz", b"nopqrstuvwxyzabcdefghijklm")
