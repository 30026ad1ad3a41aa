"""A client of the public API, small enough to read: what the demo and the tour do, anybody can do.

api = Client("http://127.0.0.1:8350").signed(token)
answer = await api.get("/me")          # answer.status, answer.json
"""

import asyncio
import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

__all__ = ["Answer", "Client", "Refused"]

TIMEOUT = 120.0  # seconds


class Refused(Exception):
    """The API said no where the caller needed a yes. The message is the problem's title and detail."""

    def __init__(self, answer: "Answer", method: str, path: str) -> None:
        problem = answer.json if isinstance(answer.json, dict) else {}
        words = ": ".join(str(problem[name]) for name in ("title", "detail") if problem.get(name))
        super().__init__(f"{method} {path} was answered {answer.status} {words}".rstrip())
        self.answer = answer


@dataclass(frozen=True)
class Answer:
    """A response, read whole."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes = field(repr=False)

    @cached_property
    def json(self) -> Any:
        """The body decoded; None where there is none or it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(frozen=True)
class Client:
    """Asks one address, with one bearer secret or none. A connection a request: it is no hot path."""

    address: str
    secret: str | None = field(default=None, repr=False)

    def signed(self, secret: str) -> "Client":
        """The same with a session's or an API token's secret."""
        return Client(self.address, secret)

    async def get(self, path: str, **query: Any) -> Answer:
        """GET, whatever the answer."""
        return await self.ask("GET", f"{path}?{urlencode(query)}" if query else path)

    async def post(self, path: str, body: Any = None) -> Answer:
        """POST of JSON, whatever the answer."""
        return await self.ask("POST", path, json.dumps({} if body is None else body).encode())

    async def upload(self, path: str, content: bytes, name: str) -> Answer:
        """POST of a file's bytes, its name beside them."""
        disposition = f"attachment; filename*=UTF-8''{quote(name)}"
        headers = {"Content-Type": "application/octet-stream", "Content-Disposition": disposition}
        return await self.ask("POST", path, content, headers)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        prefix: str = "/api/v1",
    ) -> Answer:
        """One request to `path` under `prefix`. Raises: OSError when nobody answers."""
        sent = {"Content-Type": "application/json"} if body is not None else {}
        sent |= headers or {}
        if self.secret is not None:
            sent["Authorization"] = f"Bearer {self.secret}"
        return await asyncio.to_thread(self._ask, method, prefix + path, body, sent)

    async def need(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises: Refused unless the status is a 2xx."""
        answer = await self.ask(method, path, None if body is None else json.dumps(body).encode())
        return self.accepted(answer, method, path)

    @staticmethod
    def accepted(answer: Answer, method: str, path: str) -> Any:
        """The answer's JSON. Raises: Refused unless the status is a 2xx."""
        if not 200 <= answer.status < 300:
            raise Refused(answer, method, path)
        return answer.json

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        place = urlsplit(self.address)
        connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
        try:
            connection.request(method, path, body=body, headers=dict(headers))
            said = connection.getresponse()
            names = {name.lower(): value for name, value in said.getheaders()}
            return Answer(said.status, names, said.read())
        except http.client.HTTPException as error:
            raise ConnectionError(f"the service did not answer: {type(error).__name__}") from None
        finally:
            connection.close()
