"""Whatever is sent, the answer is problem+json that names the fault, repeats nothing, and is never a 500."""

import json
from typing import Any

import httpx
import pytest

from tests.service.edge.conftest import Probe, raw

PEOPLE = "/api/v1/probe/people"
SENT = "canary-of-the-sender-51c9"


def assert_problem(response: httpx.Response, status: int, slug: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{slug}"
    assert body["status"] == status
    assert body["title"]
    assert body["detail"].endswith(".")
    assert SENT not in response.text
    return body


async def post(http: httpx.AsyncClient, body: bytes, path: str = PEOPLE) -> httpx.Response:
    return await http.post(path, content=body, headers={"content-type": "application/json"})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"age": 3}', "name"),
        (b'{"name": 3}', "name"),
        (b'{"name": "a", "age": "3"}', "age"),
        (b'{"name": "a", "age": true}', "age"),
        (b'{"name": "a", "age": 1.5}', "age"),
        (b'{"name": "a", "nick": "canary-of-the-sender-51c9"}', "nick"),
        (b'{"name": "a", "canary-of-the-sender-51c9 x": 1}', ""),
        (b'{"name": "a", "addresses": [{"street": "b"}, {"street": 1}]}', "addresses.1.street"),
        (b'{"name": "a", "addresses": [{"street": "b", "city": "c"}]}', "addresses.0.city"),
        (b'{"name": "a", "addresses": {"street": "b"}}', "addresses"),
        (b'{"name": "a\\u0000b"}', "name"),
        (b'{"name": "a", "addresses": [{"street": "\\u0000"}]}', "addresses.0.street"),
        (b'{"name": "' + b"x" * 201 + b'"}', "name"),
        (b'{"name": "a", "colour": "canary-of-the-sender-51c9"}', "colour"),
        (b'{"name": "a", "addresses": [{"street": "canary-of-the-sender-51c9"}]}', "addresses.0"),
        (b'["canary-of-the-sender-51c9"]', ""),
        (b'"canary-of-the-sender-51c9"', ""),
        (b"null", ""),
        (b"9" * 5000, ""),
    ],
)
@pytest.mark.parametrize("path", [PEOPLE, "/api/v1/probe/dynamic"])
async def test_wrong_fields_are_named(http: httpx.AsyncClient, body: bytes, field: str, path: str) -> None:
    found = assert_problem(await post(http, body, path), 422, "invalid")
    assert [error["field"] for error in found["errors"]] == [field]
    assert found["errors"][0]["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"name": "canary-of-the-sender-51c9"',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\\udc00x"}',
        b'{"name": "a\x00b"}',
        b'\xef\xbb\xbf{"name": "a"}',
        b'{"name": NaN}',
        '{"name": "a"}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"nick":' * 50_000,
    ],
)
@pytest.mark.parametrize("path", [PEOPLE, "/api/v1/probe/dynamic", "/api/v1/probe/anything"])
async def test_broken_json_is_a_bad_request(http: httpx.AsyncClient, body: bytes, path: str) -> None:
    response = await post(http, body, path)
    wrong_at_once = body.startswith((b"[", b'{"nick"')) and path != "/api/v1/probe/anything"
    if wrong_at_once or (body == b"" and path == PEOPLE):
        assert_problem(response, 422, "invalid")
    else:
        assert_problem(response, 400, "bad-request")


@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "\u00ff/x"]
)
async def test_a_body_of_another_type_is_refused(http: httpx.AsyncClient, content_type: str | None) -> None:
    headers = [] if content_type is None else [(b"content-type", content_type.encode("latin-1"))]
    request = http.build_request("POST", PEOPLE, content=b'{"name": "a"}', headers=headers)
    assert_problem(await http.send(request), 415, "unsupported-media-type")


async def test_duplicate_names_keep_the_last(http: httpx.AsyncClient) -> None:
    response = await post(http, b'{"name": "a", "name": "b"}')
    assert response.json()["name"] == "b"


async def test_a_large_body_is_refused_by_what_it_announces(http: httpx.AsyncClient) -> None:
    assert_problem(await post(http, b'{"name": "' + b"x" * (10 << 20) + b'"}'), 413, "too-large")


async def test_a_large_body_is_counted_while_it_comes(http: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 65536

    response = await http.post(PEOPLE, content=chunks(), headers={"content-type": "application/json"})
    assert_problem(response, 413, "too-large")


async def test_an_upload_has_its_own_limit(http: httpx.AsyncClient) -> None:
    inside = await http.post("/api/v1/probe/upload", content=b"x" * (8 << 20))
    assert inside.json() == {"bytes": 8 << 20}
    assert_problem(await http.post("/api/v1/probe/upload", content=b"x" * (8 << 20) + b"x"), 413, "too-large")


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/api/v1",
        "/api/v1/",
        "/api/v1/nothing",
        "/api/v1/docs/nothing",
        "/api/v1/docs/assets/../../secrets",
        "/api/v1/docs/assets/settings.py",
        "/api/v1/probe/things/not-a-uuid",
        "/api/v1/probe/things/0190f3e6-7a1b-7000-8000-00000000000",
        "/api/v1/probe/things/%ff",
        "/api/v1/probe/things/%zz",
        "/problems/nothing",
    ],
)
async def test_unknown_addresses_are_not_found(http: httpx.AsyncClient, path: str) -> None:
    assert_problem(await http.get(path), 404, "not-found")


async def test_another_method_says_which_are_allowed(http: httpx.AsyncClient) -> None:
    response = await http.delete(PEOPLE)
    assert_problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "OPTIONS, POST"


async def test_a_made_up_method_is_not_allowed(probe: Probe) -> None:
    answer = await raw(probe, b"FROBNICATE /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 405")


@pytest.mark.parametrize("value", ["x", "1.5", "", "%ff", "%zz", "%F0%9F%92%A9"])
async def test_wrong_query_values_are_named(http: httpx.AsyncClient, value: str) -> None:
    response = await http.get(f"/api/v1/probe/things/0190f3e6-7a1b-7000-8000-000000000001?limit={value}")
    found = assert_problem(response, 422, "invalid")
    assert [error["field"] for error in found["errors"]] == ["limit"]


@pytest.mark.parametrize("path", ["/api/v1/x%00y", "/api/v1/probe/things/x?q=%00"])
async def test_nul_in_an_address_is_a_bad_request(http: httpx.AsyncClient, path: str) -> None:
    assert_problem(await http.get(path), 400, "bad-request")


async def test_too_many_headers_are_refused(http: httpx.AsyncClient) -> None:
    headers = {f"x-{n}": "y" * 1000 for n in range(40)}
    assert_problem(await http.get("/health/live", headers=headers), 431, "headers-too-large")


async def test_a_host_header_that_is_none_is_a_bad_request(probe: Probe) -> None:
    answer = await raw(probe, b"GET /health/live HTTP/1.1\r\nhost: a b<script>\r\nconnection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /health/live\x00 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /api/v1/\xc3\xa4 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"POST /api/v1/probe/people HTTP/1.1\r\nhost: a\r\ncontent-length: x\r\nconnection: close\r\n\r\n",
        b"GET /api/v1/probe/things/a?limit=\xff HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nhost: a\r\ncookie: \xff\xfe\r\nconnection: close\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
    ],
)
async def test_requests_that_are_hardly_http_never_give_a_500(probe: Probe, request_: bytes) -> None:
    answer = await raw(probe, request_)
    assert not answer.startswith(b"HTTP/1.1 5")


async def test_a_format_that_is_not_offered_is_not_acceptable(http: httpx.AsyncClient) -> None:
    response = await http.get("/api/v1/probe/export", headers={"accept": "image/png"})
    assert_problem(response, 406, "not-acceptable")
    chosen = await http.get("/api/v1/probe/export", headers={"accept": "text/csv, */*;q=0.1"})
    assert chosen.json() == {"as": "text/csv"}


async def test_the_type_of_a_problem_is_an_address_that_explains_it(http: httpx.AsyncClient) -> None:
    kind = (await http.get("/api/v1/nothing")).json()["type"]
    explained = (await http.get(kind)).json()
    assert explained["status"] == 404
    assert json.dumps(explained)
