"""The service that schemathesis asks, and something real for every id in an address."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import httpx
from schemathesis import Case

from tests.promises.running import running

PASSWORD = "correct horse battery"
# These end sessions: each request has one of its own.
ENDING = {"sign_out", "sign_out_everywhere"}


@dataclass
class World:
    """A running service with an owner who is signed in."""

    url: str
    http: httpx.Client
    token: str
    tenant_id: str
    numbers: Iterator[int] = field(default_factory=count)
    made: dict[str, str] = field(default_factory=dict)

    def prepare(self, case: Case[Any]) -> dict[str, Any]:
        """Put ids that exist where the case has ids; what to call the service with."""
        operation = str(case.operation.definition.raw["operationId"])
        for name, value in case.path_parameters.items():
            if _is_id(value) and (name == "tenant_id" or next(self.numbers) % 5):
                case.path_parameters[name] = self._real(name, case.operation.path, operation)
        if isinstance(case.body, dict | list):
            case.body = _whole(case.body)
        token = self._sign_in("leaving@example.ch") if operation in ENDING else self.token
        return {"base_url": self.url, "headers": {"Authorization": f"Bearer {token}"}}

    def _real(self, name: str, path: str, operation: str) -> str:
        if name == "tenant_id":
            return self.tenant_id
        base = path.partition("/{" + name)[0]
        if operation.endswith(("_remove", "_revoke", "_withdraw")) or base not in self.made:
            self.made[base] = self._make(name, base.replace("{tenant_id}", self.tenant_id))
        return self.made[base]

    def _make(self, name: str, base: str) -> str:
        number = next(self.numbers)
        email = f"fuzz{number}@example.ch"
        match name:
            case "record_id":
                record = {"last_name": "Muster"} if "customers" in base else {"name": f"Group {number}"}
                return self._post(base, "id", json=record)
            case "import_id":
                return self._post(base, "id", content=b"Name;E-Mail\nMuster;anna@example.ch\n")
            case "file_id":
                headers = {"Content-Disposition": "attachment; filename=a.txt"}
                return self._post(f"{base}?module=customers", "id", content=b"file", headers=headers)
            case "token_id":
                return self._post(base, "token", json={"name": "fuzz"}, pick=lambda it: it["token_id"])
            case "invitation_id":
                body = {"email": email}
                return self._post(base, "invitation", json=body, pick=lambda it: it["invitation_id"])
            case _:
                members = self.http.get(base, headers=self._headers()).json()
                return str(members[-1]["person_id"])  # once all others are removed, the owner, who stays

    def add_members(self, how_many: int) -> None:
        """Colleagues, before the limit of registrations is reached."""
        for number in range(how_many):
            invitation = {"email": f"colleague{number}@example.ch"}
            secret = self._post(f"/api/v1/tenants/{self.tenant_id}/invitations", "secret", json=invitation)
            body = {"secret": secret, "name": "Berta", "password": PASSWORD}
            self._post("/api/v1/invitations/accept-as-newcomer", "tenant_id", json=body)

    def _post(self, path: str, key: str, *, pick: Callable[[Any], str] = str, **request: Any) -> str:
        headers = self._headers() | request.pop("headers", {})
        answer = self.http.post(path, headers=headers, **request)
        assert answer.is_success, answer.text
        return pick(answer.json()[key])

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _sign_in(self, email: str) -> str:
        return sign_in(self.http, email)


@contextmanager
def world() -> Iterator[World]:
    """A fresh installation. Limits of tries are far off: what is behind them is to be reached."""
    with (
        running(MANDANT_SIGN_IN_ATTEMPTS="10000", MANDANT_LOG_LEVEL="info") as service,
        httpx.Client(base_url=service.url, timeout=60) as http,
    ):
        for email in ("owner@example.ch", "leaving@example.ch"):
            registration = {
                "name": "Anna Muster",
                "email": email,
                "password": PASSWORD,
                "company": {"name": "Muster AG", "domain": "muster.example", "country": "CH"},
                "accepts": http.get("/api/v1/agreements").json(),
            }
            assert http.post("/api/v1/register", json=registration).status_code == 202
        token = sign_in(http, "owner@example.ch")
        me = http.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"}).json()
        made = World(service.url, http, token, me["tenants"][0]["tenant_id"])
        made.add_members(6)
        yield made


def sign_in(http: httpx.Client, email: str) -> str:
    """A session's token."""
    answer = http.post("/api/v1/sign-in", json={"email": email, "password": PASSWORD})
    return str(answer.json()["token"])


def _is_id(value: Any) -> bool:
    try:
        return bool(UUID(value))
    except (ValueError, AttributeError, TypeError):
        return False


def _whole(value: Any) -> Any:
    """JSON Schema takes 819.0 for an integer; no client writes one so, and ours is strict about it."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
