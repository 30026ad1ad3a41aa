"""Imports from upload to end: what the API and the job call.

    run = await upload(shelf, customers, "kontakte.csv", "text/csv", chunks, limit=limit)
    dry = await dry_run(shelf, customers, run)
    async with shelf.session(write=True) as session: ...state.change_state(..., RUNNING), enqueue IMPORT_ROWS
    await run_import(shelf, import_id)                     # the job; again after a crash

Source: C4.4, C5.4.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import msgspec
from uuid_utils.compat import uuid7

from mandant.tenants.errors import Invalid, NotFound, Problem
from mandant.tenants.jobs import Jobs
from mandant.tenants.modules import file_rows, files
from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.importing import state
from mandant.tenants.modules.importing.batch import batches, keep
from mandant.tenants.modules.importing.dryrun import DryRun, preview, proposed
from mandant.tenants.modules.importing.mapping import Column, Mapping
from mandant.tenants.modules.importing.records import Importer
from mandant.tenants.modules.importing.rows import FileRefused
from mandant.tenants.modules.importing.source import Source, in_thread, opened_source, understood
from mandant.tenants.modules.importing.spool import Spool
from mandant.tenants.modules.importing.state import Facts, ImportRun, ImportState
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import TenantSession

IMPORT_ROWS = "import_rows"
"""The job that does what `start` asked for."""


async def upload(
    shelf: Shelf,
    module: Module[Any],
    name: str,
    media_type: str,
    chunks: AsyncIterator[bytes],
    *,
    limit: int,
    and_then: Callable[[TenantSession, ImportRun], Awaitable[None]] | None = None,
) -> ImportRun:
    """Keep a file and how it would be imported. What cannot be read is refused here, and nothing stays.

    `and_then` runs in the transaction that makes the import visible. Raises: Invalid with what is wrong with
    the file as a whole; as files.upload.
    """
    spool = Spool()
    found: list[Facts] = []
    runs: list[ImportRun] = []

    async def passing() -> AsyncGenerator[bytes, None]:
        async for chunk in chunks:
            spool.add(chunk)
            yield chunk
        # Before the object is whole: what is refused here leaves none.
        found.append(await in_thread(lambda: _facts(module, spool, name)))

    async def announce(session: TenantSession, file: files.StoredFile) -> None:
        facts = msgspec.structs.replace(found[0], name=file.name)
        runs.append(
            await state.insert(
                session, module.name, uuid7(), file.file_id, file.size, facts, shelf.clock.now()
            )
        )
        if and_then is not None:
            await and_then(session, runs[0])

    try:
        await files.upload(shelf, module, name, media_type, passing(), limit=limit, and_then=announce)
    except FileRefused as refused:
        raise Invalid([Problem("file", str(refused))]) from None
    finally:
        spool.close()
    return runs[0]


def _facts(module: Module[Any], spool: Spool, name: str) -> Facts:
    source = understood(spool, name)
    return Facts(name, source.format.value, proposed(module, source.reader))


async def dry_run(shelf: Shelf, module: Module[Any], run: ImportRun) -> DryRun:
    """What the import would do with its present mapping, without doing it. Reads the whole file.

    Raises: Invalid where the file cannot be read; as files.download.
    """
    try:
        async with opened_source(shelf, run.file_id) as source:
            return await in_thread(lambda: preview(module, source.reader, run.facts.mapping))
    except FileRefused as refused:
        raise Invalid([Problem("file", str(refused))]) from None


def remapped(module: Module[Any], run: ImportRun, asked: Mapping) -> Mapping:
    """The mapping that a person asks for, with every column of the file in its order.

    Raises: Invalid for columns that the file does not have or has once, and for unknown targets.
    """
    targets: dict[str, Column] = {}
    problems = []
    known = {column.column for column in run.facts.mapping.columns}
    for column in asked.columns:
        if column.column not in known:
            problems.append(Problem("columns", "names a column that the file does not have"))
        elif column.column in targets:
            problems.append(Problem("columns", "names a column twice"))
        targets[column.column] = column
    if problems:
        raise Invalid(problems)
    columns = tuple(targets.get(own.column, Column(own.column)) for own in run.facts.mapping.columns)
    mapping = Mapping(columns, asked.date_order)
    mapping.check(module)
    return mapping


async def start(session: TenantSession, jobs: Jobs, run: ImportRun, shelf: Shelf) -> ImportRun:
    """Start, or go on where it stopped. `run` was found with `lock`. Raises: ImportConflict."""
    started = await state.change_state(session, run, ImportState.RUNNING, shelf.clock.now())
    await jobs.enqueue(session, IMPORT_ROWS, job_id=run.import_id)
    return started


async def delete(shelf: Shelf, jobs: Jobs, import_id: UUID, module: str) -> None:
    """Its file and its report go, its records stay. Raises: NotFound; ImportConflict while it runs."""
    async with shelf.session(write=True) as session:
        run = await state.find(session, import_id, module, lock=True)
        await state.delete(session, run)
        if await file_rows.mark_file_leaving(session, run.file_id, shelf.clock.now()):
            await jobs.enqueue(session, files.REMOVE_FILES, job_id=run.file_id)


async def run_import(shelf: Shelf, import_id: UUID) -> None:
    """The job: from where the import stands to the file's end. May be run again after a crash anywhere.

    Raises: what the door and the object store raise; then the import still runs, and the job is to be tried
    again.
    """
    async with shelf.session() as session:
        run = await state.find(session, import_id)
    if run.state is not ImportState.RUNNING:
        return
    module = shelf.module(run.module)
    stopped: str | None = None
    try:
        async with opened_source(shelf, run.file_id) as source:
            ended, stopped = await _through(shelf, module, run, source)
        if not ended:
            return
    except FileRefused as refused:
        stopped = str(refused)
    except NotFound as missing:
        if missing.what != "file":
            raise
        stopped = "the file was deleted"
    await end(shelf, import_id, stopped)


async def end(shelf: Shelf, import_id: UUID, stopped: str | None) -> None:
    """Say that the import is done, or why it failed; one that runs no more stays as it is."""
    async with shelf.session() as session:
        run = await state.find(session, import_id, lock=True)
        if run.state is ImportState.RUNNING:
            to = ImportState.DONE if stopped is None else ImportState.FAILED
            await state.change_state(session, run, to, shelf.clock.now(), stopped)


async def _through(
    shelf: Shelf, module: Module[Any], run: ImportRun, source: Source
) -> tuple[bool, str | None]:
    """(False: it runs no more; why the file ended early). One batch is read, then kept, then the next."""
    reading = batches(source, Importer(module, run.facts.mapping), run.position)
    while (batch := await in_thread(lambda: next(reading, None))) is not None:
        if not await keep(shelf, module, run.import_id, batch, shelf.clock.now()):
            return False, None
        if batch.stopped is not None:
            return True, batch.stopped
    return True, None
