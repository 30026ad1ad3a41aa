"""Export over HTTP: /api/v1/tenants/{tenant_id}/modules/{module}/export. Source: C14."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter
from litestar.response import Stream

from mandant.service.api.disposition import HEADER as DISPOSITION
from mandant.service.api.disposition import attachment
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.runtime import runtime_of
from mandant.tenants.modules import Module, exporting, listing
from mandant.tenants.modules.exporting import Exported
from mandant.tenants.modules.store import Stored
from mandant.tenants.people.roles import Action

BATCH = 200  # records opened at a time: each may have a mebibyte
PIECE = 64 * 1024  # bytes sent at a time, or one record where it has more

Format = Annotated[
    Literal["jsonl", "csv"],
    QueryParameter(description="jsonl is exact; csv is for people and spreadsheets"),
]
_TYPES = {"jsonl": "application/x-ndjson", "csv": "text/csv"}


def export_router(module: Module[Any]) -> Router:
    """The handler of one module."""

    @get(
        "/export",
        summary="Export all records",
        opt={"media_types": list(_TYPES.values())},
        responses={
            200: ResponseSpec(bytes, media_type=_TYPES["jsonl"], description="Streamed, oldest first")
        },
    )
    async def export(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        format: Format = "jsonl",  # noqa: A002 - its name in addresses, and in what is wrong with it
    ) -> Stream:
        """Where a record does not open or its key is switched off, the connection is cut: no clean end."""
        await member_of(request, tenant_id, Action.EXPORT)
        runtime = runtime_of(request)
        batches = listing.scan(runtime.tenant(tenant_id), module, batch=BATCH)
        # What is wrong from the start is told as a problem, before any answer begins.
        first: list[Stored[Any]] = await anext(batches, [])
        records = _exported(first, batches)
        lines = exporting.json_lines(records) if format == "jsonl" else exporting.csv_lines(module, records)
        return Stream(
            pieces(lines),
            headers={DISPOSITION: attachment(f"{module.name}.{format}")},
            media_type=_TYPES[format],
        )

    return Router(
        f"/api/v1/tenants/{{tenant_id:uuid}}/modules/{module.name}",
        route_handlers=[export],
        tags=[module.title],
    )


async def _exported(
    first: list[Stored[Any]], others: AsyncIterator[list[Stored[Any]]]
) -> AsyncGenerator[Exported[Any], None]:
    for stored in first:
        yield _out(stored)
    async for batch in others:
        for stored in batch:
            yield _out(stored)


def _out(stored: Stored[Any]) -> Exported[Any]:
    return Exported(stored.record_id, stored.version, stored.created_at, stored.updated_at, stored.record)


async def pieces(lines: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The same bytes in pieces worth sending."""
    held = bytearray()
    async for line in lines:
        held += line
        if len(held) >= PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)
