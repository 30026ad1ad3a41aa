"""What an import would do, without doing it."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from mandant.tenants.modules.declaration import Module
from mandant.tenants.modules.importing.mapping import Mapping, propose
from mandant.tenants.modules.importing.records import Importer
from mandant.tenants.modules.importing.rows import Fault, FileRefused, Reader, SourceRow
from mandant.tenants.modules.record import Record

SAMPLES = 200
MAX_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class DryRun:
    """`first`: rows as the file has them, with the record each would become (None: it has faults).

    `faults`: at most 1,000, in the file's order; `fault_count` counts all. `rows` = `good` + `bad`.
    `stopped`: why the file could not be read to its end, if so.
    """

    mapping: Mapping
    first: tuple[tuple[SourceRow, Record | None], ...]
    rows: int
    good: int
    bad: int
    faults: tuple[Fault, ...] = field(repr=False)
    fault_count: int
    stopped: str | None = None


def proposed(module: Module[Any], reader: Reader) -> Mapping:
    """The mapping proposed from the file's headings and its first 200 rows."""
    return propose(module, reader.header, list(islice(reader.rows(), SAMPLES)))


def preview(module: Module[Any], reader: Reader, mapping: Mapping | None = None, rows: int = 20) -> DryRun:
    """Reads the whole file once more and keeps only counts, the first rows and the first 1,000 faults.

    Blocking. Raises: Invalid for a mapping to fields that do not exist.
    """
    mapping = mapping or proposed(module, reader)
    importer = Importer(module, mapping)
    first: list[tuple[SourceRow, Record | None]] = []
    faults: list[Fault] = []
    good = bad = fault_count = 0
    stopped: str | None = None
    try:
        for row in reader.rows():
            made = importer.to_record(row)
            record = None if isinstance(made, list) else made
            if isinstance(made, list):
                bad += 1
                fault_count += len(made)
                faults += made[: max(0, MAX_FAULTS - len(faults))]
            else:
                good += 1
            if len(first) < rows:
                first.append((row, record))
    except FileRefused as refused:
        stopped = str(refused)
    return DryRun(mapping, tuple(first), good + bad, good, bad, tuple(faults), fault_count, stopped)
