"""Our Litestar application: handlers, problems, strict bodies, documentation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from litestar import Litestar, Response
from litestar.openapi import OpenAPIConfig
from litestar.plugins.problem_details import ProblemDetailsConfig, ProblemDetailsPlugin
from litestar.routes import HTTPRoute

from mandant.service.api import handlers
from mandant.service.api.docs import Document, Page, docs_router, document_handler
from mandant.service.api.document import BEARER, COMPONENTS, DESCRIPTION, TITLE, operation_id, tags
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.metrics import Metrics
from mandant.service.edge.query import check_parameters, learn_parameters
from mandant.service.problems import PROBLEMS
from mandant.service.settings import Settings
from mandant.tenants.modules import Module

API_VERSION = "1.0.0"  # of what is under /api/v1: grows with what it offers


def application(modules: Sequence[Module[Any]], settings: Settings, metrics: Metrics) -> Litestar:
    """The application below the edge. Handlers that take files set a `request_max_body_size` of their own."""
    document = Document(modules, path="/openapi.json")
    app = Litestar(
        route_handlers=[*handlers(modules, metrics), document_handler(document)],
        request_class=MandantRequest,
        before_request=check_parameters,
        request_max_body_size=settings.body_limit,
        plugins=[ProblemDetailsPlugin(ProblemDetailsConfig(exception_to_problem_detail_map=PROBLEMS))],
        openapi_config=OpenAPIConfig(
            title=TITLE,
            version=API_VERSION,
            description=DESCRIPTION,
            components=COMPONENTS,
            security=[{BEARER: []}],
            tags=tags(modules),
            operation_id_creator=operation_id,
            render_plugins=[Page(path="/"), document],
            openapi_router=docs_router(),
            use_handler_docstrings=True,
        ),
        logging_config=None,
        debug=False,
    )
    _answer_options(app)
    learn_parameters(app)
    return app


def _answer_options(app: Litestar) -> None:
    """Let Allow name every method of an address: Litestar's own names those of the handler it met first."""
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            allowed = ", ".join(sorted(route.methods))
            handler, _ = route.route_handler_map["OPTIONS"]
            handler._fn = partial(_allow, allowed)  # type: ignore[assignment]  # fn has no setter


def _allow(allowed: str, **_: Any) -> Response[None]:
    return Response(None, status_code=204, headers={"Allow": allowed}, media_type="text/plain")
