"""Imports over HTTP: /api/v1/tenants/{tenant_id}/modules/{module}/imports...

Upload a file, look at what would happen, change the mapping, start, watch; then fetch the rows that were
refused. A file's name is sealed data: it comes in Content-Disposition and stands in no address.
"""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from litestar import Response, Router, delete, get, post, put
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, JSONBody, Parameter
from litestar.response import Stream

from mandant.service.api.disposition import HEADER as DISPOSITION
from mandant.service.api.disposition import attachment, name_in
from mandant.service.api.import_bodies import ImportBody, ImportPage, Preview, WantedMapping, previewed, shown
from mandant.service.api.once import once
from mandant.service.api.uploading import RawBody, upload_once
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.errors import UnsupportedBody
from mandant.service.runtime import runtime_of
from mandant.tenants.modules import Module
from mandant.tenants.modules.importing import refused, run, state
from mandant.tenants.modules.importing.mapping import Column, Mapping
from mandant.tenants.modules.importing.state import ImportRun, ImportState
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.people.roles import Action

MAX_PAGE = 200

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="imports on a page")]


def imports_router(module: Module[Any]) -> Router:
    """The handlers of one module."""

    @post(
        "/",
        summary="Upload a file to import",
        opt={"idempotent": True},
        request_max_body_size=None,
        operation_class=RawBody,
        responses={
            201: ResponseSpec(ImportBody, description="The file can be read; nothing is imported yet")
        },
    )
    async def upload(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        content_disposition: Annotated[
            str | None,
            HeaderParameter(
                name="Content-Disposition", description="attachment; filename*=UTF-8''kontakte.csv"
            ),
        ] = None,
    ) -> Response[Any]:
        """CSV, vCard, XLSX or JSON Lines as the body; its kind is told by its content.

        A file that cannot be read at all is refused, and nothing of it stays. With an Idempotency-Key
        header, sending it twice makes one import.
        """
        member = await member_of(request, tenant_id, Action.IMPORT)
        shelf = runtime_of(request).shelf(tenant_id)
        # A form's boundary would be read as the heading of a CSV file.
        if (request.headers.get("content-type") or "").lower().startswith("multipart/"):
            raise UnsupportedBody("text/csv, application/octet-stream and the like, not as a form,")
        name = name_in(content_disposition) if content_disposition else "import"
        return await upload_once(
            request,
            member,
            name,
            lambda chunks, limit, and_then: run.upload(
                shelf,
                module,
                name,
                "application/octet-stream",
                chunks,
                limit=limit,
                and_then=and_then,
            ),
            shown,
        )

    @get("/", summary="List imports, newest first")
    async def newest(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        after: FromQuery[UUID | None] = None,
        limit: Limit = 50,
    ) -> ImportPage:
        """Those of the last 30 days, and those that still run."""
        async with (await _shelf(request, tenant_id)).session() as session:
            found = await state.newest(session, module.name, after, limit)
        following = found[-1].import_id if len(found) == limit else None
        return ImportPage([shown(one) for one in found], following)

    @get("/{import_id:uuid}", summary="Watch an import")
    async def read(
        request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]
    ) -> ImportBody:
        """Its state, and how far it is."""
        return shown(await _found(await _shelf(request, tenant_id), module, import_id))

    @get("/{import_id:uuid}/preview", summary="See what an import would do")
    async def preview(
        request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]
    ) -> Preview:
        """The mapping, the first rows, every problem with its line. Reads the whole file, changes nothing."""
        shelf = await _shelf(request, tenant_id)
        found = await _found(shelf, module, import_id)
        return previewed(found, await run.dry_run(shelf, module, found))

    @put("/{import_id:uuid}/mapping", summary="Change which column means what")
    async def remap(
        request: MandantRequest,
        tenant_id: FromPath[UUID],
        import_id: FromPath[UUID],
        data: JSONBody[WantedMapping],
    ) -> ImportBody:
        """Before the import is started; preview it again after."""
        shelf = await _shelf(request, tenant_id)
        asked = Mapping(
            tuple(Column(wanted.column, wanted.target, 1.0) for wanted in data.columns),
            data.date_order,
        )
        async with shelf.session(write=True) as session:
            found = await state.find(session, import_id, module.name, lock=True)
            mapping = run.remapped(module, found, asked)
            return shown(await state.remap(session, found, mapping, shelf.clock.now()))

    @post(
        "/{import_id:uuid}/start",
        summary="Start an import, or go on with it",
        status_code=202,
        opt={"idempotent": True},
    )
    async def start(
        request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]
    ) -> Response[ImportBody]:
        """Good rows become records in the background. One that failed or was cancelled goes on from there."""
        member = await member_of(request, tenant_id, Action.IMPORT)
        shelf = runtime_of(request).shelf(tenant_id)
        await request.body()
        async with shelf.session(write=True) as session:
            attempt = await once(session, request, member)
            if attempt.replay is not None:
                return attempt.replay  # type: ignore[return-value]  # the same, encoded
            found = await state.find(session, import_id, module.name, lock=True)
            started = await run.start(session, runtime_of(request).jobs, found, shelf)
            return await attempt.keep(202, shown(started))  # type: ignore[return-value]  # encoded

    @post("/{import_id:uuid}/cancel", summary="Stop an import", status_code=200)
    async def cancel(
        request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]
    ) -> ImportBody:
        """Records that are made stay; no further batch begins."""
        shelf = await _shelf(request, tenant_id)
        async with shelf.session(write=True) as session:
            found = await state.find(session, import_id, module.name, lock=True)
            return shown(await state.change_state(session, found, ImportState.CANCELLED, shelf.clock.now()))

    @get(
        "/{import_id:uuid}/report",
        summary="Download the rows that were refused",
        responses={200: ResponseSpec(bytes, media_type="text/csv", description="CSV, UTF-8, semicolons")},
    )
    async def report(request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]) -> Stream:
        """Each with its line, what is wrong, and as it was: to be corrected and imported again."""
        shelf = await _shelf(request, tenant_id)
        found = await _found(shelf, module, import_id)
        return Stream(
            refused.read_report(shelf, found),
            headers={DISPOSITION: attachment(f"{module.name}-refused.csv")},
            media_type="text/csv",
        )

    @delete("/{import_id:uuid}", summary="Delete an import")
    async def remove(request: MandantRequest, tenant_id: FromPath[UUID], import_id: FromPath[UUID]) -> None:
        """Its file and its report go, its records stay. Not while it runs."""
        shelf = await _shelf(request, tenant_id)
        await run.delete(shelf, runtime_of(request).jobs, import_id, module.name)

    return Router(
        f"/api/v1/tenants/{{tenant_id:uuid}}/modules/{module.name}/imports",
        route_handlers=[upload, newest, read, preview, remap, start, cancel, report, remove],
        tags=[module.title],
    )


async def _shelf(request: MandantRequest, tenant_id: UUID) -> Shelf:
    """The tenant's files, if whoever asks may import. Raises: NotSignedIn, NotFound, Forbidden."""
    await member_of(request, tenant_id, Action.IMPORT)
    return runtime_of(request).shelf(tenant_id)


async def _found(shelf: Shelf, module: Module[Any], import_id: UUID) -> ImportRun:
    async with shelf.session() as session:
        return await state.find(session, import_id, module.name)
