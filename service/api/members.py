"""/tenants/{tenant_id}/members and /invitations. Source: C4.3."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from uuid import UUID

from litestar import delete, get, patch, post
from litestar.params import FromPath, JSONBody

from mandant.service.api.bodies import Body, Email, Function, Language, Name, Password, Secret, clean
from mandant.service.api.registering import REGISTRATIONS, network
from mandant.service.api.who import member_of, person_of
from mandant.service.edge.body import MandantRequest
from mandant.service.runtime import runtime_of
from mandant.tenants.people.invitations import (
    Invitation,
    accept_as_newcomer,
    accept_as_person,
    invite,
    list_invitations,
    withdraw,
)
from mandant.tenants.people.members import change_member, list_members, remove_member
from mandant.tenants.people.roles import Action, Role

RoleName = Literal["owner", "admin", "member"]


class MemberBody(Body, frozen=True):
    """A colleague."""

    person_id: UUID
    name: str
    email: str
    role: RoleName
    function: str
    joined_at: datetime


class ChangeMemberBody(Body, frozen=True):
    """What shall change."""

    role: RoleName | None = None
    function: Function | None = None


class InviteBody(Body, frozen=True):
    """Whom to invite."""

    email: Email
    role: RoleName = "member"
    function: Function = ""


class InvitationBody(Body, frozen=True):
    """An invitation that waits."""

    invitation_id: UUID
    email: str
    role: RoleName
    function: str
    invited_by: UUID
    created_at: datetime
    expires_at: datetime


class InvitedBody(Body, frozen=True):
    """`secret` is shown this once: give it to whom you invited, and to nobody else."""

    invitation: InvitationBody
    secret: str


class AcceptBody(Body, frozen=True):
    """The secret of the invitation."""

    secret: Secret


class NewcomerBody(Body, frozen=True):
    """Who has no sign-in yet. The address is the one that was invited."""

    secret: Secret
    name: Name
    password: Password
    language: Language = "de"


class JoinedBody(Body, frozen=True):
    """The tenant that was joined."""

    tenant_id: UUID


@get("/tenants/{tenant_id:uuid}/members", summary="List members", operation_id="members_list")
async def members(request: MandantRequest, tenant_id: FromPath[UUID]) -> list[MemberBody]:
    """In the order they joined."""
    member = await member_of(request, tenant_id, Action.SEE_MEMBERS)
    return [
        MemberBody(
            person_id=one.person_id,
            name=one.profile.name,
            email=one.profile.email,
            role=one.role.value,
            function=one.function,
            joined_at=one.joined_at,
        )
        for one in await list_members(runtime_of(request).people, member)
    ]


@patch(
    "/tenants/{tenant_id:uuid}/members/{person_id:uuid}",
    status_code=204,
    summary="Change a member",
    operation_id="members_update",
)
async def change(
    request: MandantRequest,
    tenant_id: FromPath[UUID],
    person_id: FromPath[UUID],
    data: JSONBody[ChangeMemberBody],
) -> None:
    """Role or function. The last owner stays an owner."""
    clean(data)
    member = await member_of(request, tenant_id, Action.MANAGE_MEMBERS)
    role = None if data.role is None else Role(data.role)
    await change_member(runtime_of(request).people, member, person_id, role=role, function=data.function)


@delete(
    "/tenants/{tenant_id:uuid}/members/{person_id:uuid}",
    summary="Remove a member, or leave",
    operation_id="members_remove",
)
async def remove(request: MandantRequest, tenant_id: FromPath[UUID], person_id: FromPath[UUID]) -> None:
    """Counts at the next request. The last owner cannot leave."""
    member = await member_of(request, tenant_id, Action.SEE_MEMBERS)
    await remove_member(runtime_of(request).people, member, person_id)


@get("/tenants/{tenant_id:uuid}/invitations", summary="List invitations", operation_id="invitations_list")
async def invitations(request: MandantRequest, tenant_id: FromPath[UUID]) -> list[InvitationBody]:
    """Those that wait for an answer, newest first."""
    member = await member_of(request, tenant_id, Action.MANAGE_MEMBERS)
    return [_shown(one) for one in await list_invitations(runtime_of(request).people, member)]


@post("/tenants/{tenant_id:uuid}/invitations", summary="Invite a person", operation_id="invitations_create")
async def make_invitation(
    request: MandantRequest, tenant_id: FromPath[UUID], data: JSONBody[InviteBody]
) -> InvitedBody:
    """Good once and for seven days. An earlier one of the same address ends."""
    clean(data)
    member = await member_of(request, tenant_id, Action.MANAGE_MEMBERS)
    people = runtime_of(request).people
    made, secret = await invite(people, member, data.email, Role(data.role), data.function)
    return InvitedBody(invitation=_shown(made), secret=secret)


@delete(
    "/tenants/{tenant_id:uuid}/invitations/{invitation_id:uuid}",
    summary="Withdraw an invitation",
    operation_id="invitations_withdraw",
)
async def withdraw_invitation(
    request: MandantRequest, tenant_id: FromPath[UUID], invitation_id: FromPath[UUID]
) -> None:
    """Counts at once."""
    member = await member_of(request, tenant_id, Action.MANAGE_MEMBERS)
    await withdraw(runtime_of(request).people, member, invitation_id)


@post(
    "/invitations/accept",
    status_code=200,
    summary="Accept an invitation, signed in",
    operation_id="invitations_accept",
)
async def accept_signed_in(request: MandantRequest, data: JSONBody[AcceptBody]) -> JoinedBody:
    """The invitation must have been sent to the address of whoever is signed in."""
    who = await person_of(request)
    return JoinedBody(tenant_id=await accept_as_person(runtime_of(request).people, who, data.secret))


@post(
    "/invitations/accept-as-newcomer",
    status_code=200,
    summary="Accept an invitation without a sign-in",
    operation_id="invitations_accept_as_newcomer",
    opt={"public": True},
)
async def accept_new(request: MandantRequest, data: JSONBody[NewcomerBody]) -> JoinedBody:
    """Makes the person; afterwards sign in. Who has a sign-in already signs in first and accepts then."""
    clean(data)
    runtime = runtime_of(request)
    await runtime.limiter.take(REGISTRATIONS.per("address", network(request)))
    tenant_id, _ = await accept_as_newcomer(
        runtime.people, data.secret, data.name.strip(), data.password, data.language
    )
    return JoinedBody(tenant_id=tenant_id)


def _shown(one: Invitation) -> InvitationBody:
    return InvitationBody(
        invitation_id=one.invitation_id,
        email=one.invited.email,
        role=one.role.value,
        function=one.invited.function,
        invited_by=one.invited_by,
        created_at=one.created_at,
        expires_at=one.expires_at,
    )


HANDLERS = (
    members,
    change,
    remove,
    invitations,
    make_invitation,
    withdraw_invitation,
    accept_signed_in,
    accept_new,
)
