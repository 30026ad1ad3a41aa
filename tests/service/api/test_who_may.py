"""Every operation of the document, asked by everybody who may not: nobody, somebody of another tenant, somebody
who was removed, a member where it takes an admin, an API token where it takes a person. Promise 2; C4.3.

Made from the OpenAPI document: an operation that is added later is in it.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio

from mandant.integrations.objects import FolderObjectStore
from mandant.tenants.modules import Module, Record, Searchable
from tests.service.api.conftest import PASSWORD, Signed, SignUp
from tests.stack import Stack


class Person(Record):
    name: Annotated[str, Searchable()]


people = Module("people", Person)
MODULES = [people]
METHODS = ("get", "post", "put", "patch", "delete")
# Nobody is known there yet.
OPEN = {
    "POST /api/v1/register",
    "POST /api/v1/sign-in",
    "POST /api/v1/invitations/accept-as-newcomer",
    "GET /api/v1/agreements",
}
# What a member may not; everything else under a tenant a member may.
ADMINS = re.compile(
    r"/(invitations|tokens|agreements)|PATCH .*/members/|PATCH /api/v1/tenants/\{tenant_id\}$"
)
TOKENLESS = re.compile(r"/tokens")


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    parameters: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass
class House:
    """A tenant of `owner`, and the tokens of whoever tries."""

    owner: Signed
    operations: list[Operation]
    ids: dict[str, str]
    stranger: str
    member: str
    removed: str
    api_token: str

    def of_tenants(self) -> list[Operation]:
        return [one for one in self.operations if "{tenant_id}" in one.path]

    async def ask(self, operation: Operation, token: str | None) -> httpx.Response:
        path = re.sub(r"\{(\w+)[^}]*\}", lambda m: self.ids.get(m[1], str(uuid4())), operation.path)
        headers = {"Content-Disposition": "attachment; filename=a.txt", "Idempotency-Key": uuid4().hex}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        client = httpx.AsyncClient(transport=self.owner.http._transport, base_url="http://test")
        params = {name: QUERY[name] for name in operation.parameters if name in QUERY}
        body = BODIES.get(str(operation))
        return await client.request(operation.method, path, params=params, headers=headers, json=body)


QUERY = {"module": "people", "version": "1"}
# Bodies that are right: a refusal must not be the body's.
BODIES: dict[str, Any] = {
    "POST /api/v1/tenants/{tenant_id}/modules/people/records": {"name": "A"},
    "POST /api/v1/tenants/{tenant_id}/modules/people/records/bulk": {"records": [{"name": "A"}]},
    "POST /api/v1/tenants/{tenant_id}/modules/people/records/search": {
        "conditions": [{"field": "name", "value": "A"}]
    },
    "POST /api/v1/tenants/{tenant_id}/modules/people/records/query": {},
    "PUT /api/v1/tenants/{tenant_id}/modules/people/records/{record_id}": {"name": "B"},
    "PUT /api/v1/tenants/{tenant_id}/modules/people/imports/{import_id}/mapping": {"columns": []},
    "PATCH /api/v1/tenants/{tenant_id}": {"version": 1, "name": "Taken AG"},
    "PATCH /api/v1/tenants/{tenant_id}/members/{person_id}": {"role": "member"},
    "POST /api/v1/tenants/{tenant_id}/invitations": {"email": "x@example.ch"},
    "POST /api/v1/tenants/{tenant_id}/tokens": {"name": "x"},
    "POST /api/v1/tenants/{tenant_id}/agreements": {"terms": "2026-11", "dpa": "2026-11"},
    "POST /api/v1/tenants": {
        "company": {"name": "X", "domain": "x.example", "country": "CH"},
        "accepts": {"terms": "2026-11", "dpa": "2026-11"},
    },
    "PATCH /api/v1/me": {"name": "X"},
    "POST /api/v1/me/password": {"old_password": PASSWORD, "new_password": "another password"},
    "POST /api/v1/me/second-factor/confirm": {"password": PASSWORD, "code": "123456"},
    "POST /api/v1/me/second-factor/off": {"password": PASSWORD, "code": "123456"},
    "POST /api/v1/invitations/accept": {"secret": "mdi_x"},
}


async def _joined(http: httpx.AsyncClient, owner: Signed, email: str) -> tuple[str, str]:
    """(person id, token) of a new member."""
    base = f"/tenants/{owner.tenant_id}"
    invited = (await owner.http.post(f"{base}/invitations", json={"email": email})).json()
    newcomer = {"secret": invited["secret"], "name": "Bruno", "password": PASSWORD}
    assert (await http.post("/invitations/accept-as-newcomer", json=newcomer)).status_code == 200
    signed = (await http.post("/sign-in", json={"email": email, "password": PASSWORD})).json()
    return signed["person_id"], signed["token"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def house(stack: Stack, http: httpx.AsyncClient, sign_up: SignUp) -> House:
    await FolderObjectStore(stack.folder / "objects").open()
    document = (await http.get("/openapi.json")).json()
    operations = [
        Operation(
            method.upper(),
            path,
            frozenset(one["name"] for one in item[method].get("parameters", ()) if one["in"] == "query"),
        )
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item and path.startswith("/api/")
    ]
    owner, stranger = await sign_up(), await sign_up()
    base = f"/tenants/{owner.tenant_id}"
    _, member = await _joined(http, owner, "member@example.ch")
    gone, removed = await _joined(http, owner, "removed@example.ch")
    assert (await owner.http.delete(f"{base}/members/{gone}")).status_code == 204
    token = (await owner.http.post(f"{base}/tokens", json={"name": "x", "role": "admin"})).json()
    named = {"Content-Disposition": "attachment; filename=a.csv"}
    record = await owner.http.post(f"{base}/modules/people/records", json={"name": "A"})
    file = await owner.http.post(f"{base}/files?module=people", content=b"x", headers=named)
    run = await owner.http.post(f"{base}/modules/people/imports", content=b"Name\nA\n", headers=named)
    invited = await owner.http.post(f"{base}/invitations", json={"email": "later@example.ch"})
    ids = {
        "tenant_id": str(owner.tenant_id),
        "record_id": record.json()["id"],
        "file_id": file.json()["id"],
        "import_id": run.json()["id"],
        "person_id": (await owner.http.get("/me")).json()["person_id"],
        "token_id": token["token"]["token_id"],
        "invitation_id": invited.json()["invitation"]["invitation_id"],
    }
    foreign = stranger.http.headers["authorization"].split()[1]
    return House(owner, operations, ids, foreign, member, removed, token["secret"])


async def test_nobody_does_anything(house: House) -> None:
    for operation in house.operations:
        if str(operation) not in OPEN:
            assert (await house.ask(operation, None)).status_code == 401, operation


@pytest.mark.parametrize("who", ["stranger", "removed"])
async def test_to_others_a_tenant_does_not_exist(house: House, who: str) -> None:
    assert len(house.of_tenants()) > 30
    for operation in house.of_tenants():
        answer = await house.ask(operation, getattr(house, who))
        assert answer.status_code == 404, (operation, answer.text)
        assert answer.json()["type"] == "/problems/not-found", operation


async def test_a_member_does_nothing_that_takes_an_admin(house: House) -> None:
    refused = set()
    for operation in house.of_tenants():
        if ADMINS.search(str(operation)):
            answer = await house.ask(operation, house.member)
            assert answer.status_code == 403, (operation, answer.text)
            refused.add(str(operation))
    assert len(refused) > 8
    others = Operation("DELETE", "/api/v1/tenants/{tenant_id}/members/{person_id}")
    assert (await house.ask(others, house.member)).status_code == 403


async def test_an_api_token_is_no_person_and_makes_no_tokens(house: House) -> None:
    for operation in house.operations:
        if operation in house.of_tenants():
            if TOKENLESS.search(operation.path):
                assert (await house.ask(operation, house.api_token)).status_code == 403, operation
        elif str(operation) not in OPEN:
            assert (await house.ask(operation, house.api_token)).status_code == 401, operation


async def test_what_they_all_tried_changed_nothing(house: House) -> None:
    """The last one: the tenant, its owner, its record and its file are as they were."""
    base = f"/tenants/{house.owner.tenant_id}"
    for path in (
        base,
        f"{base}/modules/people/records/{house.ids['record_id']}",
        f"{base}/files/{house.ids['file_id']}/content",
        f"{base}/modules/people/imports/{house.ids['import_id']}",
    ):
        assert (await house.owner.http.get(path)).status_code == 200, path
    assert (await house.owner.http.get(base)).json()["name"] == "Muster AG"
    members = (await house.owner.http.get(f"{base}/members")).json()
    assert sorted(one["role"] for one in members) == ["member", "owner"]
