"""What the OpenAPI document offers, so that an operation added later is missed by the test of promise 1."""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx

METHODS = ("get", "post", "put", "patch", "delete")
Json = Any


@dataclass
class Operations:
    """What the OpenAPI document offers, and what was asked of it.

    `done`: answered 2xx. `planted`: the same, and the request carried a canary in its body.
    """

    document: Json
    core: str
    done: Counter[str] = field(default_factory=Counter)
    planted: Counter[str] = field(default_factory=Counter)

    def all(self) -> dict[str, Json]:
        """`POST /api/v1/register` -> the operation."""
        return {
            f"{method.upper()} {path}": item[method]
            for path, item in self.document["paths"].items()
            for method in METHODS
            if method in item
        }

    def name_of(self, method: str, path: str) -> str | None:
        """The operation that answers an address; fixed addresses come before templates."""
        fitting = [
            template
            for template in self.document["paths"]
            if method.lower() in self.document["paths"][template]
            and re.fullmatch(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template)), path)
        ]
        return f"{method} {min(fitting, key=lambda one: one.count('{'))}" if fitting else None

    def note(self, response: httpx.Response) -> None:
        """An event hook of the client."""
        request = response.request
        name = self.name_of(request.method, request.url.path)
        if name is not None and response.is_success:
            self.done[name] += 1
            try:
                content = request.content
            except httpx.RequestNotRead:
                content = self.core.encode()  # a streamed upload: of a canary
            if self.core.encode() in content.lower():
                self.planted[name] += 1
