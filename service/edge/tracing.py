"""OpenTelemetry by setting: one span a request, named by method and template, without a value in it.

Needs the `otel` extra. The packages' own ASGI instrumentation records addresses and queries: not used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer


class Traced:
    """An ASGI application inside spans. A caller's trace is continued (W3C traceparent)."""

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app, self._tracer = app, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        from opentelemetry.propagate import extract
        from opentelemetry.trace import SpanKind

        status = 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        carrier = {
            k.decode("latin-1"): v.decode("latin-1") for k, v in scope["headers"] if k == b"traceparent"
        }
        # An exception's message would be recorded as an event of the span.
        with self._tracer.start_as_current_span(
            scope["method"],
            context=extract(carrier),
            kind=SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                await self._app(scope, receive, sending)
            finally:
                route = cast("dict[str, Any]", scope).get("path_template") or "(none)"
                span.update_name(f"{scope['method']} {route}")
                span.set_attribute("http.request.method", scope["method"])
                span.set_attribute("http.route", route)
                span.set_attribute("http.response.status_code", status)


def traced(app: ASGIApp, endpoint: str | None) -> ASGIApp:
    """`app` with spans that go to an OTLP collector; `app` itself without an endpoint.

    Raises: ImportError when the `otel` extra is not installed.
    """
    if endpoint is None:
        return app
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "mandant"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces")))
    return cast("ASGIApp", Traced(app, provider.get_tracer("mandant")))
