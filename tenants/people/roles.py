"""Which role may do what: one table. Source: C4.3."""

from enum import StrEnum


class Role(StrEnum):
    """A member's role in one tenant."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Action(StrEnum):
    """What a role allows or does not."""

    READ = "reading records"
    WRITE = "changing records"
    IMPORT = "importing"
    EXPORT = "exporting"
    SEE_MEMBERS = "seeing members"
    MANAGE_MEMBERS = "managing members"
    MANAGE_OWNERS = "managing owners"
    MANAGE_COMPANY = "changing the company's data"
    MANAGE_TOKENS = "managing API tokens"
    ACCEPT_AGREEMENTS = "accepting agreements"


_MEMBER = frozenset({Action.READ, Action.WRITE, Action.IMPORT, Action.EXPORT, Action.SEE_MEMBERS})
_ADMIN = _MEMBER | {Action.MANAGE_MEMBERS, Action.MANAGE_COMPANY, Action.MANAGE_TOKENS}

ALLOWED: dict[Role, frozenset[Action]] = {
    Role.OWNER: frozenset(Action),
    Role.ADMIN: _ADMIN,
    Role.MEMBER: _MEMBER,
}


def lower(one: Role, other: Role) -> Role:
    """The one of two roles that allows less."""
    return one if ALLOWED[one] <= ALLOWED[other] else other
