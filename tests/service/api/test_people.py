"""Registration, sign-in and members over HTTP."""

from base64 import b32decode
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest

from mandant.tenants.people.agreements import EDITIONS
from mandant.tenants.people.second_factor import STEP, code_at
from tests.stack import Stack

PASSWORD = "correct horse battery"
_numbers = count(1)


def an_address() -> str:
    return f"visitor{next(_numbers)}@example.ch"


def a_registration(email: str) -> dict[str, Any]:
    return {
        "name": "Anna Muster",
        "email": email,
        "password": PASSWORD,
        "company": {"name": "Muster AG", "domain": "muster.example", "country": "CH", "head_count": 12},
        "function": "Director",
        "accepts": dict(EDITIONS),
    }


async def signed_in(http: httpx.AsyncClient, email: str) -> dict[str, str]:
    answer = await http.post("/sign-in", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


async def a_newcomer(http: httpx.AsyncClient) -> tuple[str, dict[str, str], str]:
    """(address, headers, tenant id) of somebody who has registered and signed in."""
    email = an_address()
    assert (await http.post("/register", json=a_registration(email))).status_code == 202
    headers = await signed_in(http, email)
    me = (await http.get("/me", headers=headers)).json()
    return email, headers, me["tenants"][0]["tenant_id"]


async def test_register_sign_in_and_see_oneself(http: httpx.AsyncClient) -> None:
    email, headers, tenant_id = await a_newcomer(http)

    me = (await http.get("/me", headers=headers)).json()

    assert (me["name"], me["email"], me["second_factor"]) == ("Anna Muster", email, False)
    assert [(one["company"], one["role"]) for one in me["tenants"]] == [("Muster AG", "owner")]
    tenant = (await http.get(f"/tenants/{tenant_id}", headers=headers)).json()
    assert (tenant["name"], tenant["head_count"], tenant["version"]) == ("Muster AG", 12, 1)


async def test_registering_a_known_address_is_answered_like_an_unknown_one(http: httpx.AsyncClient) -> None:
    email, _, _ = await a_newcomer(http)
    known = await http.post("/register", json=a_registration(email))
    unknown = await http.post("/register", json=a_registration(an_address()))
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


async def test_a_refused_sign_in_says_the_same_for_address_and_password(http: httpx.AsyncClient) -> None:
    email, _, _ = await a_newcomer(http)
    answers = [
        await http.post("/sign-in", json={"email": one, "password": "not the password"})
        for one in (email, an_address())
    ]
    assert [one.status_code for one in answers] == [401, 401]
    assert answers[0].json() == answers[1].json()


@pytest.mark.parametrize(
    "header", [None, "Bearer", "Bearer mds_" + "A" * 43, "Basic YTpi", "Bearer \xff", "Bearer " + "x" * 4000]
)
async def test_without_a_session_it_is_401(http: httpx.AsyncClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header.encode("latin-1")}
    answer = await http.get("/me", headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_signed_out_session_is_401(http: httpx.AsyncClient) -> None:
    _, headers, _ = await a_newcomer(http)
    assert (await http.post("/sign-out", headers=headers)).status_code == 204
    assert (await http.get("/me", headers=headers)).status_code == 401


async def test_another_tenant_and_an_unknown_one_are_404(http: httpx.AsyncClient) -> None:
    _, headers, _ = await a_newcomer(http)
    _, _, other = await a_newcomer(http)
    answers = [
        await http.get(f"/tenants/{tenant_id}", headers=headers)
        for tenant_id in (other, "00000000-0000-0000-0000-000000000001")
    ]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json() == answers[1].json()


async def test_a_member_is_invited_works_and_is_removed(http: httpx.AsyncClient) -> None:
    _, owner, tenant_id = await a_newcomer(http)
    email = an_address()
    made = await http.post(f"/tenants/{tenant_id}/invitations", json={"email": email}, headers=owner)
    assert made.status_code == 201
    assert len((await http.get(f"/tenants/{tenant_id}/invitations", headers=owner)).json()) == 1
    joined = await http.post(
        "/invitations/accept-as-newcomer",
        json={"secret": made.json()["secret"], "name": "Bruno", "password": PASSWORD},
    )
    assert joined.json() == {"tenant_id": tenant_id}
    member = await signed_in(http, email)

    listed = (await http.get(f"/tenants/{tenant_id}/members", headers=member)).json()
    assert [(one["name"], one["role"]) for one in listed] == [("Anna Muster", "owner"), ("Bruno", "member")]
    refused = await http.post(
        f"/tenants/{tenant_id}/invitations", json={"email": an_address()}, headers=member
    )
    assert refused.status_code == 403

    bruno = listed[1]["person_id"]
    assert (await http.delete(f"/tenants/{tenant_id}/members/{bruno}", headers=owner)).status_code == 204
    assert (await http.get(f"/tenants/{tenant_id}/members", headers=member)).status_code == 404


async def test_the_last_owner_stays(http: httpx.AsyncClient) -> None:
    _, owner, tenant_id = await a_newcomer(http)
    me = (await http.get("/me", headers=owner)).json()["person_id"]
    for answer in (
        await http.delete(f"/tenants/{tenant_id}/members/{me}", headers=owner),
        await http.patch(f"/tenants/{tenant_id}/members/{me}", json={"role": "admin"}, headers=owner),
    ):
        assert answer.status_code == 409


async def test_the_company_is_changed_with_the_version_that_was_read(http: httpx.AsyncClient) -> None:
    _, owner, tenant_id = await a_newcomer(http)
    change = {"version": 1, "name": "Neu AG", "time_zone": "Europe/Berlin"}
    first = await http.patch(f"/tenants/{tenant_id}", json=change, headers=owner)
    assert (first.status_code, first.json()["name"], first.json()["version"]) == (200, "Neu AG", 2)
    assert (await http.patch(f"/tenants/{tenant_id}", json=change, headers=owner)).status_code == 409
    wrong = {"version": 2, "time_zone": "Mars/Olympus"}
    answer = await http.patch(f"/tenants/{tenant_id}", json=wrong, headers=owner)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "time_zone"


async def test_an_api_token_acts_in_its_tenant_and_is_no_person(http: httpx.AsyncClient) -> None:
    _, owner, tenant_id = await a_newcomer(http)
    made = await http.post(f"/tenants/{tenant_id}/tokens", json={"name": "import"}, headers=owner)
    assert made.status_code == 201
    token = {"Authorization": f"Bearer {made.json()['secret']}"}

    assert (await http.get(f"/tenants/{tenant_id}/members", headers=token)).status_code == 200
    assert (await http.get("/me", headers=token)).status_code == 401
    assert (await http.get(f"/tenants/{tenant_id}/tokens", headers=token)).status_code == 403

    listed = (await http.get(f"/tenants/{tenant_id}/tokens", headers=owner)).json()
    assert [one["name"] for one in listed] == ["import"]
    revoked = await http.delete(f"/tenants/{tenant_id}/tokens/{listed[0]['token_id']}", headers=owner)
    assert revoked.status_code == 204
    assert (await http.get(f"/tenants/{tenant_id}/members", headers=token)).status_code == 401


async def test_the_second_factor_is_switched_on_used_and_off(http: httpx.AsyncClient, stack: Stack) -> None:

    email, headers, _ = await a_newcomer(http)
    secret = b32decode((await http.post("/me/second-factor", headers=headers)).json()["secret"])

    def code() -> str:
        return code_at(secret, int(stack.clock.now().timestamp()) // STEP)

    for wrong in ({"password": "not the password", "code": code()}, {"password": PASSWORD, "code": "000000"}):
        refused = await http.post("/me/second-factor/confirm", json=wrong, headers=headers)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "")
    on = {"password": PASSWORD, "code": code()}
    confirmed = await http.post("/me/second-factor/confirm", json=on, headers=headers)
    assert len(confirmed.json()["recovery_codes"]) == 10
    without = await http.post("/sign-in", json={"email": email, "password": PASSWORD})
    assert (without.status_code, without.json()["type"]) == (401, "/problems/second-factor-needed")
    stack.clock.advance(timedelta(seconds=60))
    credentials = {"email": email, "password": PASSWORD, "code": code()}
    assert (await http.post("/sign-in", json=credentials)).status_code == 200
    assert (await http.post("/sign-in", json=credentials)).status_code == 401
    stack.clock.advance(timedelta(seconds=60))
    off = {"password": PASSWORD, "code": code()}
    assert (await http.post("/me/second-factor/off", json=off, headers=headers)).status_code == 204
    await signed_in(http, email)


async def test_after_wrong_codes_there_is_a_wait_in_the_same_words(
    http: httpx.AsyncClient, stack: Stack
) -> None:
    email, headers, _ = await a_newcomer(http)
    secret = b32decode((await http.post("/me/second-factor", headers=headers)).json()["secret"])
    code = code_at(secret, int(stack.clock.now().timestamp()) // STEP)
    on = {"password": PASSWORD, "code": code}
    assert (await http.post("/me/second-factor/confirm", json=on, headers=headers)).status_code == 200
    wrong = {"email": email, "password": PASSWORD, "code": "AAAAAA"}
    answers = [await http.post("/sign-in", json=wrong) for _ in range(6)]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert len({one.json()["detail"] for one in answers}) == 1
    assert answers[-1].headers["Retry-After"] == "30"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 7}, "name"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.ch\n"}, "email"),
        ({"email": "x" * 250 + "@b.ch"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"role": "owner"}, "role"),
        ({"accepts": {"terms": "2019-01", "dpa": "2019-01"}}, "accepts.terms"),
        ({"company": {"name": "M", "domain": "m.ch", "country": "Switzerland"}}, "company.country"),
        (
            {"company": {"name": "M", "domain": "m.ch", "country": "CH", "head_count": 0}},
            "company.head_count",
        ),
        ({"company": {"name": "M", "domain": "m.ch", "country": "CH", "more": 1}}, "company.more"),
    ],
)
async def test_what_is_wrong_is_named_and_not_repeated(
    http: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    answer = await http.post("/register", json={**a_registration(an_address()), **change})
    assert answer.status_code == 422, answer.text
    assert field in [one["field"] for one in answer.json()["errors"]]
    assert all(
        str(value) not in answer.text
        for value in change.values()
        if isinstance(value, str) and len(value) > 9
    )


async def test_a_person_changes_name_password_and_sessions(http: httpx.AsyncClient) -> None:
    email, headers, _ = await a_newcomer(http)
    other = await signed_in(http, email)
    changed = await http.patch("/me", json={"name": "Anna Neu"}, headers=headers)
    assert (changed.status_code, changed.json()["name"], changed.json()["language"]) == (
        200,
        "Anna Neu",
        "de",
    )

    new = {"old_password": PASSWORD, "new_password": "another long password"}
    assert (await http.post("/me/password", json=new, headers=headers)).status_code == 204
    assert (await http.get("/me", headers=other)).status_code == 401
    wrong = await http.post("/me/password", json=new, headers=headers)
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (422, "old_password")

    assert (await http.post("/sign-out/everywhere", headers=headers)).status_code == 204
    assert (await http.get("/me", headers=headers)).status_code == 401


async def test_a_second_company_and_its_agreements(http: httpx.AsyncClient) -> None:
    email, headers, first = await a_newcomer(http)
    editions = (await http.get("/agreements")).json()
    body = {"company": {"name": "Zweite", "domain": "zweite.example", "country": "DE"}, "accepts": editions}
    made = await http.post("/tenants", json=body, headers=headers)
    assert made.status_code == 201
    second = made.json()["tenant_id"]

    me = (await http.get("/me", headers=headers)).json()
    assert [one["tenant_id"] for one in me["tenants"]] == [first, second]
    accepted = (await http.get(f"/tenants/{second}/agreements", headers=headers)).json()
    assert {(one["kind"], one["edition"], one["email"]) for one in accepted} == {
        (kind, edition, email) for kind, edition in editions.items()
    }
    again = await http.post(f"/tenants/{second}/agreements", json=editions, headers=headers)
    assert again.status_code == 204
