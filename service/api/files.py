"""Files over HTTP: /api/v1/tenants/{tenant_id}/files...

A file is the body itself, with its type in Content-Type and its name in Content-Disposition. Not a form:
a form's parts are spooled to the disk in plaintext. A name is sealed data, so it stands in no address.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.exceptions import InternalServerException
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, FromQuery, HeaderParameter, Parameter, QueryParameter
from litestar.response import Stream

from mandant.service.api.disposition import HEADER as DISPOSITION
from mandant.service.api.disposition import attachment, name_in
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.idempotency import begin
from mandant.service.edge.own_path import own_path
from mandant.service.errors import BrokenBody, UnsupportedBody
from mandant.service.runtime import runtime_of
from mandant.tenants.modules import files
from mandant.tenants.modules.shelf import Shelf
from mandant.tenants.people.roles import Action
from mandant.tenants.session import Tenant, TenantSession

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


class _Replayed(Exception):
    """The same upload was done already: this one is undone, and the first one's answer given again."""

    def __init__(self, answer: Response[bytes]) -> None:
        self.answer = answer


@dataclass
class RawBody(Operation):
    """Says in the document that the body is the file, whatever its type."""

    def __post_init__(self) -> None:
        binary = Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY)
        self.request_body = RequestBody(
            content={"application/octet-stream": OpenAPIMediaType(schema=binary)},
            description="The file's bytes; its own type in Content-Type.",
            required=True,
        )


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
    shelf = shelf_of(request, tenant_id)
    kept_in = shelf.module(module)
    media_type = request.headers.get("content-type") or "application/octet-stream"
    if media_type.lower().startswith(_FORMS):
        raise UnsupportedBody("the file's own type or application/octet-stream, not as a form,")
    limit = runtime_of(request).settings.file_limit
    if (request.content_length or 0) > limit:
        raise files.FileTooLarge(limit)
    body = SentBody(request)
    answers: list[Response[bytes]] = []

    async def answer(session: TenantSession, file: files.StoredFile) -> None:
        attempt = await begin(
            session, request, shelf.clock, caller=str(member.person_id), digest=body.digest(media_type)
        )
        if attempt.replay is not None:
            raise _Replayed(attempt.replay)
        location = f"{own_path(request)}/{file.file_id}"
        answers.append(await attempt.keep(201, shown(file), {"Location": location}))

    try:
        await files.upload(
            shelf,
            kept_in,
            name_in(content_disposition),
            media_type,
            body.chunks(),
            record_id=record,
            limit=limit,
            and_then=answer,
        )
    except _Replayed as replayed:
        return replayed.answer
    return answers[0]


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
    shelf = shelf_of(request, tenant_id)
    found = await files.page(shelf, shelf.module(module), record_id=record, before=after, limit=limit)
    following = found[-1].file_id if len(found) == limit else None
    return FilePage([shown(file) for file in found], following)


@get("/{file_id:uuid}", summary="Read what a file is")
async def read(request: MandantRequest, tenant_id: FromPath[UUID], file_id: FromPath[UUID]) -> FileBody:
    """Name, type and size; not the bytes."""
    await member_of(request, tenant_id, Action.READ)
    return shown(await files.get(shelf_of(request, tenant_id), file_id))


@get(
    "/{file_id:uuid}/content",
    summary="Download a file",
    responses={200: ResponseSpec(bytes, media_type="*/*", description="The file's bytes")},
)
async def content(request: MandantRequest, tenant_id: FromPath[UUID], file_id: FromPath[UUID]) -> Stream:
    """The bytes, to be saved. What does not open cuts the connection: fewer than Content-Length came."""
    await member_of(request, tenant_id, Action.READ)
    download = await files.download(shelf_of(request, tenant_id), file_id)
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
    await files.delete(shelf_of(request, tenant_id), runtime_of(request).jobs, file_id)


files_router = Router(
    "/api/v1/tenants/{tenant_id:uuid}/files",
    route_handlers=[upload, newest, read, content, remove],
    tags=["Files"],
)


def shelf_of(request: MandantRequest, tenant_id: UUID) -> Shelf:
    """The tenant's files. Whether whoever asks may see them was asked before."""
    runtime = runtime_of(request)
    tenant = Tenant(runtime.data, runtime.keyring, tenant_id)
    return Shelf(tenant, runtime.objects, runtime.clock, runtime.modules)


def shown(file: files.StoredFile) -> FileBody:
    """A file as the API shows it."""
    return FileBody(
        file.file_id, file.module, file.record_id, file.name, file.media_type, file.size, file.created_at
    )


class SentBody:
    """A request's body as it comes, and its digest, for the idempotency key."""

    def __init__(self, request: MandantRequest) -> None:
        self._request = request
        self._hash = hashlib.blake2b(digest_size=32)

    async def chunks(self) -> AsyncGenerator[bytes, None]:
        """Raises: BrokenBody where the sender went away before the end."""
        try:
            async for chunk in self._request.stream():
                self._hash.update(chunk)
                yield chunk
        except InternalServerException:
            raise BrokenBody("the upload broke off; send it again") from None

    def digest(self, media_type: str) -> bytes:
        """Of all that came, with its name and type."""
        head = f"{self._request.headers.get(DISPOSITION)}\n{media_type}\n".encode()
        return hashlib.blake2b(head + self._hash.digest(), digest_size=32).digest()
