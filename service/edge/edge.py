"""The outermost layer: one pass around every request of ours, in pure ASGI.

It gives the request a number, refuses what no handler should see (header bombs, NUL in the address),
adds the security headers, counts, and writes the access line. Anything else is Litestar's.
"""

from __future__ import annotations

import os
from itertools import count
from time import perf_counter
from typing import TYPE_CHECKING, Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from mandant.service.edge.access import AccessLog
from mandant.service.edge.headers import SecurityHeaders
from mandant.service.edge.incidents import record_incident
from mandant.service.edge.intake import Intake
from mandant.service.problems import (
    BAD_REQUEST,
    HEADERS,
    INTERNAL,
    MEDIA_TYPE,
    UNAVAILABLE,
    Kind,
    problem_body,
)

if TYPE_CHECKING:
    from mandant.service.edge.metrics import Metrics
    from mandant.service.runtime import Runtime

HEADER_LIMIT = 32 * 1024  # bytes of all request headers together
BODILESS = frozenset({"GET", "HEAD", "OPTIONS"})
RUNTIME_KEY = "mandant.runtime"
REQUEST_ID_KEY = "mandant.request_id"


class Edge:
    """An ASGI application around ours. `runtime` is set while the services are open."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, https: bool, needs_runtime: bool = True) -> None:
        self.app = app
        self.runtime: Runtime | None = None
        self._needs_runtime = needs_runtime
        self._headers = SecurityHeaders(https=https)
        self._access = AccessLog(metrics)
        self._process = os.urandom(6).hex()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != ScopeType.HTTP:
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        request_id = f"{self._process}{next(self._numbers):08x}"
        status = 0
        intake = None if scope["method"] in BODILESS else Intake(receive)

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if intake is not None and status >= 400:
                    await intake.drain()
                message["headers"] = self._headers.added(message["headers"], request_id)
            await send(message)

        ours = cast("dict[str, Any]", scope)
        ours[RUNTIME_KEY] = self.runtime
        ours[REQUEST_ID_KEY] = request_id
        try:
            refused = self._refused(scope)
            if refused is not None:
                await _answer(sending, refused)
            else:
                await self.app(scope, intake or receive, sending)
        except Exception as error:
            incident = record_incident(error)
            if status:
                raise
            await _answer(sending, INTERNAL, incident)
        finally:
            route = ours.get("path_template")
            self._access.record(route, scope["method"], status, perf_counter() - started, request_id)

    def _refused(self, scope: HTTPScope) -> Kind | None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > HEADER_LIMIT:
            return HEADERS
        if b"%00" in scope["query_string"] or "\0" in scope["path"]:
            return BAD_REQUEST
        if self.runtime is None and self._needs_runtime and not scope["path"].startswith("/health/"):
            return UNAVAILABLE
        return None


async def _answer(send: Send, kind: Kind, incident: str | None = None) -> None:
    body = problem_body(kind, incident=incident)
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if kind.retry_after is not None:
        headers.append((b"retry-after", str(kind.retry_after).encode()))
    await send({"type": "http.response.start", "status": kind.status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": False})
