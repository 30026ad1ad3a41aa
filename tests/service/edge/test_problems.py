"""What errors become outside (DESIGN.md), and that an unexpected one says nothing but its number."""

import httpx
import pytest

from tests.service.edge.conftest import Probe
from tests.service.edge.lines import log_lines
from tests.service.edge.test_bad_input import assert_problem
from tests.service.probe import CANARY


@pytest.mark.parametrize(
    ("kind", "status", "slug", "retry_after"),
    [
        ("other-tenants", 404, "not-found", None),
        ("purged", 410, "gone", None),
        ("shredded", 410, "gone", None),
        ("stale", 409, "stale-version", None),
        ("read-only", 409, "read-only", None),
        ("not-unique", 409, "not-unique", None),
        ("forbidden", 403, "forbidden", None),
        ("kms", 503, "keys-unavailable", "17"),
        ("denied", 503, "key-denied", "60"),
        ("control", 503, "unavailable", "5"),
        ("older", 503, "data-behind", "30"),
        ("refused", 503, "unavailable", "5"),
    ],
)
async def test_expected_errors(
    http: httpx.AsyncClient, kind: str, status: int, slug: str, retry_after: str | None
) -> None:
    response = await http.get(f"/api/v1/probe/fail/{kind}")
    assert_problem(response, status, slug)
    assert response.headers.get("retry-after") == retry_after
    assert CANARY not in response.text


@pytest.mark.parametrize(
    ("kind", "event"), [("bug", "request failed"), ("unopenable", "ciphertext does not open")]
)
async def test_an_unexpected_error_is_opaque_outside_and_placed_inside(
    http: httpx.AsyncClient, probe: Probe, kind: str, event: str
) -> None:
    response = await http.get(f"/api/v1/probe/fail/{kind}")
    found = assert_problem(response, 500, "internal")
    assert set(found) == {"type", "title", "status", "detail", "incident"}
    (line,) = await log_lines(probe.log, incident_id=found["incident"])
    assert line["event"] == event
    assert "probe.py" in line["at"][0]
    assert line["at"][0].endswith(" fail")
    assert line["causes"][0].startswith("builtins.ValueError")
    assert CANARY not in probe.log.read_text()
