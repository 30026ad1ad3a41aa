"""PgBouncer in transaction mode before the tests' embedded server, on a unix socket of its own."""

import contextlib
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from mandant.service.postgres import EmbeddedPostgres
from mandant.service.postgres.account import pick_account
from tests.tools import needs

PORT = 6432  # only in the socket's name: nothing listens on it
READY_WITHIN = 20.0
ROLES = ("mandant_app", "mandant_worker")


@dataclass(frozen=True)
class Bouncer:
    """Where it is. `version`: such as (1, 18); from (1, 21) on it keeps track of prepared statements."""

    folder: Path
    version: tuple[int, int]

    def dsn(self, role: str, database: str) -> str:
        return f"postgresql://{role}:unasked@/{database}?host={quote(str(self.folder), safe='')}&port={PORT}"


@contextlib.contextmanager
def bouncer(server: EmbeddedPostgres, databases: tuple[str, ...], *, size: int) -> Iterator[Bouncer]:
    """A pooler with `size` server connections a database and role. Skips the test where it is not installed."""
    program = needs("pgbouncer", "/usr/sbin/pgbouncer")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    major, minor = said.split()[1].split(".")[:2]
    folder = Path(tempfile.mkdtemp(prefix="mb-"))
    account = pick_account(folder / "none")
    parts = urlsplit(server.dsn("mandant_app", databases[0]))
    sockets = dict(pair.split("=") for pair in parts.query.split("&"))
    passwords = {role: unquote(urlsplit(server.dsn(role, "x")).password or "") for role in ROLES}
    (folder / "users").write_text("".join(f'"{role}" "{word}"\n' for role, word in passwords.items()))
    lines = [f"{name} = host={unquote(sockets['host'])} port=5432 dbname={name}" for name in databases]
    settings = {
        "listen_addr": "",
        "listen_port": PORT,
        "unix_socket_dir": folder,
        "auth_type": "trust",
        "auth_file": folder / "users",
        "pool_mode": "transaction",
        "default_pool_size": size,
        "max_client_conn": 200,
        "ignore_startup_parameters": "extra_float_digits,search_path",
        "logfile": folder / "log",
    }
    said = "\n".join(["[databases]", *lines, "[pgbouncer]", *(f"{k} = {v}" for k, v in settings.items())])
    (folder / "ini").write_text(said + "\n")
    for path in (folder, *folder.iterdir()):
        account.give(path)
    with (folder / "out").open("wb") as out:
        process = subprocess.Popen([program, str(folder / "ini")], stdout=out, stderr=out, **account.popen())
    try:
        _wait(folder, process)
        yield Bouncer(folder, (int(major), int(minor)))
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


def _wait(folder: Path, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        if (folder / f".s.PGSQL.{PORT}").exists():
            return
        time.sleep(0.02)
    raise AssertionError((folder / "out").read_text())


async def server_pid(pool: "asyncpg.Pool[asyncpg.Record]") -> int:
    """The server process that answers now: not what asyncpg was told when it connected."""
    return int(await pool.fetchval("SELECT pg_backend_pid()"))
