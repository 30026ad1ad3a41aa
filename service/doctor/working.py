"""Background jobs: whether a worker's heart beats, and what gave up."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, warning
from mandant.service.doctor.patient import Patient

PART = "jobs"
STALLED = 30.0  # seconds without a heartbeat


async def check_jobs(patient: Patient) -> AsyncIterator[Line]:
    """As mandant_worker, who alone sees the queue."""
    connection = patient.connection("data", "mandant_worker")
    # Heartbeats are written by the database's clock, so they are compared with it.
    age = await connection.fetchval(
        "SELECT extract(epoch FROM clock_timestamp() - max(w.last_heartbeat))::float"
        " FROM queue.procrastinate_workers w"
    )
    todo = "start one: mandant up, or mandant worker beside the web processes"
    if age is None:
        yield warning(PART, "worker", "none runs: imports, sweeps and replays wait", todo)
    elif age > STALLED:
        yield warning(PART, "worker", f"the last heartbeat was {age:.0f} s ago", todo)
    else:
        yield ok(PART, "worker", f"last heartbeat {age:.0f} s ago")
    exhausted = await connection.fetchval("SELECT count(*) FROM queue_api.exhausted")
    if exhausted:
        todo = "mandant jobs exhausted lists them, mandant jobs retry gives one another chance"
        yield warning(PART, "exhausted", f"{exhausted} gave up", todo)
    else:
        yield ok(PART, "exhausted", "none")
