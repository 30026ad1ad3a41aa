"""Imports as jobs: killed and resumed, raced for a value, after a reindex, without the key, in bounded memory."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import pytest

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs import PostgresJobs
from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import REGISTRY
from mandant.service.jobs.tasks_imports import ATTEMPTS, import_rows
from mandant.tenants.modules import Module, Record, Searchable, Unique, catalogue, listing, store
from mandant.tenants.modules.customers import customers
from mandant.tenants.modules.importing import batch, known, refused, state
from mandant.tenants.modules.importing import run as importing
from mandant.tenants.modules.importing.state import TRANSITIONS, ImportConflict, ImportRun, ImportState
from mandant.tenants.modules.keychanges import reindex, rotate_and_apply
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.sealed_rows import tenant_rows
from mandant.vault.category import Category
from mandant.vault.errors import KeyDenied
from mandant.vault.wrapping import Purpose
from tests.service.jobs.support import QueueDatabase
from tests.stack import Stack

ROOT = Path(__file__).parents[4]
PROCESS = "tests.tenants.modules.importing.import_process"
LIMIT = 100 << 20


class Client(Record):
    name: Annotated[str, Searchable(prefix=3)]
    number: Annotated[str | None, Unique()] = None


clients = Module("clients", Client)
jobs = PostgresJobs()


@pytest.fixture
async def objects(stack: Stack) -> FolderObjectStore:
    objects = FolderObjectStore(stack.folder / "objects")
    await objects.open()
    return objects


@pytest.fixture
async def shelf(stack: Stack, objects: FolderObjectStore) -> Shelf:
    return Shelf(await stack.tenant(), objects, stack.clock, catalogue([clients, customers]))


async def sent(shelf: Shelf, body: bytes, module: Module[Any] = clients, name: str = "x.csv") -> ImportRun:
    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 70_000):
            yield body[start : start + 70_000]

    return await importing.upload(shelf, module, name, "text/csv", chunks(), limit=LIMIT)


async def started(shelf: Shelf, run: ImportRun) -> ImportRun:
    async with shelf.session(write=True) as session:
        return await importing.start(
            session, jobs, await state.find(session, run.import_id, lock=True), shelf
        )


async def found(shelf: Shelf, run: ImportRun) -> ImportRun:
    async with shelf.session() as session:
        return await state.find(session, run.import_id)


async def done(shelf: Shelf, body: bytes) -> tuple[int, int, int]:
    """Import a file here: created, present, refused."""
    run = await started(shelf, await sent(shelf, body))
    await importing.run_import(shelf, run.import_id)
    after = await found(shelf, run)
    assert after.state is ImportState.DONE
    return after.created, after.present, after.refused


def rows_of(count: int) -> bytes:
    """Every 100th has no number that is free, every 150th is the one before it."""
    lines = [b"Name,Number"]
    for i in range(count):
        if i % 150 == 149:
            lines.append(lines[-1])
        else:
            lines.append(b"Name %d,%s" % (i, b"same" if i % 100 == 99 else b"%d" % i))
    return b"\n".join(lines) + b"\n"


async def names(shelf: Shelf, module: Module[Any] = clients) -> list[str]:
    return [s.record.name async for found in listing.scan(shelf.tenant, module) for s in found]


async def process(stack: Stack, *arguments: object) -> Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        PROCESS,
        stack.data_url("mandant_worker"),
        stack.control_url("mandant_worker"),
        str(stack.folder),
        *map(str, arguments),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=PIPE,
    )


@pytest.fixture
async def database(stack: Stack) -> QueueDatabase:
    roles = ("postgres", "mandant_owner", "mandant_app", "mandant_worker")
    database = QueueDatabase({role: stack.data_url(role) for role in roles})
    await database.fetch("DELETE FROM queue.procrastinate_jobs")
    await database.fetch("DELETE FROM queue.procrastinate_workers")
    return database


async def test_killed_three_times_and_resumed_nothing_is_lost_and_nothing_doubled(
    stack: Stack, shelf: Shelf, database: QueueDatabase
) -> None:
    rows = 5_000
    body = b"Vorname;Nachname;E-Mail\n" + b"".join(
        b"Anna;Muster %d;%s\n" % (i, b"no address" if i % 100 == 99 else b"a%d@example.ch" % i)
        for i in range(rows)
    )
    run = await started(shelf, await sent(shelf, body, customers))
    (job,) = await database.fetch(
        "SELECT id FROM queue.procrastinate_jobs WHERE args ->> 'job_id' = $1", str(run.import_id)
    )
    positions = []
    for where, call in (("before", 3), ("after", 2), ("before", 1)):
        victim = await process(stack, "work", where, call)
        async with asyncio.timeout(120):
            assert await victim.wait() == -signal.SIGKILL
        assert await database.sweep_until(REGISTRY, job["id"], {"again", "exhausted"}) == "again"
        await database.fetch("UPDATE queue.procrastinate_jobs SET scheduled_at = NULL")
        positions.append((await found(shelf, run)).position)
    assert positions == [1_000, 2_000, 2_000]
    last = await process(stack, "work", "never", 0)
    async with asyncio.timeout(120):
        while (after := await found(shelf, run)).state is ImportState.RUNNING:  # noqa: ASYNC110 - its fact
            await asyncio.sleep(0.05)
    last.terminate()
    await last.wait()
    assert (after.state, after.position, after.created, after.present, after.refused) == (
        ImportState.DONE,
        rows,
        rows - 50,
        0,
        50,
    )
    stored = [s.record.last_name async for found in listing.scan(shelf.tenant, customers) for s in found]
    assert stored == [f"Muster {i}" for i in range(rows) if i % 100 != 99]
    report = b"".join([part async for part in refused.read_report(shelf, after)]).decode()
    assert [line.split(";")[0] for line in report.splitlines()[1:]] == [
        str(i + 2) for i in range(rows) if i % 100 == 99
    ]


async def test_a_hundred_thousand_rows_take_bounded_memory(
    stack: Stack, shelf: Shelf, record_property: Callable[[str, object], None]
) -> None:
    body = b"Vorname;Nachname;E-Mail;Ort\n" + b"".join(
        b"Anna;Muster %d;anna%d@example.ch;Z\xc3\xbcrich\n" % (i, i) for i in range(100_000)
    )
    run = await started(shelf, await sent(shelf, body, customers))
    child = await process(stack, "whole", shelf.tenant_id, run.import_id)
    out, _ = await child.communicate()
    after = await found(shelf, run)
    assert (after.state, after.created) == (ImportState.DONE, 100_000)
    peak, seconds = out.decode().split()
    record_property("peak_mib", int(peak) // 1024)
    record_property("seconds", float(seconds))
    print(f"100,000 rows: {int(peak) // 1024} MiB at most, {seconds} s")
    assert int(peak) < 250 * 1024


async def test_a_row_that_loses_the_race_for_a_unique_value_is_refused_alone(
    stack: Stack, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody claims number 7 after the import has looked and before it writes."""
    look = batch._clashes

    async def looked(*arguments: Any) -> dict[bytes, str]:
        clashes = await look(*arguments)
        await store.create(shelf.tenant, clients, Client(name="Eve", number="7"), at=stack.clock.now())
        return clashes

    monkeypatch.setattr(batch, "_clashes", looked)
    body = b"Name,Number\n" + b"".join(b"Name %d,%d\n" % (i, i) for i in range(40))
    assert await done(shelf, body) == (39, 0, 1)
    assert sorted(await names(shelf)) == sorted(["Eve", *(f"Name {i}" for i in range(40) if i != 7)])


async def test_rows_are_known_again_after_a_rotation_a_re_encryption_and_a_reindex(
    stack: Stack, shelf: Shelf
) -> None:
    body = rows_of(1_200)
    first = await done(shelf, body)
    assert first == (1_185, 8, 7)
    tenant = stack.as_worker(shelf.tenant)
    await rotate_and_apply(
        stack.control, stack.provider, tenant, Category.MODULE, Purpose.SEAL, stack.clock.now()
    )
    resealed = [
        str(part.column)
        async for part in tenant_rows(stack.data, stack.keyring, shelf.tenant_id, reseal=True)
        if part.resealed and not part.failures
    ]
    assert resealed == ["import_run.sealed", "import_refused.sealed", "import_key.sealed"]
    async for _ in reindex(
        stack.worker_control, stack.provider, tenant, [clients], Category.MODULE, stack.clock
    ):
        pass
    created, present, refused_rows = await done(shelf, body)
    assert (created, present + refused_rows) == (0, 1_200)
    assert refused_rows == 7


async def test_our_own_export_comes_back_to_where_it_was_made_as_nothing_new(
    stack: Stack, shelf: Shelf
) -> None:
    made = await store.create(shelf.tenant, clients, Client(name="Anna"), at=stack.clock.now())
    line = f'{{"id": "{made.record_id}", "name": "Anna"}}\n'.encode()
    other = b'{"id": "0190a5c8-0000-7000-8000-000000000000", "name": "Anna"}\n'
    assert await done(shelf, line + other) == (1, 1, 0)


async def test_a_key_that_is_denied_meanwhile_stops_the_import_and_it_goes_on_when_it_is_back(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await started(shelf, await sent(shelf, rows_of(1_600)))
    keep = batch.keep
    kept: list[bool] = []

    async def kept_twice(*arguments: Any) -> bool:
        if len(kept) == 2:
            raise KeyDenied("disabled")
        kept.append(await keep(*arguments))
        return kept[-1]

    monkeypatch.setattr(importing, "keep", kept_twice)
    with pytest.raises(KeyDenied):
        await importing.run_import(shelf, run.import_id)
    assert ((await found(shelf, run)).state, (await found(shelf, run)).position) == ("running", 1_000)
    monkeypatch.undo()
    await importing.run_import(shelf, run.import_id)
    after = await found(shelf, run)
    assert (after.state, after.position) == ("done", 1_600)
    assert len(await names(shelf)) == after.created


async def test_every_batch_asks_the_keyring_again(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await started(shelf, await sent(shelf, rows_of(2_000)))
    keyring = shelf.tenant.keyring
    asked: list[UUID] = []
    open_scope = keyring.open

    async def counting(scope: UUID) -> Any:
        asked.append(scope)
        return await open_scope(scope)

    monkeypatch.setattr(keyring, "open", counting)
    await importing.run_import(shelf, run.import_id)
    assert len(asked) >= 4


async def test_what_is_left_of_an_import_whose_file_is_gone_has_failed_and_says_so(
    shelf: Shelf,
) -> None:
    run = await started(shelf, await sent(shelf, rows_of(10)))
    async with shelf.session() as session:
        await session.connection.execute(
            "UPDATE mandant.file SET state = 'leaving' WHERE file_id = $1", run.file_id
        )
    await importing.run_import(shelf, run.import_id)
    after = await found(shelf, run)
    assert (after.state, after.facts.stopped) == ("failed", "the file was deleted")


async def test_the_last_attempt_that_fails_leaves_an_import_that_has_failed_and_can_go_on(
    stack: Stack, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await started(shelf, await sent(shelf, rows_of(10)))

    class Services:
        data, keyring, objects = stack.data, stack.keyring, shelf.objects
        modules = shelf.modules

    async def broken(*_: Any) -> bool:
        raise RuntimeError("broken")

    monkeypatch.setattr(importing, "keep", broken)
    for attempt, expected in ((1, "running"), (ATTEMPTS, "failed")):
        context = JobContext(Services(), stack.clock, "import_rows", 1, attempt, shelf.tenant_id)
        with pytest.raises(RuntimeError):
            await import_rows(context, job_id=run.import_id)
        assert (await found(shelf, run)).state == expected
    monkeypatch.undo()
    await started(shelf, run)
    await importing.run_import(shelf, run.import_id)
    after = await found(shelf, run)
    assert (after.state, after.created, after.facts.stopped) == ("done", 10, None)


async def test_a_file_that_cannot_be_read_on_keeps_what_was_read(shelf: Shelf) -> None:
    """A workbook whose sheet ends in the middle."""
    import io
    import zipfile

    rows = "".join(f'<row><c t="inlineStr"><is><t>Name {i}</t></is></c></row>' for i in range(700))
    sheet = f'<worksheet><sheetData><row><c t="inlineStr"><is><t>Name</t></is></c></row>{rows}'
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(
            "xl/workbook.xml",
            '<workbook xmlns:r="r"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.xml"/></Relationships>',
        )
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
    run = await started(shelf, await sent(shelf, out.getvalue(), name="x.xlsx"))
    await importing.run_import(shelf, run.import_id)
    after = await found(shelf, run)
    assert (after.state, after.created) == ("failed", 700)
    assert "damaged" in (after.facts.stopped or "")


async def test_two_imports_of_one_file_at_once_make_each_record_once(shelf: Shelf) -> None:
    body = rows_of(3_000)
    runs = [await started(shelf, await sent(shelf, body)) for _ in range(2)]
    await asyncio.gather(*(importing.run_import(shelf, run.import_id) for run in runs))
    after = [await found(shelf, run) for run in runs]
    stored = await names(shelf)
    assert len(stored) == len(set(stored)) == sum(run.created for run in after)
    assert all(run.state is ImportState.DONE for run in after)


@pytest.mark.parametrize("to", list(ImportState))
@pytest.mark.parametrize("now", list(ImportState))
async def test_a_state_follows_only_where_the_table_says_so(
    shelf: Shelf, now: ImportState, to: ImportState
) -> None:
    run = await sent(shelf, rows_of(1))
    async with shelf.session() as session:
        await session.connection.execute(
            "UPDATE mandant.import_run SET state = $2 WHERE import_id = $1", run.import_id, now.value
        )
    run = await found(shelf, run)
    async with shelf.session() as session:
        locked = await state.find(session, run.import_id, lock=True)
        if to in TRANSITIONS[now]:
            changed = await state.change_state(session, locked, to, shelf.clock.now())
            assert changed.state is to
        else:
            with pytest.raises(ImportConflict):
                await state.change_state(session, locked, to, shelf.clock.now())


async def test_nothing_of_a_file_stands_readable_in_rows_or_objects(stack: Stack, shelf: Shelf) -> None:
    run = await started(
        shelf, await sent(shelf, b"Name,Number\nCanary Bird,1\nCanary Two,1\n", name="secret.csv")
    )
    await importing.run_import(shelf, run.import_id)
    connection = await stack.connect("postgres")
    dumped = ""
    for table in ("import_run", "import_row", "import_refused", "import_key", "file", "record"):
        rows = await connection.fetch(f"SELECT t::text FROM mandant.{table} t")
        dumped += "".join(row[0] for row in rows)
    await connection.close()
    for word in ("Canary", "secret.csv", "Number"):
        assert word not in dumped
        assert word.encode().hex() not in dumped
    for path in (stack.folder / "objects").rglob("*"):
        assert path.is_dir() or b"Canary" not in path.read_bytes()


async def test_imports_into_one_module_take_turns(
    stack: Stack, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While one looks for what is known, no other is past the same door."""
    look = known.known
    free: list[bool] = []

    async def watched(*arguments: Any) -> set[bytes]:
        connection = await stack.connect()
        turn = batch._turn(shelf.tenant_id, clients)
        free.append(await connection.fetchval("SELECT pg_try_advisory_lock($1)", turn))
        await connection.close()
        return await look(*arguments)

    monkeypatch.setattr(known, "known", watched)
    await done(shelf, rows_of(10))
    assert free == [False]
