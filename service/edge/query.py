"""The parameters of an address: only those that the address knows, and `null` is no value.

Litestar leaves out what it does not know and takes `null` for no value. A faulty client's
`DELETE ...?version=null` or `?verison=3` would delete whatever the version is.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from litestar import Litestar, Request
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from mandant.service.edge.fields import named
from mandant.tenants.errors import Invalid, Problem

_KNOWN = "query"


def learn_parameters(app: Litestar) -> None:
    """To be called once: writes down at each handler which parameters it has, and which may be left out.

    Those outside the API's document stay lenient: pages, health, metrics.
    """
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or not route.path.startswith("/api/"):
            continue
        for handler, model in route.route_handler_map.values():
            if not handler.resolve_include_in_schema():
                continue
            declared = handler.parsed_fn_signature.parameters
            handler.opt[_KNOWN] = {
                one.field_alias: one.field_name in declared and declared[one.field_name].is_optional
                for one in model.expected_query_params
            }


async def check_parameters(request: Request[Any, Any, Any]) -> None:
    """Raises: Invalid."""
    if not request.scope["query_string"]:
        return
    known = cast("HTTPRouteHandler", request.scope["route_handler"]).opt.get(_KNOWN)
    if known is not None and (wrong := list(_wrong(request, known))):
        raise Invalid(wrong)


def _wrong(request: Request[Any, Any, Any], known: dict[str, bool]) -> Iterator[Problem]:
    for name, value in request.query_params.multi_items():
        if name not in known:
            yield Problem(named(name), "unknown parameter")
        elif known[name] and value.lower() == "null":
            yield Problem(name, "null is no value; leave it out")
