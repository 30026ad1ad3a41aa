"""What the API says of imports, and what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec

from mandant.tenants.modules.importing.dryrun import DryRun
from mandant.tenants.modules.importing.mapping import Mapping
from mandant.tenants.modules.importing.rows import Fault
from mandant.tenants.modules.importing.state import ImportRun, ImportState
from mandant.tenants.modules.importing.values import DateOrder

SHOWN = 200  # characters of a value in a preview


class Progress(msgspec.Struct, frozen=True):
    """How far an import is: bytes of the file, and rows. `rows` = created + already_there + refused."""

    bytes_read: int
    size: int
    rows: int
    created: int
    already_there: int
    refused: int


class ImportBody(msgspec.Struct, frozen=True):
    """An import. `stopped`: why it failed; start it again, and it goes on from there."""

    id: UUID
    module: str
    state: ImportState
    name: str
    format: str
    progress: Progress
    mapping: Mapping
    stopped: str | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class ImportPage(msgspec.Struct, frozen=True):
    """`next` is `after` of the following page, null on the last one."""

    items: list[ImportBody]
    next: UUID | None


class ImportProblem(msgspec.Struct, frozen=True):
    """What is wrong with one row: its line in the file, the column ('' the whole row)."""

    line: int
    column: str
    message: str


class PreviewRow(msgspec.Struct, frozen=True):
    """A row as the file has it, and the record it would become; texts cut at 200 characters."""

    line: int
    values: dict[str, str]
    record: dict[str, Any] | None


class Preview(msgspec.Struct, frozen=True):
    """What an import would do. `problems` lists the first 1,000 of `problem_count`."""

    format: str
    mapping: Mapping
    unmapped: list[str]
    first: list[PreviewRow]
    rows: int
    good: int
    bad: int
    problems: list[ImportProblem]
    problem_count: int
    stopped: str | None


class WantedColumn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of the file and the field it goes to; null: it is not imported."""

    column: Annotated[str, msgspec.Meta(max_length=210)]
    target: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class WantedMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Columns that are left out are not imported. `date_order`: of dates with slashes."""

    columns: Annotated[list[WantedColumn], msgspec.Meta(max_length=500)]
    date_order: DateOrder | None = None


def shown(one: ImportRun) -> ImportBody:
    """An import as the API shows it."""
    return ImportBody(
        one.import_id,
        one.module,
        one.state,
        one.facts.name,
        one.facts.format,
        Progress(one.bytes_read, one.size, one.position, one.created, one.present, one.refused),
        one.facts.mapping,
        one.facts.stopped,
        one.created_at,
        one.started_at,
        one.ended_at,
    )


def previewed(one: ImportRun, dry: DryRun) -> Preview:
    """What an import would do, as the API shows it."""
    first = [
        PreviewRow(
            row.line,
            _cut(row.values),
            None if record is None else _cut(msgspec.to_builtins(record)),
        )
        for row, record in dry.first
    ]
    return Preview(
        one.facts.format,
        dry.mapping,
        list(dry.mapping.unmapped),
        first,
        dry.rows,
        dry.good,
        dry.bad,
        _problems(dry.faults),
        dry.fault_count,
        dry.stopped,
    )


def _problems(faults: Sequence[Fault]) -> list[ImportProblem]:
    return [ImportProblem(fault.line, _cut(fault.column), _cut(fault.message)) for fault in faults]


def _cut(value: Any) -> Any:
    """Texts short enough to look at, and encodable: what was no text in the file is shown as `?`."""
    if isinstance(value, str):
        return value[:SHOWN].encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {_cut(key): _cut(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item) for item in value]
    return value
