"""Who sends a request: the secret of `Authorization: Bearer ...`, looked up in one SQL call.

    member = await member_of(request, tenant_id, Action.WRITE)      # 401, 404, 403

There is no cookie, so no other site can make a browser send the secret: nothing here needs a CSRF token.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from litestar.connection import ASGIConnection

from mandant.service.runtime import runtime_of
from mandant.tenants.people.errors import NotSignedIn
from mandant.tenants.people.roles import Action
from mandant.tenants.people.who import CurrentMember, CurrentPerson, authenticate, current_person

Connection = ASGIConnection[Any, Any, Any, Any]

_SCHEME = b"bearer "
_LONGEST = 200  # bytes; a secret has 47 characters


async def member_of(connection: Connection, tenant_id: UUID, action: Action) -> CurrentMember:
    """The signed-in person, or the member an API token acts for, who may do `action` in the tenant.

    Raises: NotSignedIn; NotFound for a tenant that is unknown or another's; Forbidden.
    """
    runtime = runtime_of(connection)
    secret = secret_of(connection)
    member = await authenticate(runtime.data, runtime.keyring, runtime.clock, secret, tenant_id)
    member.require(action)
    return member


async def person_of(connection: Connection) -> CurrentPerson:
    """The signed-in person, whichever tenants they belong to. Raises: NotSignedIn, also for an API token."""
    return await current_person(runtime_of(connection).people, secret_of(connection))


def secret_of(connection: Connection) -> str:
    """The bearer secret. Raises: NotSignedIn when there is none, or more than one."""
    found: bytes | None = None
    for name, value in connection.scope["headers"]:
        if name == b"authorization":
            if found is not None:
                raise NotSignedIn
            found = value
    if found is None or len(found) > _LONGEST or found[:7].lower() != _SCHEME:
        raise NotSignedIn
    try:
        return found[7:].strip().decode("ascii")
    except UnicodeDecodeError:
        raise NotSignedIn from None
