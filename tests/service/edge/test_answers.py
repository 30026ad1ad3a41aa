"""What every answer carries, and the pages for machines: health, metrics, the document."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mandant.service.edge.headers import SecurityHeaders
from tests.service.edge.conftest import Probe
from tests.service.probe import CANARY
from tests.tools import needs

THING = "/api/v1/probe/things/0190f3e6-7a1b-7000-8000-000000000001"


@pytest.mark.parametrize("path", ["/health/live", THING, "/api/v1/nothing", "/api/v1/docs", "/problems/gone"])
async def test_security_headers_stand_on_every_answer(http: httpx.AsyncClient, path: str) -> None:
    headers = (await http.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert len(headers.get_list("content-security-policy")) == 1
    assert re.fullmatch(r"[0-9a-f]{20}", headers["x-request-id"])
    assert "strict-transport-security" not in headers


async def test_data_is_not_kept_by_caches(http: httpx.AsyncClient) -> None:
    assert (await http.get(THING)).headers["cache-control"] == "no-store"


async def test_each_request_has_a_number_of_its_own(http: httpx.AsyncClient) -> None:
    forged = await http.get("/health/live", headers={"x-request-id": "forged"})
    other = await http.get("/health/live")
    assert len({"forged", forged.headers["x-request-id"], other.headers["x-request-id"]}) == 3


def test_over_https_browsers_are_told_to_stay_there() -> None:
    """C11."""
    own = [(b"content-type", b"application/json"), (b"content-length", b"2")]
    assert b"strict-transport-security" in dict(SecurityHeaders(https=True).added(own, "a"))
    assert b"strict-transport-security" not in dict(SecurityHeaders(https=False).added(own, "a"))


async def test_readiness_names_the_part_and_nothing_else(http: httpx.AsyncClient) -> None:
    answer = await http.get("/health/ready")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json() == {"status": "not-ready", "parts": {"data": "ok", "kms": "not reachable"}}
    assert CANARY not in answer.text


async def test_metrics_count_by_template_and_know_no_ids(http: httpx.AsyncClient) -> None:
    await http.get(THING)
    await http.get("/api/v1/somebody/who/tries")
    page = (await http.get("/metrics")).text
    assert 'route="/api/v1/probe/things/{thing}",status="200"' in page
    assert 'route="(none)",status="404"' in page
    assert "0190f3e6" not in page
    assert "somebody" not in page
    assert page.endswith("# EOF\n")


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded", "x-real-ip"])
async def test_metrics_are_not_given_through_a_proxy(http: httpx.AsyncClient, header: str) -> None:
    answer = await http.get("/metrics", headers={header: "203.0.113.7"})
    assert answer.status_code == 404


async def test_the_document_is_valid_and_every_operation_names_its_problems(http: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await http.get("/api/v1/openapi.json")).json()
    OpenAPIV31SpecValidator(document).validate()
    for path, item in document["paths"].items():
        for operation in item.values():
            assert "500" in operation["responses"], path
    people = document["paths"]["/api/v1/probe/people"]["post"]["responses"]
    assert {"400", "413", "415", "422"} <= set(people)
    assert document["components"]["responses"]["Problem409"]["content"]["application/problem+json"][
        "examples"
    ]


async def test_a_problem_is_what_the_document_says(http: httpx.AsyncClient) -> None:
    document: dict[str, Any] = (await http.get("/api/v1/openapi.json")).json()
    schema = document["components"]["schemas"]["Problem"]
    for response in (await http.get("/api/v1/nothing"), await http.post("/api/v1/probe/people", json={})):
        assert set(schema["required"]) <= set(response.json()) <= set(schema["properties"])
        assert response.json()["type"] in schema["properties"]["type"]["enum"]


async def test_the_documentation_loads_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = (await http.get("/api/v1/docs")).text
    linked = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert linked
    for address in linked:
        assert address.startswith(("/api/v1/docs/assets/", "data:,"))
        if address.startswith("/"):
            answer = await http.get(address)
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert "<script>" not in page


def test_the_documentation_page_shows_the_operations_in_a_browser(probe: Probe, tmp_path: Path) -> None:
    browser = needs("chromium", "chromium-browser", "google-chrome")
    switches = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync"
    switches += " --disable-background-networking --disable-component-update --virtual-time-budget=20000"
    shown = subprocess.run(
        [browser, *switches.split(), f"--user-data-dir={tmp_path}", "--dump-dom", f"{probe.url}/api/v1/docs"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    ).stdout
    assert "Whether the process answers" in shown
    assert "/api/v1/probe/people" in shown


async def test_allow_names_every_method_of_an_address(http: httpx.AsyncClient) -> None:
    """Litestar's own OPTIONS names the methods of the handler that was registered first."""
    answer = await http.options("/api/v1/me")
    assert answer.status_code == 204
    assert answer.headers["allow"] == "GET, OPTIONS, PATCH"
