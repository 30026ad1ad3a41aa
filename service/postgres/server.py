"""Starts and stops the embedded server of one folder."""

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import asyncpg

from mandant.service.postgres.account import Account, pick_account, reaches
from mandant.service.postgres.binaries import find_binaries
from mandant.service.postgres.cluster import (
    check_cluster,
    check_room,
    clean_environment,
    explain,
    make_cluster,
)
from mandant.service.postgres.errors import DataGone, StartFailed
from mandant.service.postgres.lock import FolderLock, holder
from mandant.service.postgres.orphans import clear_stale_pid, stop_orphans
from mandant.service.postgres.passwords import SUPERUSER, make_passwords, read_passwords
from mandant.service.postgres.roles import prepare_server

__all__ = ["EmbeddedPostgres", "RunningServer", "find_running"]

READY_WITHIN = 600.0  # seconds: a recovery after a crash may read much WAL
STOP_WITHIN = 100.0  # seconds: the watchdog's own patience, and some
LOOK = 0.05
LOG_LIMIT = 8 << 20  # bytes, then the log becomes server.log.1
SOCKET_PATH_LIMIT = 107  # bytes of a unix socket's path

# A statement in the log could show what a caller typed into it; sealed data comes as parameters, but
# an error's detail may quote a row.
OPTIONS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length_on_error": "0",
    "log_statement": "none",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "max_connections": "100",
}


class RunningServer:
    """How to reach a server: its socket's folder, and the passwords of its roles."""

    def __init__(self, sockets: Path, passwords: Mapping[str, str]) -> None:
        self.sockets = sockets
        self._passwords = passwords

    def dsn(self, role: str, database: str) -> str:
        """A URL for asyncpg, psycopg and libpq. Holds the role's password."""
        password = self._passwords[role]
        return f"postgresql://{quote(role)}:{password}@/{quote(database)}?host={quote(str(self.sockets))}"


class EmbeddedPostgres:
    """PostgreSQL of one folder, for as long as this object is started and its process lives.

        async with EmbeddedPostgres(Path("var")) as server:
            await asyncpg.connect(server.dsn("mandant_app", "mandant"))

    `postgres/` under the folder holds data, passwords (0600) and log; `run/` how a second terminal
    finds the server. Only a unix socket listens. `options` are settings of postgresql.conf;
    `fsync=off` among them is for tests.
    """

    def __init__(self, directory: Path, options: Mapping[str, str] | None = None) -> None:
        self.directory = directory.absolute()
        self.data = self.directory / "postgres" / "data"
        self.log = self.directory / "postgres" / "server.log"
        self.binaries: Path | None = None
        self._options = dict(options or {})
        self._passwords_file = self.directory / "postgres" / "passwords.json"
        self._lock = FolderLock(self.directory / "run" / "postgres.lock")
        self._record = self.directory / "run" / "postgres.json"
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._running: RunningServer | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Makes what is missing, ends what an earlier process left, recovers, waits until it answers.

        Raises:
            PostgresError: one of its kinds, with what to do. Nothing keeps running then.
        """
        try:
            await asyncio.to_thread(self._start)
            await prepare_server(self._connect_as_admin, self._passwords())
            self._write_record(self.sockets, ready=True)
        except BaseException:
            await asyncio.to_thread(self._stop)
            raise

    async def stop(self) -> None:
        """Fast shutdown: open transactions roll back, no recovery is needed. May be called twice."""
        await asyncio.to_thread(self._stop)

    def dsn(self, role: str, database: str) -> str:
        """A URL for one of the roles, or for `postgres`, the superuser. Holds the password."""
        return self._server().dsn(role, database)

    @property
    def sockets(self) -> Path:
        """Folder of the unix socket."""
        return self._server().sockets

    def _server(self) -> RunningServer:
        if self._running is None:
            raise StartFailed("the embedded server is not started")
        return self._running

    def _passwords(self) -> dict[str, str]:
        return read_passwords(self._passwords_file)

    async def _connect_as_admin(self, database: str) -> "asyncpg.Connection[Any]":
        return await asyncpg.connect(self.dsn(SUPERUSER, database))

    def _start(self) -> None:
        for folder in (self.directory, self.data.parent, self._record.parent):
            folder.mkdir(parents=True, exist_ok=True)
        self._lock.acquire()
        self._forget_sockets()
        check_room(self.directory)
        account = pick_account(self.data)
        self.binaries = find_binaries(account, self.directory)
        if not self.data.exists():
            self._make(account)
        check_cluster(self.binaries, self.data)
        stop_orphans(self.data)
        clear_stale_pid(self.data)
        sockets = _make_socket_folder(account)
        self._write_record(sockets, ready=False)  # so that the folder is found after a crash
        self._running = RunningServer(sockets, self._passwords())
        before = self._status()
        self._watchdog = self._spawn(account, self.binaries, sockets)
        self._wait_until_ready(self._watchdog, before)

    def _make(self, account: Account) -> None:
        unfinished = self.data.with_name("data.unfinished")
        if self.data.is_symlink() or (self._passwords_file.exists() and not os.path.lexists(unfinished)):
            raise DataGone(self.data, self._passwords_file)
        assert self.binaries is not None  # noqa: S101 - found a line before
        passwords = make_passwords(self._passwords_file.with_suffix(".new"))
        sync = self._options.get("fsync") != "off"
        made = make_cluster(self.binaries, account, self.data, passwords[SUPERUSER], sync=sync)
        self._passwords_file.with_suffix(".new").rename(self._passwords_file)
        made.rename(self.data)

    def _spawn(self, account: Account, binaries: Path, sockets: Path) -> subprocess.Popen[bytes]:
        if self.log.exists() and self.log.stat().st_size > LOG_LIMIT:
            self.log.rename(self.log.with_suffix(".log.1"))
        options = OPTIONS | {"unix_socket_directories": str(sockets)} | self._options
        who = (account.uid, account.gid) if account.is_another else (-1, -1)
        watchdog = Path(__file__).with_name("watchdog.py")
        command: list[str | Path] = [sys.executable, "-I", "-S", watchdog, *map(str, (os.getpid(), *who))]
        command += [binaries / "postgres", "-D", self.data.resolve()]
        for name, value in options.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._log_start = log.tell()
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the parent, which stops the server when it is done
                env=clean_environment(),
            )

    def _status(self) -> str:
        """What PostgreSQL writes about itself: pid, start, last `ready`. A killed one leaves its own."""
        try:
            return (self.data / "postmaster.pid").read_text()
        except OSError:
            return ""

    def _wait_until_ready(self, watchdog: subprocess.Popen[bytes], before: str) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            if watchdog.poll() is not None:
                words = explain(self._log_of_this_start())
                raise StartFailed(f"PostgreSQL did not start: {words} (see {self.log})")
            status = self._status()
            if status != before and status.rstrip().endswith("ready"):
                return
            time.sleep(LOOK)
        raise StartFailed(f"PostgreSQL was not ready within {READY_WITHIN:.0f} seconds (see {self.log})")

    def _log_of_this_start(self) -> str:
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode(errors="replace")

    def _stop(self) -> None:
        if self._watchdog is not None:
            assert self._watchdog.stdin is not None  # noqa: S101 - a pipe, as spawned
            self._watchdog.stdin.close()
            self._watchdog.wait(STOP_WITHIN)
            self._watchdog = None
        if self._running is not None:
            self._forget_sockets()
            self._running = None
        self._lock.release()

    def _write_record(self, sockets: Path, *, ready: bool) -> None:
        """Whole or not at all: a second terminal may read it at any time."""
        half = self._record.with_suffix(".half")
        half.write_text(json.dumps({"sockets": str(sockets), "ready": ready}))
        half.rename(self._record)

    def _forget_sockets(self) -> None:
        """Takes the recorded socket folder away, this start's or that of one that was killed."""
        with contextlib.suppress(OSError, ValueError, KeyError):
            sockets = Path(json.loads(self._record.read_text())["sockets"])
            if sockets.name.startswith("mandant-"):
                shutil.rmtree(sockets, ignore_errors=True)
        self._record.unlink(missing_ok=True)


def find_running(directory: Path) -> RunningServer | None:
    """The server that another process started on the folder, for a second terminal; None: none is ready."""
    directory = directory.absolute()
    if holder(directory / "run" / "postgres.lock") is None:
        return None
    try:
        record = json.loads((directory / "run" / "postgres.json").read_text())
    except FileNotFoundError:
        return None
    if not record["ready"]:
        return None
    return RunningServer(Path(record["sockets"]), read_passwords(directory / "postgres" / "passwords.json"))


def _make_socket_folder(account: Account) -> Path:
    """A folder of its own with a short path: a socket's path ends at 107 bytes."""
    for base in map(Path, (tempfile.gettempdir(), "/tmp", "/var/tmp", "/run")):  # noqa: S108
        fits = len(os.fsencode(base / "mandant-12345678" / ".s.PGSQL.5432.lock")) < SOCKET_PATH_LIMIT
        if fits and base.is_dir() and reaches(account, base / "any"):
            with contextlib.suppress(OSError):
                sockets = Path(tempfile.mkdtemp(prefix="mandant-", dir=base))
                account.give(sockets)
                return sockets
    raise StartFailed(
        "no folder for the unix socket: neither the temporary one nor /tmp, /var/tmp, /run will do"
    )
