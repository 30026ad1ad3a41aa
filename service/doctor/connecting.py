"""Both databases as each role: reachable, new enough, the right role, and whether a pooler stands between."""

from collections.abc import AsyncIterator

import asyncpg

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import ROLES, Connection, Patient
from mandant.service.migrations import TREES
from mandant.service.migrations.run import Tree

PART = "connections"
OLDEST = 15
WITHIN = 5.0  # seconds


async def check_connections(patient: Patient) -> AsyncIterator[Line]:
    """Opens the connections that the other checks use."""
    for tree in TREES:
        for role in ROLES:
            name = f"{tree} as {role}"
            try:
                url = patient.url(tree, role)
            except LookupError:
                yield _not_set(name, role)
                continue
            try:
                connection = await asyncpg.connect(url, timeout=WITHIN, statement_cache_size=0)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
                yield wrong(PART, name, f"no connection ({type(error).__name__})", _todo(error, role))
                continue
            patient.connections[tree, role] = connection
            async for line in _about(patient, name, tree, role, connection):
                yield line


async def _about(
    patient: Patient, name: str, tree: Tree, role: str, connection: Connection
) -> AsyncIterator[Line]:
    version = connection.get_server_version()
    who = await connection.fetchval("SELECT current_user::text")
    if who != role:
        yield wrong(PART, name, f"signs in as {who}", f"the URL has to name {role}")
    elif version.major < OLDEST:
        said = f"PostgreSQL {version.major}"
        yield wrong(PART, name, said, f"PostgreSQL {OLDEST} is the oldest that works; upgrade")
    else:
        yield ok(PART, name, f"PostgreSQL {await connection.fetchval('SHOW server_version')}")
    # A pooler tells its own number, PostgreSQL the backend's.
    pooled = connection.get_server_pid() != await connection.fetchval("SELECT pg_backend_pid()")
    expected = patient.settings.pgbouncer
    if pooled and role != "mandant_app":
        todo = "the worker listens and migrations lock: name PostgreSQL itself in this URL"
        yield wrong(PART, f"{name}: pooler", "goes through a pooler", todo)
    elif pooled and not expected:
        todo = "set MANDANT_PGBOUNCER=on, or statements fail once two of them meet"
        yield wrong(PART, f"{name}: pooler", "goes through a pooler", todo)
    elif pooled:
        yield ok(PART, f"{name}: pooler", "through a pooler, without prepared statements")
    elif expected and role == "mandant_app" and tree == "data":
        todo = "set MANDANT_PGBOUNCER=off: prepared statements are faster"
        yield warning(PART, f"{name}: pooler", "MANDANT_PGBOUNCER is on, but there is no pooler", todo)


def _not_set(name: str, role: str) -> Line:
    if role == "mandant_owner":
        todo = "set it where migrations run: mandant database upgrade needs it"
        return warning(PART, name, "no URL is set", todo)
    return wrong(PART, name, "no URL is set", "set MANDANT_DATABASE_WORKER_URL: jobs and commands need it")


def _todo(error: Exception, role: str) -> str:
    match error:
        case asyncpg.InvalidPasswordError() | asyncpg.InvalidAuthorizationSpecificationError():
            return f"is the password of {role} in the URL the role's? mandant database init sets it"
        case asyncpg.InvalidCatalogNameError():
            return "there is no such database: mandant database init"
        case asyncpg.TooManyConnectionsError():
            return "raise max_connections, or lower MANDANT_DATABASE_POOL"
        case ValueError():
            return "the URL cannot be read: postgresql://role:password@host:port/database"
    return "is the server running, and do host and port of the URL lead to it?"
