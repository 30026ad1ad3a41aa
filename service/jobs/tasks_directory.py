"""What the directory need not know any more goes: sessions, tokens, invitations and tries that are over."""

from datetime import timedelta
from typing import cast

from mandant.service.jobs.context import JobContext
from mandant.service.runtime import Runtime
from mandant.tenants.people.directory import sweep

__all__ = ["forget_expired"]

_AT_ONCE = 1000
# No window of tries is longer (Settings.sign_in_window): a bucket untouched for so long is full again.
_LONGEST_WINDOW = timedelta(days=1)


async def forget_expired(context: JobContext) -> None:
    """A timer's. Source: C16.1: what tries were counted by is not kept longer than it counts."""
    services = cast("Runtime", context.services)
    at = context.clock.now()
    while await sweep(services.data.pool, at, _AT_ONCE) == _AT_ONCE:
        pass
    await services.data.pool.fetchval("SELECT directory.forget_rate_limits($1)", at - _LONGEST_WINDOW)
