"""This machine's clock against both databases' clocks: deadlines are counted here, heartbeats there."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Patient
from mandant.service.migrations import TREES

PART = "clock"
MOST = 2.0  # seconds


async def check_clocks(patient: Patient) -> AsyncIterator[Line]:
    """The difference, give or take half the way there and back."""
    for tree in TREES:
        connection = patient.connection(tree)
        before = patient.clock.now()
        theirs = await connection.fetchval("SELECT clock_timestamp()")
        after = patient.clock.now()
        way = (after - before) / 2
        difference = (theirs - (before + way)).total_seconds()
        said = f"{difference:+.3f} s against this machine's (give or take {way.total_seconds():.3f})"
        if abs(difference) - way.total_seconds() <= MOST:
            yield ok(PART, f"{tree} database", said)
        else:
            todo = "let both machines follow a time server (chrony, systemd-timesyncd)"
            yield wrong(PART, f"{tree} database", said, todo)
