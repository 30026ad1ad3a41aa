"""The HTTP API under /api/v1. To add a feature's handlers, add its line to `handlers`.

GET /api/v1/openapi.json   the whole API, machine-readable
GET /api/v1/docs           the same as a page
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar.types import ControllerRouterHandler

from mandant.service.api import health, metrics, problem_pages
from mandant.service.api.exports import export_router
from mandant.service.api.files import files_router
from mandant.service.api.imports import imports_router
from mandant.service.api.people import people_router
from mandant.service.api.records import records_router
from mandant.service.edge.metrics import Metrics
from mandant.tenants.modules import Module

PREFIX = "/api/v1"


def handlers(modules: Sequence[Module[Any]], counted: Metrics) -> list[ControllerRouterHandler]:
    """Every route handler of the service, with its full path."""
    return [
        *health.HANDLERS,
        *problem_pages.HANDLERS,
        people_router,
        files_router,
        *(records_router(module) for module in modules),
        *(imports_router(module) for module in modules),
        *(export_router(module) for module in modules),
        metrics.handler(counted),
    ]
