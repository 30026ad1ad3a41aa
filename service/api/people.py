"""Everything about people and their companies under /api/v1, in one router.

Registration and sign-in (registering.py), one's own account (account.py), the company (tenant.py), its
members and invitations (members.py), its API tokens (tokens.py).
"""

from litestar import Router

from mandant.service.api import account, members, registering, tenant, tokens

people_router = Router(
    "/api/v1",
    tags=["people"],
    route_handlers=[
        *registering.HANDLERS,
        *account.HANDLERS,
        *tenant.HANDLERS,
        *members.HANDLERS,
        *tokens.HANDLERS,
    ],
)
