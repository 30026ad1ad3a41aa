"""An import: where it stands, and the one way to change that.

Counters change with the batch that they count (batch.py); everything else changes here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from mandant.tenants.errors import NotFound, TenantsError
from mandant.tenants.modules.importing.mapping import Mapping
from mandant.tenants.session import TenantSession
from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of

PLACE = Place("imports", "facts")

_COLUMNS = (
    "import_id, module, file_id, state, version, sealed, size, bytes_read, position, created, present,"
    " refused, created_at, started_at, ended_at"
)


class ImportState(StrEnum):
    """Each commented with the transition that leads to it."""

    UPLOADED = "uploaded"  # upload
    RUNNING = "running"  # start; again after failed and cancelled, from where it stopped
    DONE = "done"  # the job, at the file's end
    FAILED = "failed"  # the job: the file cannot be read on, or the last attempt failed
    CANCELLED = "cancelled"  # cancel; batches that are done stay


TRANSITIONS: dict[ImportState, frozenset[ImportState]] = {
    ImportState.UPLOADED: frozenset({ImportState.RUNNING, ImportState.CANCELLED}),
    # To itself: whoever finds that nothing moves may push it again, and nothing is done twice.
    ImportState.RUNNING: frozenset(
        {ImportState.RUNNING, ImportState.DONE, ImportState.FAILED, ImportState.CANCELLED}
    ),
    ImportState.DONE: frozenset(),
    ImportState.FAILED: frozenset({ImportState.RUNNING}),
    ImportState.CANCELLED: frozenset({ImportState.RUNNING, ImportState.CANCELLED}),
}


class ImportConflict(TenantsError):
    """The import's state does not allow this."""


class Facts(msgspec.Struct, frozen=True):
    """The plaintext of `import_run.sealed`, as MessagePack. `stopped`: why it failed, for the person."""

    name: str
    format: str
    mapping: Mapping
    stopped: str | None = None


@dataclass(frozen=True, slots=True)
class ImportRun:
    """A row of import_run, opened. Times aware, in UTC; `size` and `bytes_read` in bytes, the rest rows."""

    import_id: UUID
    module: str
    file_id: UUID
    state: ImportState
    version: int
    facts: Facts
    size: int
    bytes_read: int
    position: int
    created: int
    present: int
    refused: int
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None

    def __repr__(self) -> str:
        return f"<import {self.import_id} {self.state}>"


async def insert(
    session: TenantSession, module: str, import_id: UUID, file_id: UUID, size: int, facts: Facts, at: datetime
) -> ImportRun:
    """A new import, uploaded."""
    run = ImportRun(
        import_id, module, file_id, ImportState.UPLOADED, 1, facts, size, 0, 0, 0, 0, 0, at, None, None
    )
    await session.connection.execute(
        "INSERT INTO mandant.import_run (tenant_id, import_id, module, file_id, state, version, sealed, size,"
        " bytes_read, position, created, present, refused, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, 'uploaded', 1, $5, $6, 0, 0, 0, 0, 0, $7, $7)",
        session.tenant_id,
        import_id,
        module,
        file_id,
        _sealed(session, import_id, 1, facts),
        size,
        at,
    )
    return run


async def find(
    session: TenantSession, import_id: UUID, module: str | None = None, *, lock: bool = False
) -> ImportRun:
    """One import. With `lock` nobody else changes it before this transaction ends. Raises: NotFound."""
    row = await session.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM mandant.import_run WHERE tenant_id = $1 AND import_id = $2"
        f" AND ($3::text IS NULL OR module = $3){' FOR UPDATE' if lock else ''}",
        session.tenant_id,
        import_id,
        module,
    )
    if row is None:
        raise NotFound("import")
    return _run(session, row)


async def newest(session: TenantSession, module: str, before: UUID | None, limit: int) -> list[ImportRun]:
    """The imports of a module that are older than `before`, newest first."""
    rows = await session.connection.fetch(
        f"SELECT {_COLUMNS} FROM mandant.import_run WHERE tenant_id = $1 AND module = $2"
        " AND import_id < coalesce($3, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)"
        " ORDER BY import_id DESC LIMIT $4",
        session.tenant_id,
        module,
        before,
        limit,
    )
    return [_run(session, row) for row in rows]


async def remap(session: TenantSession, run: ImportRun, mapping: Mapping, at: datetime) -> ImportRun:
    """Another mapping, as long as the import was not started. Raises: ImportConflict.

    `run` was found with `lock`.
    """
    if run.state is not ImportState.UPLOADED:
        raise ImportConflict("the mapping can be changed only before the import is started; upload again")
    return await _change(session, run, run.state, msgspec.structs.replace(run.facts, mapping=mapping), at)


async def change_state(
    session: TenantSession, run: ImportRun, to: ImportState, at: datetime, stopped: str | None = None
) -> ImportRun:
    """`run` was found with `lock`. Raises: ImportConflict."""
    if to not in TRANSITIONS[run.state]:
        raise ImportConflict(f"an import that is {run.state} cannot become {to}")
    return await _change(session, run, to, msgspec.structs.replace(run.facts, stopped=stopped), at)


async def delete(session: TenantSession, run: ImportRun) -> None:
    """The import and its report, not the records. `run` was found with `lock`. Raises: ImportConflict."""
    if run.state is ImportState.RUNNING:
        raise ImportConflict("the import is running; cancel it first")
    await session.connection.execute(
        "DELETE FROM mandant.import_run WHERE tenant_id = $1 AND import_id = $2",
        session.tenant_id,
        run.import_id,
    )


async def _change(
    session: TenantSession, run: ImportRun, state: ImportState, facts: Facts, at: datetime
) -> ImportRun:
    started = at if state is ImportState.RUNNING and run.started_at is None else run.started_at
    over = state not in (ImportState.UPLOADED, ImportState.RUNNING)
    row = await session.connection.fetchrow(
        "UPDATE mandant.import_run SET state = $3, version = version + 1, sealed = $4, updated_at = $5,"
        " started_at = $6, ended_at = $7, bytes_read = CASE WHEN $3 = 'done' THEN size ELSE bytes_read END"
        f" WHERE tenant_id = $1 AND import_id = $2 RETURNING {_COLUMNS}",
        session.tenant_id,
        run.import_id,
        state.value,
        _sealed(session, run.import_id, run.version + 1, facts),
        at,
        started,
        at if over else None,
    )
    return _run(session, row)


def _sealed(session: TenantSession, import_id: UUID, version: int, facts: Facts) -> bytes:
    key = session.keys().seal_key(Category.MODULE)
    return key.sealer(PLACE).seal(import_id, version, msgspec.msgpack.encode(facts))


def _run(session: TenantSession, row: Any) -> ImportRun:
    key = session.keys().open_key(Category.MODULE, generation_of(row["sealed"]))
    plain = key.sealer(PLACE).open(row["import_id"], row["version"], row["sealed"])
    facts = msgspec.msgpack.decode(plain, type=Facts)
    values = dict(row)
    del values["sealed"]
    return ImportRun(**{**values, "state": ImportState(row["state"]), "facts": facts})
