"""Prometheus' page. It is for the machine itself: everybody else is told that there is nothing here."""

from __future__ import annotations

import ipaddress

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from mandant.service.edge.body import MandantRequest
from mandant.service.edge.metrics import PAGE_TYPE, Metrics
from mandant.tenants.errors import NotFound

_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")


def handler(counted: Metrics) -> HTTPRouteHandler:
    """GET /metrics of these counters."""

    @get("/metrics", include_in_schema=False, sync_to_thread=False)
    def metrics(request: MandantRequest) -> Response[bytes]:
        """The counters in OpenMetrics text, to the loopback interface without a proxy in between."""
        if not _from_this_machine(request):
            raise NotFound("page")
        return Response(counted.page(), media_type=PAGE_TYPE)

    return metrics


def _from_this_machine(request: MandantRequest) -> bool:
    if any(name in request.headers for name in _FORWARDED) or request.client is None:
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
