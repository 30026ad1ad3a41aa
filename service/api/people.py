"""Everything about people and their companies under /api/v1, in one router.

Registration and sign-in (registering.py), one's own account (account.py), the company (tenant.py), its
members and invitations (members.py), its API tokens (tokens.py).
"""

from litestar import Router

from mandant.service.api import account, members, registering, tenant, tokens

people_router = Router(
    "/api/v1",
    route_handlers=[
        Router("/", route_handlers=registering.HANDLERS, tags=["Sign-in"]),
        Router("/", route_handlers=account.HANDLERS, tags=["Account"]),
        Router("/", route_handlers=tenant.HANDLERS, tags=["Company"]),
        Router("/", route_handlers=members.HANDLERS, tags=["Members"]),
        Router("/", route_handlers=tokens.HANDLERS, tags=["API tokens"]),
    ],
)
