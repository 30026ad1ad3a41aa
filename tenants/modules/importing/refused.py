"""The report on refused rows: written part by part with the batches, sealed, read as one CSV."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from mandant.tenants.modules.importing.report import ProblemReport
from mandant.tenants.modules.importing.rows import Fault, SourceRow
from mandant.tenants.modules.importing.state import ImportRun
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.session import TenantSession
from mandant.vault.category import Category
from mandant.vault.envelope import Place, generation_of

PLACE = Place("imports", "refused")
MAX_REPORTED = 250_000
"""Rows that a report lists; a file of nothing but bad rows must not become a report of gigabytes."""


async def report_part(
    session: TenantSession, run: ImportRun, rows: Sequence[tuple[SourceRow, Sequence[Fault]]]
) -> None:
    """Add what a batch refused; what is beyond 250,000 rows is counted only."""
    listed = rows[: max(0, MAX_REPORTED - run.refused)]
    if not listed:
        return
    report = report_of(run)
    part_id = uuid7()
    key = session.keys().seal_key(Category.MODULE)
    lines = b"".join(report.row(row, faults) for row, faults in listed)
    await session.connection.execute(
        "INSERT INTO mandant.import_refused (tenant_id, part_id, import_id, position, sealed)"
        " VALUES ($1, $2, $3, $4, $5)",
        session.tenant_id,
        part_id,
        run.import_id,
        run.position,
        key.sealer(PLACE).seal(part_id, 1, lines),
    )


async def read_report(shelf: Shelf, run: ImportRun) -> AsyncGenerator[bytes, None]:
    """The report's CSV, one part in memory at a time; keys are asked for anew with each.

    Where an import goes on meanwhile, with what it has refused until the end is reached.
    """
    yield report_of(run).head()
    position = -1
    while part := await _next(shelf, run.import_id, position):
        position, lines = part
        yield lines
    if run.refused > MAX_REPORTED:
        over = Fault(0, "", f"and {run.refused - MAX_REPORTED} more rows, which are not listed")
        yield report_of(run).row(SourceRow(0, {}), [over])


def report_of(run: ImportRun) -> ProblemReport:
    """A report with the file's own columns."""
    return ProblemReport([column.column for column in run.facts.mapping.columns])


async def _next(shelf: Shelf, import_id: UUID, position: int) -> tuple[int, bytes] | None:
    async with shelf.session() as session:
        row: Any = await session.connection.fetchrow(
            "SELECT part_id, position, sealed FROM mandant.import_refused"
            " WHERE tenant_id = $1 AND import_id = $2 AND position > $3 ORDER BY position LIMIT 1",
            session.tenant_id,
            import_id,
            position,
        )
        if row is None:
            return None
        key = session.keys().open_key(Category.MODULE, generation_of(row["sealed"]))
        return row["position"], key.sealer(PLACE).open(row["part_id"], 1, row["sealed"])
