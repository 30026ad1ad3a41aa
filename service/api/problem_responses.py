"""Every operation of the OpenAPI document gets the problems that the edge may answer with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mandant.service.problems import KINDS, MEDIA_TYPE, Kind

METHODS = ("get", "post", "put", "patch", "delete")

SCHEMA: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, after RFC 9457. `type` is stable and says what to do.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "enum": [kind.type for kind in KINDS.values()]},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "incident": {"type": "string", "description": "with 500: the number to name to the operator"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {
                    "field": {"type": "string", "description": "a path like emails.0.address"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def with_problems(document: dict[str, Any]) -> dict[str, Any]:
    """The document in which each operation has its problem responses, by status."""
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = SCHEMA
    by_status: dict[int, list[Kind]] = {}
    for kind in KINDS.values():
        by_status.setdefault(kind.status, []).append(kind)
    components["responses"] = {f"Problem{status}": _response(kinds) for status, kinds in by_status.items()}
    for path, method, operation in _operations(document):
        responses = operation.setdefault("responses", {})
        for status in sorted(by_status):
            if _possible(status, path, method, operation):
                responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def _possible(status: int, path: str, method: str, operation: dict[str, Any]) -> bool:
    sends, parameters = "requestBody" in operation, operation.get("parameters")
    if status == 405 or path.startswith("/health/"):
        return status in {400, 431, 500}
    if operation.get("security") == [] and (
        status in {403, 410} or (status == 401 and not path.endswith("/sign-in"))
    ):
        return False
    return {
        404: "{" in path,
        406: False,  # no address of ours offers a choice by Accept
        409: method != "get",
        413: sends,
        415: sends,
        422: path.startswith("/api/") or bool(parameters),  # an unknown parameter, at least
    }.get(status, True)


def _response(kinds: list[Kind]) -> dict[str, Any]:
    examples = {
        kind.slug: {
            "value": {"type": kind.type, "title": kind.title, "status": kind.status, "detail": kind.detail}
        }
        for kind in kinds
    }
    response: dict[str, Any] = {
        "description": "; ".join(kind.title for kind in kinds),
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}},
    }
    if any(kind.retry_after is not None for kind in kinds):
        response["headers"] = {
            "Retry-After": {
                "schema": {"type": "integer"},
                "description": "seconds to wait before the next try",
            }
        }
    return response
