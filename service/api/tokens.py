"""/tenants/{tenant_id}/tokens: API tokens. Only a person makes, lists and revokes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from litestar import delete, get, post
from litestar.params import FromPath, JSONBody
from msgspec import Meta

from mandant.service.api.bodies import Body, Name, clean
from mandant.service.api.who import member_of
from mandant.service.edge.body import MandantRequest
from mandant.service.runtime import runtime_of
from mandant.tenants.people.roles import Action, Role
from mandant.tenants.people.tokens import ApiToken, create_token, list_tokens, revoke_token


class NewTokenBody(Body, frozen=True):
    """`name`: what it is for. `days`: how long it is good."""

    name: Name
    role: Literal["admin", "member"] = "member"
    days: Annotated[int, Meta(ge=1, le=365)] = 90


class TokenBody(Body, frozen=True):
    """A token; it acts for `person_id`, with `role` or with that person's, whichever is less."""

    token_id: UUID
    person_id: UUID
    name: str
    role: str
    created_at: datetime
    expires_at: datetime


class MadeTokenBody(Body, frozen=True):
    """`secret` is shown this once. Send it as `Authorization: Bearer <secret>`."""

    token: TokenBody
    secret: str


@get("/tenants/{tenant_id:uuid}/tokens", summary="List API tokens", operation_id="tokens_list")
async def tokens(request: MandantRequest, tenant_id: FromPath[UUID]) -> list[TokenBody]:
    """Newest first."""
    member = await member_of(request, tenant_id, Action.MANAGE_TOKENS)
    return [_shown(one) for one in await list_tokens(runtime_of(request).people, member)]


@post("/tenants/{tenant_id:uuid}/tokens", summary="Make an API token", operation_id="tokens_create")
async def make_token(
    request: MandantRequest, tenant_id: FromPath[UUID], data: JSONBody[NewTokenBody]
) -> MadeTokenBody:
    """It acts for whoever makes it, and no longer than that person is a member."""
    clean(data)
    member = await member_of(request, tenant_id, Action.MANAGE_TOKENS)
    people = runtime_of(request).people
    made, secret = await create_token(people, member, data.name, Role(data.role), data.days)
    return MadeTokenBody(token=_shown(made), secret=secret)


@delete(
    "/tenants/{tenant_id:uuid}/tokens/{token_id:uuid}",
    summary="Revoke an API token",
    operation_id="tokens_revoke",
)
async def revoke(request: MandantRequest, tenant_id: FromPath[UUID], token_id: FromPath[UUID]) -> None:
    """Counts at the next request."""
    member = await member_of(request, tenant_id, Action.MANAGE_TOKENS)
    await revoke_token(runtime_of(request).people, member, token_id)


def _shown(one: ApiToken) -> TokenBody:
    return TokenBody(
        token_id=one.token_id,
        person_id=one.person_id,
        name=one.name,
        role=one.role.value,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


HANDLERS = (tokens, make_token, revoke)
