"""The rows that were not imported, as CSV that can be corrected and imported again."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from mandant.tenants.modules.importing.rows import Fault, SourceRow
from mandant.tenants.modules.spreadsheet import guarded

LINE, COLUMN, PROBLEM = "mandant line", "mandant column", "mandant problem"


class ProblemReport:
    """Writes one line a bad row: where, what is wrong, and the row as it was. UTF-8 with a mark for Excel."""

    def __init__(self, header: Sequence[str]) -> None:
        self._header = tuple(header)

    def head(self) -> bytes:
        return "\ufeff".encode() + _line([LINE, COLUMN, PROBLEM, *self._header])

    def row(self, row: SourceRow, faults: Sequence[Fault]) -> bytes:
        """Several faults of one row stand in one line, separated by `; `."""
        line = min((fault.line for fault in faults), default=row.line)
        columns = "; ".join(dict.fromkeys(fault.column for fault in faults if fault.column))
        problems = "; ".join(f"{fault.column} {fault.message}".strip() for fault in faults)
        original = [row.values.get(name, "") for name in self._header]
        return _line([str(line), columns, problems, *original])


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=";").writerow([guarded(cell) for cell in cells])
    # what was no text in the source is shown as a replacement character
    return out.getvalue().encode("utf-8", "replace")
