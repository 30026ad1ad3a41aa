"""Records over HTTP: what a member does with them, and what everybody else gets."""

from typing import Annotated
from uuid import UUID, uuid4

import httpx
import pytest

from mandant.tenants.modules import Module, Record, Searchable, Unique
from tests.service.api.conftest import Signed, SignUp


class Person(Record):
    name: Annotated[str, Searchable(prefix=3)]
    email: Annotated[str | None, Unique(as_="email")] = None
    age: int | None = None


people = Module("people", Person)
MODULES = [people]


@pytest.fixture
async def signed(sign_up: SignUp) -> Signed:
    return await sign_up()


@pytest.fixture
def base(signed: Signed) -> str:
    return f"/tenants/{signed.tenant_id}/modules/people/records"


async def test_a_record_lives_from_post_to_delete(signed: Signed, base: str) -> None:
    http = signed.http
    made = await http.post(base, json={"name": "Anna"})
    assert made.status_code == 201, made.text
    record_id = made.json()["id"]
    assert made.headers["location"].endswith(f"{base}/{record_id}")
    assert (await http.get(f"{base}/{record_id}")).json() == made.json()
    changed = await http.put(f"{base}/{record_id}", params={"version": 1}, json={"name": "Berta", "age": 7})
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    stale = await http.put(f"{base}/{record_id}", params={"version": 1}, json={"name": "Carla"})
    assert (stale.status_code, stale.json()["type"]) == (409, "/problems/stale-version")
    assert (await http.delete(f"{base}/{record_id}", params={"version": 2})).status_code == 204
    assert (await http.get(f"{base}/{record_id}")).status_code == 404


@pytest.mark.parametrize("zero", ["%0A", "%0D", "%20", "%EF%BC%90"])  # Python reads each as a UUID's first 0
async def test_no_spelling_of_an_address_comes_back_in_a_header(signed: Signed, base: str, zero: str) -> None:
    spelled = base.replace(f"/{str(signed.tenant_id)[0]}", f"/{zero}", 1)
    key = {"Idempotency-Key": f"key-{zero}"}
    made = await signed.http.post(spelled, json={"name": "Anna"}, headers=key)
    assert made.headers["location"].endswith(f"{base}/{made.json()['id']}")
    again = await signed.http.post(base, json={"name": "Anna"}, headers=key)
    assert again.json()["id"] == made.json()["id"]


async def test_every_problem_of_a_record_is_named_and_no_value_is_repeated(signed: Signed, base: str) -> None:
    said = await signed.http.post(base, json={"name": 5, "age": "secret", "shoe": 1})
    assert said.status_code == 422
    assert {problem["field"] for problem in said.json()["errors"]} == {"name", "age", "shoe"}
    assert "secret" not in said.text


async def test_lists_are_paged_searched_sorted_filtered_and_counted(signed: Signed, base: str) -> None:
    http = signed.http
    rows = [{"name": f"Name {i}", "age": i, "email": f"{i}@example.ch"} for i in range(7)]
    made = await http.post(f"{base}/bulk", json={"records": rows})
    assert made.status_code == 201
    assert len(made.json()["ids"]) == 7
    first = (await http.get(base, params={"limit": 4})).json()
    rest = (await http.get(base, params={"limit": 4, "after": first["next"]})).json()
    assert [item["record"]["age"] for item in first["items"] + rest["items"]] == [6, 5, 4, 3, 2, 1, 0]
    assert rest["next"] is None
    found = await http.post(
        f"{base}/search", json={"conditions": [{"field": "email", "value": "3@EXAMPLE.ch"}]}
    )
    assert [item["record"]["age"] for item in found.json()["items"]] == [3]
    asked = {
        "filters": [{"field": "age", "operator": "ge", "value": "3"}],
        "sort": "name",
        "descending": True,
    }
    listed = (await http.post(f"{base}/query", json=asked)).json()
    assert ([item["record"]["age"] for item in listed["items"]], listed["total"]) == ([6, 5, 4, 3], 4)
    assert (await http.get(f"{base}/count")).json() == {"count": 7}
    refused = await http.post(f"{base}/bulk", json={"records": [{"name": "x"}, rows[0]]})
    assert refused.status_code == 409
    assert (await http.get(f"{base}/count")).json() == {"count": 7}


async def test_a_post_sent_twice_with_one_key_is_done_once(signed: Signed, base: str) -> None:
    key = {"Idempotency-Key": uuid4().hex}
    first, again = [await signed.http.post(base, json={"name": "Anna"}, headers=key) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (await signed.http.get(f"{base}/count")).json() == {"count": 1}


async def test_another_tenants_member_gets_404_and_nobody_401(
    sign_up: SignUp, http: httpx.AsyncClient
) -> None:
    mine, others = await sign_up(), await sign_up()
    base = f"/tenants/{mine.tenant_id}/modules/people/records"
    record_id = (await mine.http.post(base, json={"name": "Anna"})).json()["id"]
    for status, client in ((404, others.http), (401, http)):
        assert (await client.get(f"{base}/{record_id}")).status_code == status
        assert (await client.get(base)).status_code == status
        assert (await client.post(base, json={"name": "x"})).status_code == status
        assert (await client.delete(f"{base}/{record_id}")).status_code == status
    theirs = f"/tenants/{others.tenant_id}/modules/people/records"
    assert (await others.http.get(f"{theirs}/{record_id}")).status_code == 404


@pytest.mark.parametrize("record_id", [str(UUID(int=0)), "x", "1" * 300])
async def test_an_id_that_is_none_is_not_found(signed: Signed, base: str, record_id: str) -> None:
    assert (await signed.http.get(f"{base}/{record_id}")).status_code == 404
