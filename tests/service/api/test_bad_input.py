"""What bad input gets, through the real API at a real module: a problem that names the field and repeats
nothing, and nothing half-written. Files that come as imports: test_imports.py; files: test_files.py.
"""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from mandant.tenants.modules.customers import customers, groups
from tests.service.api.conftest import PASSWORD, Signed, SignUp
from tests.stack import Stack

MODULES = [customers, groups]
SENT = "canary-7f3a"
MIB = 1024 * 1024
JSON = {"Content-Type": "application/json"}
GOOD = {"last_name": "Muster", "number": "1"}


@pytest.fixture
async def signed(sign_up: SignUp) -> Signed:
    return await sign_up()


@pytest.fixture
def base(signed: Signed) -> str:
    return f"/tenants/{signed.tenant_id}/modules/customers/records"


def assert_refused(answer: httpx.Response, status: int, slug: str, *fields: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (
        status,
        "application/problem+json",
    ), answer.text
    body = answer.json()
    assert body["type"] == f"/problems/{slug}"
    assert "incident" not in body
    assert {one["field"] for one in body.get("errors", [])} == set(fields)
    assert SENT not in answer.text
    assert len(answer.content) < 64 * 1024


async def count(signed: Signed, base: str) -> int:
    return int((await signed.http.get(f"{base}/count")).json()["count"])


WRONG: list[tuple[str, bytes, int, str, tuple[str, ...]]] = [
    ("wrong types", b'{"last_name": 5, "emails": "canary-7f3a"}', 422, "invalid", ("last_name", "emails")),
    (
        "wrong types further in",
        b'{"emails": [{"address": "a@b.ch"}, {"address": true, "kind": "canary-7f3a"}]}',
        422,
        "invalid",
        ("emails.1.address", "emails.1.kind"),
    ),
    (
        "text that is no such text",
        b'{"emails": [{"address": "canary-7f3a"}]}',
        422,
        "invalid",
        ("emails.0.address",),
    ),
    ("a line's end after it", b'{"last_name": "a", "language": "de\\n"}', 422, "invalid", ("language",)),
    ("no date", b'{"last_name": "a", "birthday": "canary-7f3a"}', 422, "invalid", ("birthday",)),
    ("no UUID", b'{"last_name": "a", "groups": ["canary-7f3a"]}', 422, "invalid", ("groups.0",)),
    ("an unknown field", b'{"last_name": "a", "shoe": "canary-7f3a"}', 422, "invalid", ("shoe",)),
    ("nothing", b"{}", 422, "invalid", ("last_name",)),
    ("no object", b'["canary-7f3a"]', 422, "invalid", ("",)),
    ("escaped NUL", b'{"last_name": "canary-7f3a\\u0000"}', 422, "invalid", ("last_name",)),
    ("half a surrogate pair", b'{"last_name": "canary-7f3a\\ud800"}', 422, "invalid", ("",)),
    ("bare NUL", b'{"last_name": "canary-7f3a\0"}', 422, "invalid", ("",)),
    ("no UTF-8", b'{"last_name": "canary-7f3a\xff"}', 422, "invalid", ("",)),
    ("UTF-16", '{"last_name": "canary-7f3a"}'.encode("utf-16"), 422, "invalid", ("",)),
    ("a nesting bomb", b'{"notes": ' + b"[" * 500_000, 422, "invalid", ("",)),
    ("a nesting bomb that ends", b'{"a": ' * 100_000 + b"1" + b"}" * 100_000, 422, "invalid", ("",)),
    ("10 MB in one string", b'{"last_name": "' + b"x" * 10_000_000 + b'"}', 413, "too-large", ()),
    (
        "2 MB in one string",
        b'{"notes": "' + b"x" * 2_000_000 + b'", "last_name": "a"}',
        422,
        "invalid",
        ("notes",),
    ),
    (
        "a list without end",
        b'{"tags": [' + b'"a",' * 200_000 + b'"a"], "last_name": "a"}',
        422,
        "invalid",
        ("tags",),
    ),
    ("a number without end", b'{"last_name": ' + b"9" * 100_000 + b"}", 422, "invalid", ("",)),
]


@pytest.mark.parametrize(("what", "body", "status", "slug", "fields"), WRONG, ids=[case[0] for case in WRONG])
async def test_a_wrong_record_is_refused_by_create_and_update(
    signed: Signed, base: str, what: str, body: bytes, status: int, slug: str, fields: tuple[str, ...]
) -> None:
    kept = (await signed.http.post(base, json=GOOD)).json()
    assert_refused(await signed.http.post(base, content=body, headers=JSON), status, slug, *fields)
    url = f"{base}/{kept['id']}"
    changed = await signed.http.put(url, params={"version": 1}, content=body, headers=JSON)
    assert_refused(changed, status, slug, *fields)
    assert await count(signed, base) == 1
    assert (await signed.http.get(url)).json() == kept


@pytest.mark.parametrize(
    ("records", "status", "slug", "field"),
    [
        ([GOOD, {"last_name": 5}], 422, "invalid", "records.1.last_name"),
        ([GOOD, {"last_name": "a", "shoe": SENT}], 422, "invalid", "records.1.shoe"),
        ([GOOD, {"last_name": SENT + "\0"}], 422, "invalid", "records.1.last_name"),
        ([GOOD, {"notes": "x" * 10_000_000}], 422, "invalid", "records.1.notes"),
        ([GOOD, {}], 422, "invalid", "records.1.last_name"),
        ([GOOD, {"last_name": SENT, "number": "1"}], 409, "not-unique", "number"),
        ([GOOD, {"last_name": SENT, "number": "kept"}], 409, "not-unique", "number"),
        ([], 422, "invalid", "records"),
        ([{"last_name": "a"}] * 1_001, 422, "invalid", "records"),
    ],
)
async def test_of_a_batch_with_one_wrong_record_none_is_kept(
    signed: Signed, base: str, records: list[dict[str, Any]], status: int, slug: str, field: str
) -> None:
    assert (await signed.http.post(base, json={"last_name": "K", "number": "kept"})).status_code == 201
    assert_refused(await signed.http.post(f"{base}/bulk", json={"records": records}), status, slug, field)
    assert await count(signed, base) == 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("search", {"conditions": [{"field": SENT, "value": "a"}]}, "conditions.0.field"),
        ("search", {"conditions": [{"field": "notes", "value": SENT}]}, "conditions.0.field"),
        ("search", {"conditions": [{"field": "number", "value": SENT + "\0"}]}, "conditions.0.value"),
        ("search", {"conditions": [{"field": "number", "value": "x" * 1001}]}, "conditions.0.value"),
        ("search", {"conditions": []}, "conditions"),
        ("search", {"conditions": [{"field": "groups", "value": SENT}]}, "groups"),
        ("search", {"conditions": [{"field": "number", "value": "a"}], "limit": 201}, "limit"),
        ("query", {"sort": SENT}, "sort"),
        ("query", {"filters": [{"field": "number", "operator": SENT, "value": "a"}]}, "filters.0.operator"),
        ("query", {"filters": [{"field": "birthday", "operator": "lt", "value": SENT}]}, "birthday"),
        ("query", {"after": SENT}, "after"),
        ("query", {"limit": True}, "limit"),
    ],
)
async def test_a_wrong_question_names_its_field(
    signed: Signed, base: str, path: str, body: dict[str, Any], field: str
) -> None:
    assert_refused(await signed.http.post(f"{base}/{path}", json=body), 422, "invalid", field)


@pytest.mark.parametrize(
    "version", ["0", "-1", "2147483648", "9" * 400, "1.5", "x", "", "null", "NULL", SENT]
)
@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_a_version_that_is_none_changes_nothing(
    signed: Signed, base: str, method: str, version: str
) -> None:
    kept = (await signed.http.post(base, json=GOOD)).json()
    url = f"{base}/{kept['id']}"
    body = None if method == "DELETE" else {"last_name": SENT}
    answer = await signed.http.request(method, url, params={"version": version}, json=body)
    assert_refused(answer, 422, "invalid", "version")
    assert (await signed.http.get(url)).json() == kept


async def test_a_misspelled_parameter_deletes_nothing(signed: Signed, base: str) -> None:
    kept = (await signed.http.post(base, json=GOOD)).json()
    url = f"{base}/{kept['id']}"
    for parameter, field in (("verison", "verison"), (f"{SENT} x", "")):
        answer = await signed.http.delete(url, params={parameter: SENT})
        assert_refused(answer, 422, "invalid", field)
    assert (await signed.http.get(url)).json() == kept


async def test_a_stale_version_changes_nothing(signed: Signed, base: str) -> None:
    kept = (await signed.http.post(base, json=GOOD)).json()
    url = f"{base}/{kept['id']}"
    now = (await signed.http.put(url, params={"version": 1}, json={"last_name": "Neu"})).json()
    for version in (1, 3):
        changed = await signed.http.put(url, params={"version": version}, json={"last_name": SENT})
        assert_refused(changed, 409, "stale-version")
        assert_refused(await signed.http.delete(url, params={"version": version}), 409, "stale-version")
    assert (await signed.http.get(url)).json() == now


async def test_ids_of_another_tenant_are_ids_of_nothing(sign_up: SignUp, signed: Signed, base: str) -> None:
    other = await sign_up()
    their_base = f"/tenants/{other.tenant_id}/modules/customers/records"
    theirs = (await other.http.post(their_base, json=GOOD)).json()
    for where in (base, their_base):
        url = f"{where}/{theirs['id']}"
        assert_refused(await signed.http.get(url), 404, "not-found")
        put = await signed.http.put(url, params={"version": 1}, json={"last_name": SENT})
        assert_refused(put, 404, "not-found")
        assert_refused(await signed.http.delete(url), 404, "not-found")
    query = await signed.http.post(f"{base}/query", json={"after": theirs["id"]})
    assert_refused(query, 404, "not-found")
    upload = await signed.http.post(
        f"/tenants/{signed.tenant_id}/files",
        params={"module": "customers", "record": theirs["id"]},
        content=b"x",
        headers={"Content-Disposition": "attachment; filename=a.txt"},
    )
    assert_refused(upload, 404, "not-found")
    member = (await other.http.get("/me")).json()["person_id"]
    for path in (f"/members/{member}", f"/tokens/{uuid4()}", f"/invitations/{uuid4()}", f"/files/{uuid4()}"):
        gone = await signed.http.delete(f"/tenants/{signed.tenant_id}{path}")
        assert_refused(gone, 404, "not-found")
    assert (await other.http.get(f"{their_base}/{theirs['id']}")).json() == theirs
    assert await count(signed, base) == 0


async def test_a_value_that_another_tenant_has_is_free_here(
    sign_up: SignUp, signed: Signed, base: str
) -> None:
    other = await sign_up()
    await other.http.post(f"/tenants/{other.tenant_id}/modules/customers/records", json=GOOD)
    assert (await signed.http.post(base, json=GOOD)).status_code == 201


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": f"Bearer {SENT}"},
        {"Authorization": "Bearer " + "x" * 5000},
        {"Authorization": b"Bearer \xff\xfe"},
        {"Authorization": f"Basic {SENT}"},
        {"Cookie": f"session={SENT}"},
    ],
)
async def test_a_forged_session_is_none(
    http: httpx.AsyncClient, base: str, signed: Signed, headers: dict[str, Any]
) -> None:
    assert_refused(await http.get(base, headers=headers), 401, "not-signed-in")
    assert_refused(await http.post(base, json=GOOD, headers=headers), 401, "not-signed-in")
    assert await count(signed, base) == 0


async def test_a_session_that_is_nearly_right_is_none(
    http: httpx.AsyncClient, base: str, signed: Signed
) -> None:
    token = signed.http.headers["Authorization"].removeprefix("Bearer ")
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    for forged in (token[:-1], token + "A", flipped, token.swapcase(), token[::-1]):
        answer = await http.get(base, headers={"Authorization": f"Bearer {forged}"})
        assert_refused(answer, 401, "not-signed-in")
    twice = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {SENT}")]
    assert_refused(await http.get(base, headers=twice), 401, "not-signed-in")
    assert_refused(await http.get(base, params={"token": token}), 422, "invalid", "token")


async def test_a_session_that_has_ended_is_none(sign_up: SignUp, stack: Stack) -> None:
    left, idle = await sign_up(), await sign_up()
    await left.http.post("/sign-out")
    where = f"/tenants/{left.tenant_id}/modules/customers/records"
    assert_refused(await left.http.post(where, json=GOOD), 401, "not-signed-in")
    assert_refused(await left.http.get("/me"), 401, "not-signed-in")
    stack.clock.advance(timedelta(minutes=31))
    where = f"/tenants/{idle.tenant_id}/modules/customers/records"
    assert_refused(await idle.http.post(where, json=GOOD), 401, "not-signed-in")
    sign_in = {"email": idle.email, "password": PASSWORD}
    token = (await idle.http.post("/sign-in", json=sign_in)).json()["token"]
    again = await idle.http.get(f"{where}/count", headers={"Authorization": f"Bearer {token}"})
    assert again.json() == {"count": 0}


async def test_requests_with_one_key_at_once_make_one_record(signed: Signed, base: str) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    answers = await asyncio.gather(*(signed.http.post(base, json=GOOD, headers=key) for _ in range(8)))
    made = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in made}) == 1
    for answer in answers:
        if answer not in made:
            assert_refused(answer, 409, "idempotency-busy")
            assert int(answer.headers["retry-after"]) > 0
    assert await count(signed, base) == 1
    late = await signed.http.post(base, json=GOOD, headers=key)
    assert (late.status_code, late.json()) == (201, made[0].json())
    other = await signed.http.post(base, json={"last_name": SENT}, headers=key)
    assert_refused(other, 422, "idempotency-mismatch")


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "ä".encode(), f"{SENT} {SENT}"])
async def test_a_key_that_is_none_makes_nothing(signed: Signed, base: str, key: str | bytes) -> None:
    refused = await signed.http.post(base, json=GOOD, headers=[("Idempotency-Key", key)])  # type: ignore[arg-type]
    assert_refused(refused, 422, "invalid", "Idempotency-Key")
    assert await count(signed, base) == 0


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/me", {"name": SENT + "\n"}, "name"),
        ("/me", {"name": ""}, "name"),
        ("/me", {"name": " \u00a0 "}, "name"),
        ("/me", {"language": "de\n"}, "language"),
        ("", {"version": 1, "name": "  "}, "name"),
        ("", {"version": 1, "head_count": 10**30}, "head_count"),
        ("", {"version": 1, "country": "Ch"}, "country"),
        ("", {"version": 1, "time_zone": f"../../{SENT}"}, "time_zone"),
        ("", {"version": 1, "state": "free"}, "state"),
    ],
)
async def test_a_persons_or_companys_wrong_data_is_refused(
    signed: Signed, path: str, body: dict[str, Any], field: str
) -> None:
    url = path or f"/tenants/{signed.tenant_id}"
    before = (await signed.http.get(url)).json()
    assert_refused(await signed.http.patch(url, json=body), 422, "invalid", field)
    assert (await signed.http.get(url)).json() == before


@pytest.mark.parametrize("tenant_id", ["", "x", "%00", "%ff", "..", "../..", str(UUID(int=0)), "1" * 5000])
async def test_a_tenant_that_is_none_is_not_found(signed: Signed, tenant_id: str) -> None:
    answer = await signed.http.get(f"/tenants/{tenant_id}/modules/customers/records")
    assert answer.status_code in {400, 404}
    assert answer.headers["content-type"] == "application/problem+json"
