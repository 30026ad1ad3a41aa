"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import msgspec
from litestar import Response, get
from litestar.openapi import ResponseSpec

from mandant.service.edge.body import MandantRequest
from mandant.service.edge.health import check
from mandant.service.runtime import runtime_or_none


class Live(msgspec.Struct, frozen=True):
    """The process answers."""

    status: str = "live"


class Ready(msgspec.Struct, frozen=True):
    """`status` is ready or not-ready; `parts` has ok or what is wrong for data, control, kms, migrations."""

    status: str
    parts: dict[str, str]


@get(
    "/health/live",
    operation_id="health_live",
    opt={"public": True},
    tags=["Health"],
    summary="Whether the process answers",
    sync_to_thread=False,
)
def live() -> Live:
    """For the supervisor: restart the process when this stops answering."""
    return Live()


@get(
    "/health/ready",
    operation_id="health_ready",
    opt={"public": True},
    tags=["Health"],
    summary="Whether requests can be served",
    responses={503: ResponseSpec(Ready, description="A part is not ready")},
)
async def ready(request: MandantRequest) -> Response[Ready]:
    """For the load balancer: 200 sends requests here, 503 keeps them away. Says which part is not ready."""
    parts = await check(runtime_or_none(request))
    fit = all(said == "ok" for said in parts.values())
    return Response(
        Ready("ready" if fit else "not-ready", parts),
        status_code=200 if fit else 503,
        headers={} if fit else {"Retry-After": "5"},
    )


HANDLERS = (live, ready)

__all__ = ["HANDLERS", "Live", "Ready"]
