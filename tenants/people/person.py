"""A person's row: the profile that colleagues see and the credentials that nobody sees.

Both are sealed under the person's own scope, each with a version of its own, so that whatever is known
of a human being ends with one key. Source: C5.3; docs/DESIGN.md, Persons and sign-in.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from mandant.tenants.errors import StaleVersion
from mandant.tenants.people.sealing import opened, sealed
from mandant.tenants.people.transaction import PersonSession
from mandant.vault.envelope import Place
from mandant.vault.open_scope import OpenScope

PROFILE = Place("person", "profile")
CREDENTIALS = Place("person", "credentials")


class Profile(msgspec.Struct, frozen=True):
    """`language`: two letters, ISO 639-1."""

    name: str
    email: str
    language: str = "de"

    def __repr__(self) -> str:
        return "<profile>"


class Credentials(msgspec.Struct, frozen=True, omit_defaults=True):
    """`password_hash`: Argon2id, encoded. `totp`, `pending`: 20 bytes, secret.

    `pending` becomes `totp` when a code has proved it. `last_step`: the TOTP step of the last code that
    was used. `recovery`: BLAKE2b of the codes left. `wrong_codes`: how many in a row; until
    `wait_until` none is looked at.
    """

    password_hash: str
    totp: bytes | None = None
    pending: bytes | None = None
    last_step: int = 0
    recovery: tuple[bytes, ...] = ()
    wrong_codes: int = 0
    wait_until: datetime | None = None

    def asks_as(self, other: "Credentials") -> bool:
        """Whether password and second factor are those of `other`: what was compared there counts here."""
        return (self.password_hash, self.totp) == (other.password_hash, other.totp)

    def __repr__(self) -> str:
        return "<credentials>"


@dataclass(frozen=True, slots=True)
class Person:
    """An opened row. The versions are those that a change has to name."""

    person_id: UUID
    profile: Profile
    version: int
    credentials: Credentials
    credential_version: int
    created_at: datetime


async def read_person(session: PersonSession, *, hold: bool = False) -> Person:
    """The person of the session, opened. `hold`: nobody else changes it until the transaction ends."""
    row = await session.connection.fetchrow(
        "SELECT version, sealed, credential_version, sealed_credentials, created_at FROM mandant.person"
        f" WHERE person_id = $1{' FOR NO KEY UPDATE' if hold else ''}",
        session.person_id,
    )
    return Person(
        session.person_id,
        opened(session.keys, PROFILE, session.person_id, row["version"], row["sealed"], Profile),
        row["version"],
        opened(
            session.keys,
            CREDENTIALS,
            session.person_id,
            row["credential_version"],
            row["sealed_credentials"],
            Credentials,
        ),
        row["credential_version"],
        row["created_at"],
    )


async def insert_person(
    connection: Any,
    keys: OpenScope,
    person_id: UUID,
    profile: Profile,
    credentials: Credentials,
    at: datetime,
) -> None:
    """A new person, in a transaction that belongs to the person (mandant.set_person)."""
    await connection.execute(
        "INSERT INTO mandant.person (person_id, key_state, version, sealed, credential_version,"
        " sealed_credentials, created_at, updated_at) VALUES ($1, $2, 1, $3, 1, $4, $5, $5)",
        person_id,
        keys.key_state,
        sealed(keys, PROFILE, person_id, 1, profile),
        sealed(keys, CREDENTIALS, person_id, 1, credentials),
        at,
    )


async def change_profile(session: PersonSession, person: Person, profile: Profile, at: datetime) -> None:
    """Raises: StaleVersion when somebody changed it since `person` was read."""
    done = await session.connection.execute(
        "UPDATE mandant.person SET version = $2 + 1, sealed = $3, updated_at = $4"
        " WHERE person_id = $1 AND version = $2",
        session.person_id,
        person.version,
        sealed(session.keys, PROFILE, session.person_id, person.version + 1, profile),
        at,
    )
    _changed(done)


async def change_credentials(
    session: PersonSession, person: Person, credentials: Credentials, at: datetime
) -> None:
    """Raises: StaleVersion when somebody changed them since `person` was read."""
    done = await session.connection.execute(
        "UPDATE mandant.person SET credential_version = $2 + 1, sealed_credentials = $3, updated_at = $4"
        " WHERE person_id = $1 AND credential_version = $2",
        session.person_id,
        person.credential_version,
        sealed(session.keys, CREDENTIALS, session.person_id, person.credential_version + 1, credentials),
        at,
    )
    _changed(done)


def _changed(done: str) -> None:
    if done == "UPDATE 0":
        raise StaleVersion
