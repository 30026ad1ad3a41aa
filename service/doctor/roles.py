"""Roles: none may more than docs/DESIGN.md says, or row-level security protects nobody."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Connection, Patient
from mandant.service.migrations import TREES
from mandant.service.postgres.roles import FUNCTION_ROLES, LOGIN_ROLES, OWNER

PART = "roles"
_POWERS = ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole", "rolreplication")
_INIT = "mandant database init puts it right"


async def check_roles(patient: Patient) -> AsyncIterator[Line]:
    """Attributes, memberships and ownership, on each database's server."""
    for tree in TREES:
        connection = patient.connection(tree)
        bad = [line async for line in _wrongs(connection, tree)]
        for line in bad:
            yield line
        if not bad:
            said = "no role is superuser, goes around policies, belongs to another or owns what it should not"
            yield ok(PART, tree, said)


async def _wrongs(connection: Connection, tree: str) -> AsyncIterator[Line]:
    rows = await connection.fetch(
        f"SELECT rolname, rolcanlogin, {', '.join(_POWERS)} FROM pg_roles WHERE rolname = ANY ($1::text[])",
        [*LOGIN_ROLES, *FUNCTION_ROLES],
    )
    found = {row["rolname"]: row for row in rows}
    for role in (*LOGIN_ROLES, *FUNCTION_ROLES):
        if role not in found:
            yield wrong(PART, f"{tree}: {role}", "does not exist", "mandant database init makes it")
            continue
        powers = [power.removeprefix("rol") for power in _POWERS if found[role][power]]
        if powers:
            yield wrong(PART, f"{tree}: {role}", f"may {', '.join(powers)}", _INIT)
        if role in FUNCTION_ROLES and found[role]["rolcanlogin"]:
            todo = f"ALTER ROLE {role} NOLOGIN: it owns functions that see more than their callers"
            yield wrong(PART, f"{tree}: {role}", "may sign in", todo)
    for row in await connection.fetch(_MEMBERSHIPS, [role for role in LOGIN_ROLES if role != OWNER]):
        todo = f"REVOKE {row['of']} FROM {row['member']}"
        yield wrong(PART, f"{tree}: {row['member']}", f"is a member of {row['of']}", todo)
    for row in await connection.fetch(_OWNERS, [OWNER, *FUNCTION_ROLES]):
        todo = f"ALTER ... OWNER TO {OWNER}: an owner may switch row-level security off"
        yield wrong(PART, f"{tree}: {row['object']}", f"belongs to {row['owner']}", todo)


_MEMBERSHIPS = """
SELECT m.rolname::text AS member, r.rolname::text AS of FROM pg_auth_members a
  JOIN pg_roles m ON m.oid = a.member JOIN pg_roles r ON r.oid = a.roleid
 WHERE m.rolname = ANY ($1::text[])
"""

_OWNERS = """
SELECT n.nspname || '.' || c.relname AS object, r.rolname::text AS owner FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_roles r ON r.oid = c.relowner
 WHERE n.nspname IN ('mandant', 'directory', 'queue', 'queue_api', 'control')
   AND r.rolname <> ALL ($1::text[])
UNION ALL
SELECT n.nspname || '.' || p.proname, r.rolname::text FROM pg_proc p
  JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_roles r ON r.oid = p.proowner
 WHERE n.nspname IN ('mandant', 'directory', 'queue', 'queue_api', 'control')
   AND r.rolname <> ALL ($1::text[])
"""
