"""A span says which route answered what, and nothing of what was asked."""

from pathlib import Path

import httpx
import pytest

from mandant.service.edge.tracing import Traced, traced
from mandant.service.plugin import MandantPlugin
from tests.service.probe import CANARY, probe_config, with_probes

trace = pytest.importorskip("opentelemetry.sdk.trace", reason="missing tool: opentelemetry-sdk")


async def test_a_span_has_the_template_and_no_value(tmp_path: Path) -> None:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    seen = InMemorySpanExporter()
    provider = trace.TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(seen))
    app = Traced(with_probes(MandantPlugin(probe_config(tmp_path)).ours), provider.get_tracer("test"))
    thing = "0190f3e6-7a1b-7000-8000-0000000000aa"
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://a") as client:
        await client.get(f"/api/v1/probe/things/{thing}?limit=7", headers={"traceparent": parent})
        await client.get("/api/v1/probe/fail/bug")
    found, failed = seen.get_finished_spans()
    assert found.name == "GET /api/v1/probe/things/{thing}"
    assert found.context is not None
    assert f"{found.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert dict(found.attributes or {})["http.response.status_code"] == 200
    assert dict(failed.attributes or {})["http.response.status_code"] == 500
    for span in (found, failed):
        assert thing not in span.to_json()
        assert CANARY not in span.to_json()


def test_without_the_setting_nothing_is_wrapped(tmp_path: Path) -> None:
    app = with_probes(MandantPlugin(probe_config(tmp_path)).ours)
    assert traced(app, None) is app
