"""A request whose body is a file: taken in pieces, of bounded size, done once under an Idempotency-Key."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar
from uuid import UUID

from litestar import Response
from litestar.exceptions import InternalServerException
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from mandant.service.api.disposition import HEADER as DISPOSITION
from mandant.service.api.once import once
from mandant.service.edge.body import MandantRequest
from mandant.service.edge.own_path import own_path
from mandant.service.errors import BrokenBody
from mandant.service.runtime import runtime_of
from mandant.tenants.modules.files import FileTooLarge
from mandant.tenants.people.who import CurrentMember
from mandant.tenants.session import TenantSession

__all__ = ["RawBody", "upload_once"]

Made = TypeVar("Made")
Store: TypeAlias = Callable[
    [AsyncGenerator[bytes, None], int, Callable[[TenantSession, Made], Awaitable[None]]], Awaitable[object]
]
"""(the body, its most bytes, what to call with what was made, in the transaction that makes it)"""


class Shown(Protocol):
    """The body of an answer that tells of one thing."""

    @property
    def id(self) -> UUID: ...


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


class _Replayed(Exception):
    """The same upload was done already: this one is undone, and the first one's answer given again."""

    def __init__(self, answer: Response[bytes]) -> None:
        self.answer = answer


async def upload_once(
    request: MandantRequest,
    member: CurrentMember,
    said: str,
    store: Store[Made],
    shown: Callable[[Made], Shown],
) -> Response[bytes]:
    """201 and what `store` made of the body, as `shown`; the first answer again where it was sent before.

    `said`: what, beside the body and its name, makes this request the same as another.
    Raises: FileTooLarge, BrokenBody; as once; what `store` raises.
    """
    limit = runtime_of(request).settings.file_limit
    if (request.content_length or 0) > limit:
        raise FileTooLarge(limit)
    body = _SentBody(request)
    answers: list[Response[bytes]] = []

    async def answer(session: TenantSession, made: Made) -> None:
        attempt = await once(session, request, member, digest=body.digest(said))
        if attempt.replay is not None:
            raise _Replayed(attempt.replay)
        one = shown(made)
        answers.append(await attempt.keep(201, one, {"Location": f"{own_path(request)}/{one.id}"}))

    try:
        await store(body.chunks(), limit, answer)
    except _Replayed as replayed:
        return replayed.answer
    return answers[0]


class _SentBody:
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

    def digest(self, said: str) -> bytes:
        """Of all that came, with its name."""
        head = f"{self._request.headers.get(DISPOSITION)}\n{said}\n".encode()
        return hashlib.blake2b(head + self._hash.digest(), digest_size=32).digest()
