"""Files over HTTP: /api/v1/tenants/{tenant_id}/files...

A file is the body itself, with its type in Content-Type and its name in Content-Disposition. Not a form:
a form's parts are spooled to the disk in plaintext. A name is sealed data, so it stands in no address.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, HeaderParameter, Parameter, QueryParameter
from litestar.response import Stream

from mandant.service.api.disposition import HEADER as DISPOSITION
from mandant.service.api.disposition import attachment, name_in
from mandant.service.api.uploading import RawBody, upload_once
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.errors import UnsupportedBody
from mandant.service.runtime import runtime_of
from mandant.tenants.modules import files
from mandant.tenants.people.roles import Action

MAX_PAGE = 200

Limit = Annotated[int, Parameter(ge=1, le=MAX_PAGE, description="files on a page")]
ModuleName = Annotated[str, QueryParameter(max_length=40, description="the module's name")]

# What clients send for a body that they were told no type of, and what cannot pass without being spooled.
_FORMS = ("multipart/", "application/x-www-form-urlencoded")
# A browser that shows it all the same runs nothing in it.
_INERT = "default-src 'none'; sandbox; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"


class FileBody(msgspec.Struct, frozen=True):
    """What a file is; its bytes are at `/content`."""

    id: UUID
    module: str
    record: UUID | None
    name: str
    media_type: str
    size: int
    created_at: datetime


class FilePage(msgspec.Struct, frozen=True):
    """`next` is `after` of the following page, null on the last one."""

    items: list[FileBody]
    next: UUID | None


@post(
    "/",
    summary="Upload a file",
    opt={"idempotent": True},
    request_max_body_size=None,
    operation_class=RawBody,
    responses={201: ResponseSpec(FileBody, description="The file is kept")},
)
async def upload(
    request: MandantRequest,
    tenant_id: FromPath[UUID],
    module: ModuleName,
    content_disposition: Annotated[
        str,
        HeaderParameter(name="Content-Disposition", description="attachment; filename*=UTF-8''name.pdf"),
    ],
    record: FromQuery[UUID | None] = None,
) -> Response[Any]:
    """The body is the file, its type is Content-Type; at most what the installation allows (100 MiB).

    With an Idempotency-Key header, sending it twice keeps one file.
    """
    member = await member_of(request, tenant_id, Action.WRITE)
    shelf = runtime_of(request).shelf(tenant_id)
    kept_in = shelf.module(module)
    media_type = request.headers.get("content-type") or "application/octet-stream"
    if media_type.lower().startswith(_FORMS):
        raise UnsupportedBody("the file's own type or application/octet-stream, not as a form,")
    return await upload_once(
        request,
        member,
        media_type,
        lambda chunks, limit, and_then: files.upload(
            shelf,
            kept_in,
            name_in(content_disposition),
            media_type,
            chunks,
            record_id=record,
            limit=limit,
            and_then=and_then,
        ),
        shown,
    )


@get("/", summary="List files, newest first")
async def newest(
    request: MandantRequest,
    tenant_id: FromPath[UUID],
    module: ModuleName,
    record: FromQuery[UUID | None] = None,
    after: FromQuery[UUID | None] = None,
    limit: Limit = 50,
) -> FilePage:
    """The files of a module, or of one of its records."""
    await member_of(request, tenant_id, Action.READ)
    shelf = runtime_of(request).shelf(tenant_id)
    found = await files.page(shelf, shelf.module(module), record_id=record, before=after, limit=limit)
    following = found[-1].file_id if len(found) == limit else None
    return FilePage([shown(file) for file in found], following)


@get("/{file_id:uuid}", summary="Read what a file is")
async def read(request: MandantRequest, tenant_id: FromPath[UUID], file_id: FromPath[UUID]) -> FileBody:
    """Name, type and size; not the bytes."""
    await member_of(request, tenant_id, Action.READ)
    return shown(await files.get(runtime_of(request).shelf(tenant_id), file_id))


@get(
    "/{file_id:uuid}/content",
    summary="Download a file",
    responses={200: ResponseSpec(bytes, media_type="*/*", description="The file's bytes")},
)
async def content(request: MandantRequest, tenant_id: FromPath[UUID], file_id: FromPath[UUID]) -> Stream:
    """The bytes, to be saved. What does not open cuts the connection: fewer than Content-Length came."""
    await member_of(request, tenant_id, Action.READ)
    download = await files.download(runtime_of(request).shelf(tenant_id), file_id)
    return Stream(
        download.chunks,
        headers={
            "content-type": download.file.media_type,
            "content-length": str(download.file.size),
            DISPOSITION: attachment(download.file.name),
            "content-security-policy": _INERT,
        },
        media_type=download.file.media_type,
    )


@delete("/{file_id:uuid}", summary="Delete a file")
async def remove(request: MandantRequest, tenant_id: FromPath[UUID], file_id: FromPath[UUID]) -> None:
    """Gone at once; its sealed bytes a moment later."""
    await member_of(request, tenant_id, Action.WRITE)
    await files.delete(runtime_of(request).shelf(tenant_id), runtime_of(request).jobs, file_id)


files_router = Router(
    "/api/v1/tenants/{tenant_id:uuid}/files",
    route_handlers=[upload, newest, read, content, remove],
    tags=["Files"],
)


def shown(file: files.StoredFile) -> FileBody:
    """A file as the API shows it."""
    return FileBody(
        file.file_id, file.module, file.record_id, file.name, file.media_type, file.size, file.created_at
    )
