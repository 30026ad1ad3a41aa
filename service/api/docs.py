"""The API's documentation page: Swagger UI from our own files, under a policy that lets in nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Response, Router, get
from litestar.connection import Request
from litestar.datastructures import CacheControlHeader, ResponseHeader
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.plugins import JsonRenderPlugin, OpenAPIRenderPlugin
from litestar.params import FromPath
from litestar.routes import BaseRoute
from litestar.types import ControllerRouterHandler

from mandant.service.api.document import finished
from mandant.tenants.modules import Module

STATIC = Path(__file__).parents[1] / "static"
ASSETS = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "docs.js": "text/javascript",
    "docs.css": "text/css",
}
# Swagger UI sets style attributes and draws its icons from data: addresses; scripts are ours alone.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Document(JsonRenderPlugin):
    """The OpenAPI document, made at the first request."""

    def __init__(self, modules: Sequence[Module[Any]], **config: Any) -> None:
        super().__init__(**config)
        self._modules = modules
        self._made: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        if self._made is None:
            self._made = self.render_json(request, finished(openapi_schema, request.app, self._modules))
        return self._made


class Page(OpenAPIRenderPlugin):
    """The page itself; all it does is in docs.js."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """HTML without anything inline."""
        return _PAGE


_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mandant API</title>
<link rel="stylesheet" href="/api/v1/docs/assets/swagger-ui.css">
<link rel="stylesheet" href="/api/v1/docs/assets/docs.css">
<link rel="icon" href="data:,"></head>
<body><div id="page"></div>
<script src="/api/v1/docs/assets/swagger-ui-bundle.js"></script>
<script src="/api/v1/docs/assets/docs.js"></script></body></html>
"""


@get("/assets/{name:str}", sync_to_thread=False, cache_control=CacheControlHeader(max_age=86400, public=True))
def asset(name: FromPath[str]) -> Response[bytes]:
    """One of the page's files."""
    if name not in ASSETS:
        raise NotFoundException
    return Response(_read(name), media_type=ASSETS[name])


@cache
def _read(name: str) -> bytes:
    return (STATIC / name).read_bytes()


class DocsRouter(Router):
    """Takes Litestar's page and document, not its HTML for unknown addresses: ours get problem+json."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """As Router.register, without the one handler."""
        if isinstance(value, HTTPRouteHandler) and value.handler_name == "handle_schema_path_not_found":
            return []
        return super().register(value)


def docs_router() -> Router:
    """Where Litestar hangs the page and the document."""
    return DocsRouter(
        "/api/v1/docs",
        route_handlers=[asset],
        include_in_schema=False,
        response_headers=[ResponseHeader(name="Content-Security-Policy", value=POLICY)],
    )


def document_handler(render: Document) -> Any:
    """GET /api/v1/openapi.json."""

    @get("/api/v1/openapi.json", include_in_schema=False, sync_to_thread=False, media_type="application/json")
    def openapi_json(request: Request[Any, Any, Any]) -> bytes:
        """The document, where tools look for it."""
        return render.render(request, request.app.openapi_schema.to_schema())

    return openapi_json
