"""A POST that is sent twice is done once: a member's idempotency key, kept as long as the settings say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from litestar import Request

from mandant.service.edge.idempotency import Attempt, begin
from mandant.service.runtime import runtime_of
from mandant.tenants.people.who import CurrentMember
from mandant.tenants.session import TenantSession

__all__ = ["once"]


async def once(
    session: TenantSession,
    request: Request[Any, Any, Any],
    member: CurrentMember,
    *,
    digest: bytes | None = None,
) -> Attempt:
    """As `begin`: the body is read before, or its `digest` given. Keys of different persons are different."""
    runtime = runtime_of(request)
    return await begin(
        session,
        request,
        runtime.clock,
        caller=str(member.person_id),
        digest=digest,
        kept_for=timedelta(hours=runtime.settings.idempotency_hours),
    )
