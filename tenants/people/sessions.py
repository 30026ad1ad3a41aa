"""Server-side sessions: only the keyed term of the secret is stored. Source: DESIGN.md, Persons."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from mandant.tenants.people.directory import Term, add
from mandant.tenants.people.transaction import PersonSession


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session. `token` is the secret: it is shown this once."""

    person_id: UUID
    session_id: UUID
    token: str = field(repr=False)
    expires_at: datetime


async def begin_session(
    session: PersonSession, token: str, term: Term, session_id: UUID, at: datetime, length: timedelta
) -> SignedIn:
    """In the person's transaction. It ends after `length`, and after half an hour that nobody uses it.

    `session_id`: directory.bound_id of what is said here.
    """
    await add(session.connection, term, session_id, at, person_id=session.person_id, expires_at=at + length)
    return SignedIn(session.person_id, session_id, token, at + length)


async def end_sessions(session: PersonSession, but: UUID | None = None) -> int:
    """End all sessions of the person, but one. Returns how many ended."""
    ended: int = await session.connection.fetchval(
        "SELECT directory.end_sessions($1, $2)", session.person_id, but
    )
    return ended
