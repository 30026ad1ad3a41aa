"""Databases and roles, the same on the embedded server and on a real one. docs/DESIGN.md says who may what.

    await prepare_server(lambda database: asyncpg.connect(admin_url, database=database), passwords)

Every statement may run again: what is there stays, passwords are set anew, attributes are put right.
Needs a superuser, or on 16 and newer a role with CREATEROLE and CREATEDB. PostgreSQL 15 and newer.
"""

import hashlib
import hmac
import secrets
import unicodedata
from base64 import b64encode
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urlsplit

import asyncpg

__all__ = [
    "CONTROL_DATABASE",
    "DATA_DATABASE",
    "FUNCTION_ROLES",
    "LOGIN_ROLES",
    "OWNER",
    "ensure_database",
    "ensure_roles",
    "passwords_in",
    "prepare_server",
    "scram_verifier",
]

DATA_DATABASE = "mandant"
CONTROL_DATABASE = "mandant_control"
OWNER = "mandant_owner"
LOGIN_ROLES = (OWNER, "mandant_app", "mandant_worker", "mandant_staff")
# They sign in nowhere: they own the definer functions that see more than their caller.
FUNCTION_ROLES = ("mandant_index", "mandant_directory", "mandant_queue")

Connection: TypeAlias = "asyncpg.Connection[Any]"  # a string: at run time it is no generic
Connect = Callable[[str], Awaitable[Connection]]

# What no role of ours may have. Only what is wrong is altered: to name an attribute, even to take it
# away, asks an administrator to have it, and a cloud's administrator does not.
_FORBIDDEN = {
    "rolsuper": "NOSUPERUSER",
    "rolbypassrls": "NOBYPASSRLS",
    "rolcreatedb": "NOCREATEDB",
    "rolcreaterole": "NOCREATEROLE",
    "rolreplication": "NOREPLICATION",
}


async def prepare_server(connect: Connect, passwords: Mapping[str, str]) -> None:
    """Makes roles and both databases. `connect` opens a connection of the administrator's to a database."""
    admin = await connect("postgres")
    try:
        await ensure_roles(admin, passwords)
        for name in (DATA_DATABASE, CONTROL_DATABASE):
            await ensure_database(admin, name)
    finally:
        await admin.close()


async def ensure_roles(admin: Connection, passwords: Mapping[str, str]) -> None:
    """Makes each of LOGIN_ROLES and FUNCTION_ROLES; one without a password in `passwords` keeps its own.

    The server is given SCRAM verifiers, not passwords: it may log an administrator's statements.
    """
    for role in LOGIN_ROLES:
        await _ensure_role(admin, role, "LOGIN")
        if role in passwords:
            await admin.execute(f"ALTER ROLE {role} PASSWORD '{scram_verifier(passwords[role])}'")
    await admin.execute(f"ALTER ROLE {OWNER} NOINHERIT")
    for role in FUNCTION_ROLES:
        await _ensure_role(admin, role, "NOLOGIN")
        # The owner hands functions over to them, and has none of their rights while it does not SET ROLE.
        if admin.get_server_version().major >= 16:
            await admin.execute(f"GRANT {role} TO {OWNER} WITH INHERIT FALSE, SET TRUE")
        else:
            await admin.execute(f"GRANT {role} TO {OWNER}")  # the owner's NOINHERIT says the same
    if not await admin.fetchval("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"):
        await admin.execute(f"GRANT {OWNER} TO CURRENT_USER")  # to make databases that it owns


async def ensure_database(admin: Connection, name: str, *, template: str | None = None) -> None:
    """Makes an empty database of mandant_owner's, or a copy of `template`; only our roles may connect.

    `admin` may be connected to any other database; nobody may be connected to `template`.
    """
    if not await admin.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name):
        source = f'TEMPLATE "{template}"' if template else "TEMPLATE template0 ENCODING 'UTF8'"
        await admin.execute(f'CREATE DATABASE "{name}" OWNER {OWNER} {source}')
    await admin.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
    await admin.execute(f'GRANT CONNECT ON DATABASE "{name}" TO {", ".join(LOGIN_ROLES)}')


def passwords_in(urls: Iterable[str | None]) -> dict[str, str]:
    """The passwords of our roles that stand in connection URLs; None is passed over.

    Raises:
        ValueError: a URL names another role, or two URLs have different passwords for one.
    """
    found: dict[str, str] = {}
    for url in urls:
        if url is None:
            continue
        parts = urlsplit(url)
        role, password = unquote(parts.username or ""), unquote(parts.password or "")
        if role not in LOGIN_ROLES:
            raise ValueError(
                f"the role of a database URL must be one of {', '.join(LOGIN_ROLES)}, not {role!r}"
            )
        if password and found.setdefault(role, password) != password:
            raise ValueError(f"two database URLs have different passwords for {role}")
    return found


def scram_verifier(password: str) -> str:
    """What PostgreSQL stores for a password, with a fresh salt of 16 bytes. Source: RFC 5802, RFC 7677."""
    salt, rounds = secrets.token_bytes(16), 4096
    salted = hashlib.pbkdf2_hmac("sha256", unicodedata.normalize("NFKC", password).encode(), salt, rounds)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    salt64, stored64, server64 = (b64encode(part).decode() for part in (salt, stored, server))
    return f"SCRAM-SHA-256${rounds}:{salt64}${stored64}:{server64}"


async def _ensure_role(admin: Connection, role: str, sign_in: str) -> None:
    query = f"SELECT {', '.join(_FORBIDDEN)} FROM pg_roles WHERE rolname = $1"
    if await admin.fetchrow(query, role) is None:
        await admin.execute(f"CREATE ROLE {role}")
    row = await admin.fetchrow(query, role)
    assert row is not None  # noqa: S101 - made a line ago
    wrong = [word for attribute, word in _FORBIDDEN.items() if row[attribute]]
    await admin.execute(f"ALTER ROLE {role} {' '.join([sign_in, *wrong])}")
