"""What the directory need not know any more goes by a timer: sign-ins that are over, tries that count no more."""

from datetime import timedelta
from types import SimpleNamespace

from mandant.service.edge.rate_limit import Limit, PostgresRateLimiter
from mandant.service.jobs.context import JobContext
from mandant.service.jobs.registry import REGISTRY
from mandant.service.jobs.timetable import EVERY_HOUR
from mandant.tenants.database import DataDatabase
from mandant.tenants.people import People
from tests.stack import Stack
from tests.tenants.people.support import a_newcomer


async def test_sessions_and_tries_go_once_they_are_over_and_not_before(stack: Stack, people: People) -> None:
    limiter = PostgresRateLimiter(stack.data, stack.keyring, stack.clock)
    worker = await DataDatabase.open(stack.data_url("mandant_worker"), size=1)
    admin = await stack.connect("postgres")

    async def kept() -> tuple[int, int]:
        timer = REGISTRY.get("forget_expired_entries")
        assert timer.cron == EVERY_HOUR
        await timer.function(JobContext(SimpleNamespace(data=worker), stack.clock, timer.name, 1, 1, None))
        sessions = await admin.fetchval("SELECT count(*) FROM directory.entry WHERE kind = 'session'")
        return sessions, await admin.fetchval("SELECT count(*) FROM directory.rate_limit")

    try:
        await a_newcomer(people)
        await limiter.take(Limit("sign-in", 5, 300).per("email", "anna@example.ch"))
        assert await kept() == (1, 1)
        stack.clock.advance(people.session_length)
        assert await kept() == (0, 1)
        stack.clock.advance(timedelta(days=1) - people.session_length + timedelta(seconds=1))
        assert await kept() == (0, 0)
        assert await admin.fetchval("SELECT count(*) FROM directory.entry WHERE kind = 'email'") == 1
    finally:
        await admin.close()
        await worker.close()
