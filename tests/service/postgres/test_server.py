"""The embedded server lives as long as its parent, recovers, and is reached by its own people only."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg
import pytest

from mandant.service.postgres import AlreadyRunning, EmbeddedPostgres, find_running
from mandant.service.postgres.account import pick_account
from mandant.service.postgres.orphans import processes_in
from tests.service.postgres.conftest import Starter, first_word, wait_until_gone

FAST = {"fsync": "off"}


async def write_row(server: EmbeddedPostgres) -> None:
    owner = await asyncpg.connect(server.dsn("mandant_owner", "mandant"))
    await owner.execute("CREATE SCHEMA kept; CREATE TABLE kept.row AS SELECT 'still here' AS word")
    await owner.close()


async def read_row(server: EmbeddedPostgres) -> object:
    owner = await asyncpg.connect(server.dsn("mandant_owner", "mandant"))
    try:
        return await owner.fetchval("SELECT word FROM kept.row")
    finally:
        await owner.close()


def postmaster(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def test_what_was_written_is_there_after_a_second_start(var: Path) -> None:
    async with EmbeddedPostgres(var, FAST) as server:
        await write_row(server)
    async with EmbeddedPostgres(var, FAST) as server:
        assert await read_row(server) == "still here"


async def test_nothing_listens_but_a_socket_in_a_closed_folder(postgres: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    assert await admin.fetchval("SHOW listen_addresses") == ""
    assert await admin.fetchval("SELECT bool_and(auth_method = 'scram-sha-256') FROM pg_hba_file_rules")
    assert await admin.fetchval("SHOW data_checksums") == "on"
    await admin.close()
    assert postgres.sockets.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(postgres.sockets / ".s.PGSQL.5432")) < 107


async def test_the_server_is_never_root_and_passwords_are_in_one_closed_file(
    postgres: EmbeddedPostgres,
) -> None:
    account = pick_account(postgres.data)
    assert account.uid != 0
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in processes_in(postgres.data)} == {account.uid}
    passwords = postgres.directory / "postgres" / "passwords.json"
    assert passwords.stat().st_mode & 0o777 == 0o600
    command = Path(f"/proc/{postmaster(postgres.data)}/cmdline").read_text()
    assert "password" not in command


async def test_the_log_has_no_statement_and_no_row(var: Path) -> None:
    async with EmbeddedPostgres(var, FAST) as server:
        owner = await asyncpg.connect(server.dsn("mandant_owner", "mandant"))
        await owner.execute("CREATE SCHEMA s CREATE TABLE s.t (word text PRIMARY KEY)")
        await owner.execute("INSERT INTO s.t VALUES ($1)", "canary-in-a-row")
        for statement in ("INSERT INTO s.t VALUES ('canary-in-a-row')", "SELECT canary_in_a_statement"):
            with pytest.raises(asyncpg.PostgresError):
                await owner.execute(statement)
        await owner.close()
    log = server.log.read_text()
    assert "duplicate key" in log
    assert "canary-in-a-row" not in log
    assert "SELECT canary" not in log


async def test_kill_9_of_the_parent_stops_the_server(var: Path, starter: Starter) -> None:
    parent = starter(var)
    assert first_word(parent).startswith("ready")
    parent.kill()
    assert wait_until_gone(var / "postgres" / "data")
    # A fast shutdown, no crash: nothing to recover.
    assert "database system is shut down" in (var / "postgres" / "server.log").read_text()


async def test_kill_9_of_parent_and_watchdog_stops_the_server(var: Path, starter: Starter) -> None:
    parent = starter(var)
    assert first_word(parent).startswith("ready")
    watchdog = parent_of(postmaster(var / "postgres" / "data"))
    parent.send_signal(signal.SIGSTOP)
    os.kill(watchdog, signal.SIGKILL)
    parent.kill()
    assert wait_until_gone(var / "postgres" / "data")


async def test_ctrl_c_is_for_the_parent_alone(var: Path, starter: Starter) -> None:
    parent = starter(var, start_new_session=True)
    assert first_word(parent).startswith("ready")
    server = postmaster(var / "postgres" / "data")
    assert os.getpgid(server) != os.getpgid(parent.pid)


async def test_kill_9_of_the_server_loses_nothing_that_was_committed(var: Path) -> None:
    server = EmbeddedPostgres(var)
    await server.start()
    await write_row(server)
    os.kill(postmaster(server.data), signal.SIGKILL)
    await server.stop()
    async with EmbeddedPostgres(var, FAST) as again:
        assert await read_row(again) == "still here"
    assert "not properly shut down" in again.log.read_text()


async def test_a_server_that_outlived_everybody_is_ended_first(var: Path) -> None:
    async with EmbeddedPostgres(var, FAST) as server:
        await write_row(server)
    assert server.binaries is not None
    orphan = subprocess.Popen(
        [server.binaries / "postgres", "-D", server.data, "-c", "listen_addresses=", "-k", server.data],
        cwd="/",
        stderr=subprocess.DEVNULL,
        **pick_account(server.data).popen(),
    )
    while not processes_in(server.data):
        assert orphan.poll() is None
    async with EmbeddedPostgres(var, FAST) as again:
        assert await read_row(again) == "still here"
        assert orphan.wait(60) == 0


async def test_a_stale_pid_that_is_somebody_elses_now_does_not_keep_it_out(var: Path) -> None:
    async with EmbeddedPostgres(var, FAST) as server:
        await write_row(server)
    other = subprocess.Popen(["sleep", "600"], cwd="/", **pick_account(server.data).popen())
    stale = server.data / "postmaster.pid"
    stale.write_text(f"{other.pid}\n{server.data}\n1\n5432\n/nowhere\n\n1 1\nready   \n")
    pick_account(server.data).give(stale)
    try:
        async with EmbeddedPostgres(var, FAST) as again:
            assert await read_row(again) == "still here"
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


async def test_a_second_starter_is_told_who_runs(var: Path, starter: Starter) -> None:
    parent = starter(var)
    assert first_word(parent).startswith("ready")
    with pytest.raises(AlreadyRunning, match=f"process {parent.pid}") as caught:
        await EmbeddedPostgres(var).start()
    assert caught.value.pid == parent.pid
    # ... and the first one goes on.
    running = find_running(var)
    assert running is not None
    connection = await asyncpg.connect(running.dsn("mandant_app", "mandant"))
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_a_second_starter_in_the_same_process_is_refused_too(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(AlreadyRunning):
        await EmbeddedPostgres(postgres.directory).start()
    assert find_running(postgres.directory) is not None


async def test_no_server_is_found_where_none_runs(var: Path) -> None:
    assert find_running(var) is None
    async with EmbeddedPostgres(var, FAST) as server:
        sockets = server.sockets
    assert find_running(var) is None
    assert not sockets.exists()


async def test_sockets_of_a_killed_parent_are_taken_away(var: Path, starter: Starter) -> None:
    parent = starter(var)
    sockets = Path(first_word(parent).split()[1])
    parent.kill()
    assert wait_until_gone(var / "postgres" / "data")
    async with EmbeddedPostgres(var, FAST):
        assert not sockets.exists()


async def test_another_postgresql_on_port_5432_does_not_matter(var: Path) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", 5432))
            listener.listen()
        except OSError:  # one is there already: all the better
            assert socket.create_connection(("127.0.0.1", 5432))
        async with EmbeddedPostgres(var, FAST) as server:
            await write_row(server)


async def test_a_long_temporary_folder_gives_a_short_socket_path(
    var: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = var / ("long" * 30)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    async with EmbeddedPostgres(var, FAST) as server:
        assert len(str(server.sockets)) < 80


def readable_python() -> str | None:
    """An interpreter of our version that every user may run."""
    for python in (sys.executable, "/usr/bin/python3"):
        version = "import sys; print(sys.version_info[:2])"
        try:
            answer = subprocess.run(
                [python, "-c", version],
                capture_output=True,
                text=True,
                user="nobody",
                group="nogroup",
                extra_groups=[],
            )
        except OSError:
            continue
        if answer.stdout.strip() == str(sys.version_info[:2]):
            return python
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="the whole run is an ordinary user's")
async def test_an_ordinary_user_runs_it_as_themselves_twice_in_a_row(var: Path, starter: Starter) -> None:
    python = readable_python()
    if python is None:
        pytest.skip("no interpreter of this version that an ordinary user may run")
    os.chown(var, 65534, 65534)
    for _ in range(2):
        parent = starter(var, python, user=65534, group=65534, extra_groups=[])
        word = first_word(parent)
        assert word.startswith("ready"), word
        data = var / "postgres" / "data"
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in processes_in(data)} == {65534}
        parent.kill()
        assert wait_until_gone(data)
