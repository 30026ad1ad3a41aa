"""Canaries where none belong: addresses, queries, headers, unknown fields, bodies that break off."""

import json
import re
from typing import Any
from uuid import uuid4

import httpx

from tests.promises.needles import Canary
from tests.promises.operations import Operations
from tests.promises.planting import Visitor


def strew(visitor: Visitor, operations: Operations) -> list[str]:
    """Canaries where none belong, at every operation: address, query, headers, unknown fields, broken bodies.

    Returns what answered with a canary in it, or with 500 and more.
    """
    canary, wrong = visitor.canary, []
    home = {"tenant_id": visitor.tenant_id}
    for name, operation in operations.all().items():
        method, _, template = name.partition(" ")
        parts = re.findall(r"{([^}]+)}", template)
        lost = [template, *(template.replace(f"{{{part}}}", canary.word("path")) for part in parts)]
        for address in lost:
            path = re.sub(r"{([^}]+)}", lambda found: home.get(found[1], str(uuid4())), address)
            for sent in _strewn(canary, "requestBody" in operation):
                for identity in (visitor.headers, {"Authorization": f"Bearer {canary.word('token')}"}):
                    headers = {**_headers(canary), **sent.get("headers", {}), **identity}
                    answer = visitor.http.request(
                        method,
                        path,
                        params={
                            canary.word("query"): canary.word(),
                            "limit": canary.word(),
                            "version": canary.word(),
                        },
                        **{**sent, "headers": headers},
                    )
                    if answer.status_code >= 500 or (not answer.is_success and _said_back(canary, answer)):
                        wrong.append(f"{name}: {answer.status_code} {answer.text[:300]}")
                if visitor.http.get("/api/v1/me", headers=visitor.headers).status_code == 401:
                    visitor.sign_in()
    return wrong


def _said_back(canary: Canary, answer: httpx.Response) -> bool:
    """Whether a canary stands in the answer, but as the name of a field: whoever sent it must be told which."""
    text = answer.text
    if answer.status_code == 422:
        problem = answer.json()
        for error in problem.get("errors", []):
            error["field"] = ""
        text = json.dumps(problem)
    return canary.core in (text + str(answer.headers.raw)).lower()


def _strewn(canary: Canary, has_body: bool) -> list[dict[str, Any]]:
    if not has_body:
        return [{}]
    unknown = {canary.word("unknown"): canary.word("value"), "name": canary.word(), "kind": canary.word()}
    kind = {"Content-Type": "application/json"}
    return [
        {"json": unknown},
        {"content": json.dumps(unknown)[:-3].encode(), "headers": kind},
        {"content": canary.word("text").encode()},
    ]


def _headers(canary: Canary) -> dict[str, str]:
    return {
        "User-Agent": canary.word("agent"),
        "Referer": f"https://{canary.word('referrer')}.example/{canary.word('path')}?q={canary.word()}",
        "Cookie": f"session={canary.word('cookie')}",
        "Idempotency-Key": canary.word("key"),
        "X-Request-Id": canary.word("request"),
        "X-Forwarded-For": canary.word("host"),
        "Accept-Language": canary.word("language"),
        "traceparent": f"00-{canary.word('trace')}-01",
        "tracestate": f"vendor={canary.word('state').lower()}",
        "baggage": f"user={canary.word('baggage')}",
        f"X-{canary.word('header')}": canary.word("header"),
    }
