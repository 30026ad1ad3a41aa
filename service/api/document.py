"""The OpenAPI document: Litestar's, made exact, with examples, problems and who may call what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.openapi.spec import Components, SecurityScheme, Tag
from litestar.types.internal_types import PathParameterDefinition

from mandant.service.api.examples import add_examples
from mandant.service.api.problem_responses import with_problems
from mandant.service.api.schemas import Json, handlers_of, type_bodies
from mandant.tenants.modules import Module

TITLE = "mandant"
DESCRIPTION = """\
Tenants' data: sealed with each tenant's own keys, isolated, searchable.

**To try it here**: `POST /api/v1/sign-in`, copy `token`, press *Authorize* and paste it. Your tenants' ids \
are in `GET /api/v1/me`.

* Every error is `application/problem+json`; its `type` says what to do and never repeats what was sent.
* Lists are read page by page: `next` of an answer is `after` of the following request.
* An update names the `version` that was read; 409 means that somebody was quicker.
* A POST with an `Idempotency-Key` may be sent again: it is done once.
"""
BEARER = "bearer"
COMPONENTS = Components(
    security_schemes={
        BEARER: SecurityScheme(
            type="http",
            scheme="bearer",
            description="The `token` of POST /api/v1/sign-in, or the `secret` of an API token.",
        )
    }
)
_FIRST = [
    Tag("Sign-in", "Register with a company, sign in and out."),
    Tag("Account", "Whoever is signed in: profile, password, second factor."),
    Tag("Company", "The tenant: its data, the agreements it accepted."),
    Tag("Members", "Colleagues, their roles, and invitations."),
    Tag("API tokens", "For programs. Only a person makes and revokes them."),
]
_LAST = [
    Tag("Files", "Sealed files of a module, or of one of its records."),
    Tag("Health", "For supervisors and load balancers."),
    Tag("Problems", "What the `type` of an error means."),
]
_PARAMETERS = {
    "tenant_id": "the tenant; GET /api/v1/me lists yours",
    "record_id": "the record's `id`",
    "file_id": "the file's `id`",
    "import_id": "the import's `id`",
    "person_id": "the member's `person_id`",
    "invitation_id": "the invitation's `invitation_id`",
    "token_id": "the token's `token_id`",
    "slug": "the last part of a problem's `type`",
    "after": "`next` of the page before",
    "record": "the record that the file belongs to",
}
_SAYS = {"200": "Done", "201": "Made", "202": "Accepted; it goes on in the background", "204": "Done"}
_KEY: Json = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    # Without an example: the page would fill it in, and the second try would be answered as the first.
    "description": "A UUID, say: new for each request that is meant, the same where it is sent again.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def tags(modules: Sequence[Module[Any]]) -> list[Tag]:
    """The sections of the page in their order."""
    own = [Tag(module.title, (module.record.__doc__ or "").partition("\n\n")[0]) for module in modules]
    return [*_FIRST, *own, *_LAST]


def operation_id(handler: HTTPRouteHandler, _method: Any, path: list[str | PathParameterDefinition]) -> str:
    """`customers_create`, `customers_imports_upload`, `files_upload`, for handlers that name none."""
    fixed = [
        part for part in path if isinstance(part, str) and part not in {"api", "v1", "tenants", "modules"}
    ]
    at_modules = "modules" in path
    scope = [part for part in fixed[: 2 if at_modules else 1] if part != "records"]
    name = handler.handler_name
    return "_".join(scope if scope[-1:] == [name] else [*scope, name])


def finished(raw: Json, app: Litestar, modules: Sequence[Module[Any]]) -> Json:
    """A copy of what Litestar made, complete."""
    document: Json = msgspec.to_builtins(raw)
    for operation, handler in handlers_of(document, app):
        if handler.opt.get("public"):
            operation["security"] = []
        operation["parameters"] = [_parameter(one) for one in operation.get("parameters", [])]
        if handler.opt.get("idempotent"):
            operation["parameters"].append(_KEY)
        if not operation["parameters"]:
            del operation["parameters"]
        for status, answer in operation["responses"].items():
            if status in _SAYS and not _own_words(handler, status):
                answer["description"] = _SAYS[status]
            if status == "200":
                for media_type in handler.opt.get("media_types", ()):
                    answer["content"][media_type] = {}
    type_bodies(document, app, modules)
    add_examples(document)
    _sort(document)
    return with_problems(document)


def _own_words(handler: HTTPRouteHandler, status: str) -> bool:
    return int(status) in (handler.responses or {})


def _sort(document: Json) -> None:
    """Sections as they are listed; in one a module's records before its imports and its export."""
    sections = {tag["name"]: number for number, tag in enumerate(document["tags"])}

    def place(one: tuple[str, Json]) -> tuple[int, bool, str]:
        path, item = one
        (section, *_) = next(iter(item.values())).get("tags", [""])
        return sections.get(section, len(sections)), "/records" not in path, path

    document["paths"] = dict(sorted(document["paths"].items(), key=place))


def _parameter(parameter: Json) -> Json:
    """Described, and without the null that no address can hold."""
    schema = parameter["schema"]
    arms = [arm for arm in schema.get("oneOf", ()) if arm.get("type") != "null"]
    if len(arms) == 1:
        schema = arms[0] | {key: value for key, value in schema.items() if key != "oneOf"}
    for bound in ("minimum", "maximum"):
        if bound in schema:
            schema[bound] = int(schema[bound])
    if "description" not in parameter and parameter["name"] in _PARAMETERS:
        parameter["description"] = _PARAMETERS[parameter["name"]]
    return parameter | {"schema": schema}
