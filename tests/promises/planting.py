"""Everything that the API lets somebody do, done with canaries.

A new operation is named by test_sealed until somebody plants with it here.
"""

import time
from base64 import b32decode
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx

from mandant.tenants.people.second_factor import STEP, code_at
from tests.promises.needles import Canary

Json = Any


class Visitor:
    """Somebody at the API, signed in or not."""

    def __init__(self, http: httpx.Client, canary: Canary) -> None:
        self.http, self.canary = http, canary
        self.email = canary.email()
        self.password = f"{canary.word('password')} {canary.word()}"
        self.chosen = [self.email, self.password]  # what somebody might guess
        self.tenant_id = ""
        self.headers: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Json = None, *, expect: int, **more: Any) -> Json:
        """One request; its answer's body. `expect`: the status."""
        headers = {**self.headers, **more.pop("headers", {})}
        kind = {} if body is None else {"json": body}
        answer = self.http.request(method, f"/api/v1{path}", headers=headers, **kind, **more)
        assert answer.status_code == expect, (method, path, answer.status_code, answer.text)
        is_json = (
            answer.headers.get("content-type", "").endswith("json")
            and "ndjson" not in answer.headers["content-type"]
        )
        return answer.json() if answer.content and is_json else answer.content

    def sign_in(self, **more: str) -> None:
        self.headers = {}
        answer = self.ask(
            "POST", "/sign-in", {"email": self.email, "password": self.password, **more}, expect=200
        )
        self.headers = {"Authorization": f"Bearer {answer['token']}"}

    def register(self) -> None:
        canary = self.canary
        editions = self.ask("GET", "/agreements", expect=200)
        self.accepts = (
            {one["kind"]: one["edition"] for one in editions} if isinstance(editions, list) else editions
        )
        body = {
            "name": f"{canary.word('first')} {canary.word('last')}",
            "email": self.email,
            "password": self.password,
            "company": self.company(),
            "function": canary.word("function"),
            "accepts": self.accepts,
        }
        self.ask("POST", "/register", body, expect=202)
        self.ask("POST", "/register", body, expect=202)  # the address is taken now
        self.sign_in()
        self.tenant_id = self.ask("GET", "/me", expect=200)["tenants"][0]["tenant_id"]

    def company(self) -> Json:
        return {
            "name": f"{self.canary.word('company')} AG",
            "domain": f"{self.canary.word('domain').lower()}.example",
            "country": "CH",
            "head_count": 12,
        }

    def customer(self, **more: Json) -> Json:
        word = self.canary.word
        return {
            "kind": "person",
            "number": self.canary.digits(),
            "salutation": word("salutation"),
            "title": word("title"),
            "first_name": word("first"),
            "last_name": word("last"),
            "company": word("company"),
            "department": word("department"),
            "position": word("position"),
            "addresses": [
                {"street": word("street"), "extra": word(), "postcode": word(), "city": word("city")}
            ],
            "emails": [{"address": self.canary.email()}],
            "phones": [{"number": self.canary.phone()}],
            "website": f"https://{word('site').lower()}.example/{word('path')}",
            "ibans": [self.canary.iban()],
            "tags": [word("tag")],
            "relations": [{"kind": word("relation"), "customer": str(uuid4())}],
            "notes": " ".join(word("notes") for _ in range(200)),
            **more,
        }


def plant_people(visitor: Visitor) -> None:
    """Profile, password, second factor, company, agreements, members, invitations, tokens."""
    canary, ask = visitor.canary, visitor.ask
    home = f"/tenants/{visitor.tenant_id}"
    ask("PATCH", "/me", {"name": canary.word("renamed")}, expect=200)
    ask("POST", "/sign-in", {"email": visitor.email, "password": canary.word("wrong")}, expect=401)
    ask("POST", "/sign-in", {"email": canary.email(), "password": canary.word("wrong")}, expect=401)
    old, visitor.password = visitor.password, canary.word("password") + canary.word()
    ask("POST", "/me/password", {"old_password": canary.word(), "new_password": old}, expect=422)
    ask("POST", "/me/password", {"old_password": old, "new_password": visitor.password}, expect=204)
    _second_factor(visitor)
    read = ask("GET", home, expect=200)
    ask("PATCH", home, {"version": read["version"], "name": canary.word("renamed")}, expect=200)
    ask("PATCH", home, {"version": read["version"], "name": canary.word("stale")}, expect=409)
    ask("GET", f"{home}/agreements", expect=200)
    ask("POST", f"{home}/agreements", visitor.accepts, expect=204)
    ask(
        "POST",
        "/tenants",
        {"company": visitor.company(), "function": canary.word("function"), "accepts": visitor.accepts},
        expect=201,
    )
    _members(visitor, home)
    made = ask("POST", f"{home}/tokens", {"name": canary.word("token")}, expect=201)
    ask("GET", f"{home}/tokens", expect=200)
    ask("DELETE", f"{home}/tokens/{made['token']['token_id']}", expect=204)


def _second_factor(visitor: Visitor) -> None:
    secret = b32decode(visitor.ask("POST", "/me/second-factor", expect=200)["secret"])
    step = int(time.time()) // STEP
    ask = visitor.ask
    confirm = {"password": visitor.canary.word(), "code": code_at(secret, step)}
    ask("POST", "/me/second-factor/confirm", confirm, expect=422)
    confirm["password"] = visitor.password
    recovery = ask("POST", "/me/second-factor/confirm", confirm, expect=200)
    one, other, *_ = recovery["recovery_codes"]
    ask("POST", "/sign-out", expect=204)
    visitor.sign_in(code=one)
    ask("POST", "/me/second-factor/off", {"password": visitor.canary.word(), "code": other}, expect=422)
    ask("POST", "/me/second-factor/off", {"password": visitor.password, "code": other}, expect=204)


def _members(visitor: Visitor, home: str) -> None:
    canary, ask = visitor.canary, visitor.ask
    newcomer, known, unwanted = (Visitor(visitor.http, canary) for _ in range(3))
    known.register()
    secrets = []
    for invited in (newcomer, known, unwanted):
        answer = ask(
            "POST",
            f"{home}/invitations",
            {"email": invited.email, "function": canary.word("function")},
            expect=201,
        )
        secrets.append(answer["secret"])
    waiting = ask("GET", f"{home}/invitations", expect=200)
    withdrawn = next(one for one in waiting if one["email"] == unwanted.email)
    ask("DELETE", f"{home}/invitations/{withdrawn['invitation_id']}", expect=204)
    newcomer.ask(
        "POST",
        "/invitations/accept-as-newcomer",
        {"secret": secrets[0], "name": canary.word("newcomer"), "password": newcomer.password},
        expect=200,
    )
    newcomer.sign_in()
    known.ask("POST", "/invitations/accept", {"secret": secrets[1]}, expect=200)
    people = ask("GET", f"{home}/members", expect=200)
    person_id = next(one["person_id"] for one in people if one["email"] == newcomer.email)
    ask("PATCH", f"{home}/members/{person_id}", {"function": canary.word("function")}, expect=204)
    ask("DELETE", f"{home}/members/{person_id}", expect=204)
    known.ask("POST", "/sign-out/everywhere", expect=204)


def plant_records(visitor: Visitor) -> None:
    """Customers: create, read, change, search, query, bulk, conflicts, bad input, delete."""
    canary, ask = visitor.canary, visitor.ask
    records = f"/tenants/{visitor.tenant_id}/modules/customers/records"
    first = visitor.customer()
    visitor.chosen += [first["number"], first["ibans"][0].replace(" ", ""), first["emails"][0]["address"]]
    visitor.chosen += [first["first_name"], first["last_name"], first["company"]]
    changed = _plant_module(visitor, "customers", first, visitor.customer, "number", "last_name")
    for path, value in (
        ("emails.address", changed["emails"][0]["address"]),
        ("phones.number", changed["phones"][0]["number"]),
        ("ibans", changed["ibans"][0]),
        ("tags", canary.word("nowhere")),
    ):
        found = ask("POST", f"{records}/search", _search(path, value), expect=200)
        assert bool(found["items"]) == (path != "tags"), path


def plant_groups(visitor: Visitor) -> None:
    """The same with groups."""

    def group(**more: Json) -> Json:
        return {"name": visitor.canary.word("group"), "description": visitor.canary.word("text"), **more}

    _plant_module(visitor, "groups", group(), group, "name", "name")


def _plant_module(
    visitor: Visitor, module: str, first: Json, make: Callable[..., Json], unique: str, named: str
) -> Json:
    """Everything that a module's addresses do. Returns a record that stays."""
    canary, ask = visitor.canary, visitor.ask
    records = f"/tenants/{visitor.tenant_id}/modules/{module}/records"
    made = ask("POST", records, first, expect=201)
    gone = ask("POST", records, make(), expect=201)
    once = {"Idempotency-Key": canary.word("key")}
    repeated = make()
    for _ in range(2):
        ask("POST", records, repeated, expect=201, headers=once)
    ask("POST", records, make(), expect=422, headers=once)
    ask("POST", records, make(**{unique: first[unique]}), expect=409)
    ask("POST", records, make(**{named: [canary.word()]}), expect=422)
    ask("POST", records, make(**{canary.word(): 1}), expect=422)
    ask("POST", f"{records}/bulk", {"records": [make() for _ in range(20)]}, expect=201)
    ask("POST", f"{records}/bulk", {"records": [make(), first]}, expect=409)
    ask("GET", f"{records}/{made['id']}", expect=200)
    changed = make(**{unique: first[unique]})
    ask("PUT", f"{records}/{made['id']}", changed, expect=200, params={"version": 1})
    ask("PUT", f"{records}/{made['id']}", make(), expect=409, params={"version": 1})
    ask("GET", records, expect=200, params={"limit": 5})
    ask("GET", f"{records}/count", expect=200)
    assert ask("POST", f"{records}/search", _search(named, changed[named]), expect=200)["items"]
    beginning = _search(named, changed[named][:15])
    beginning["conditions"][0]["beginnings"] = True
    assert ask("POST", f"{records}/search", beginning, expect=200)["items"]
    ask("POST", f"{records}/search", _search(canary.word(), canary.word()), expect=422)
    contains = {"field": named, "operator": "contains", "value": changed[named]}
    assert ask("POST", f"{records}/query", {"filters": [contains], "sort": named}, expect=200)["items"]
    ask("DELETE", f"{records}/{gone['id']}", expect=204)
    return changed


def plant_files(visitor: Visitor) -> None:
    """Two files, one of which goes again; and uploads that are refused."""
    canary, ask = visitor.canary, visitor.ask
    files = f"/tenants/{visitor.tenant_id}/files"
    content = "".join(f"{canary.word('line')},{canary.digits()}\n" for _ in range(20_000)).encode()
    headers = {
        "Content-Type": f"application/x-{canary.word('type').lower()}",
        "Content-Disposition": f"attachment; filename*=UTF-8''{canary.word('name')}%20{canary.word()}.txt",
        "Idempotency-Key": canary.word("key"),
    }
    module = {"module": "customers"}
    kept, gone = (
        ask(
            "POST",
            files,
            expect=201,
            content=content,
            params=module,
            headers={**headers, "Idempotency-Key": key},
        )
        for key in (canary.word("key"), canary.word("key"))
    )
    assert ask("GET", f"{files}/{kept['id']}/content", expect=200) == content
    ask("GET", f"{files}/{kept['id']}", expect=200)
    assert len(ask("GET", files, expect=200, params=module)["items"]) == 2
    ask("DELETE", f"{files}/{gone['id']}", expect=204)
    form = {"file": (canary.word("name"), content)}
    ask(
        "POST",
        files,
        expect=415,
        files=form,
        params=module,
        headers={"Content-Disposition": "attachment; filename=x"},
    )
    ask("POST", files, expect=404, content=content, params={"module": canary.word("module")}, headers=headers)


def _search(path: str, value: str) -> Json:
    return {"conditions": [{"field": path, "value": value}]}
