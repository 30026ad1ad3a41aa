"""`null` in an address: Litestar takes it for no value, and a faulty client's `?version=null` is no wish."""

from __future__ import annotations

from typing import cast

from litestar.handlers import HTTPRouteHandler

from mandant.service.edge.body import MandantRequest
from mandant.tenants.errors import Invalid


async def refuse_null(request: MandantRequest) -> None:
    """Otherwise `DELETE ...?version=null` would delete whatever the version is. Raises: Invalid."""
    if b"null" not in request.scope["query_string"].lower():
        return
    declared = cast("HTTPRouteHandler", request.scope["route_handler"]).parsed_fn_signature.parameters
    for name, value in request.query_params.multi_items():
        if value.lower() == "null" and name in declared and declared[name].is_optional:
            raise Invalid([(name, "null is no value; leave it out")])
