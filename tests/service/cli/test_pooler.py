"""The doctor notices PgBouncer by itself, and says where one must not stand."""

import asyncio
import os
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from mandant.service.doctor import Line, examine
from mandant.vault.clock import SystemClock
from tests.service.cli.command import environment
from tests.stack import Stack
from tests.tools import needs

CONFIG = """
[databases]
data = host={sockets} dbname={name}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
"""


@pytest.fixture
async def pooler(stack: Stack) -> AsyncIterator[int]:
    """The port of a PgBouncer in transaction mode before the stack's data database."""
    program = needs("pgbouncer", "/usr/sbin/pgbouncer")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)  # as root it runs as another user
        users = [
            f'"{role}" "{urlsplit(stack.data_url(role)).netloc.split(":")[1].split("@")[0]}"'
            for role in ("mandant_app", "mandant_worker")
        ]
        (folder / "users").write_text("\n".join(users))
        (folder / "ini").write_text(
            CONFIG.format(sockets=stack.server.sockets, name=stack.data_name, port=port, folder=folder)
        )
        as_user = ("-u", stack.server.sockets.owner()) if os.geteuid() == 0 else ()
        process = await asyncio.create_subprocess_exec(
            program,
            *as_user,
            folder / "ini",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await _answers(process, port)
            yield port
        finally:
            process.terminate()
            await process.wait()


async def _answers(process: asyncio.subprocess.Process, port: int) -> None:
    while process.returncode is None:
        try:
            connection = await asyncpg.connect(_through(port, "mandant_app"), statement_cache_size=0)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        await connection.close()
        return
    raise AssertionError("pgbouncer ended by itself")


def _through(port: int, role: str) -> str:
    return f"postgresql://{role}@127.0.0.1:{port}/data?sslmode=disable"


async def lines(stack: Stack, role: str, name: str, **more: str) -> list[Line]:
    found = [line async for line in examine(environment(stack, **more), SystemClock())]
    return [line for line in found if line.name == f"data as {role}: pooler" and line.part == name]


async def test_a_pooler_is_noticed_and_has_to_be_told_of(stack: Stack, pooler: int) -> None:
    app = {"MANDANT_DATABASE_URL": _through(pooler, "mandant_app")}
    worker = {"MANDANT_DATABASE_WORKER_URL": _through(pooler, "mandant_worker")}
    [untold] = await lines(stack, "mandant_app", "connections", **app)
    assert (untold.status, "MANDANT_PGBOUNCER=on" in untold.todo) == ("wrong", True)
    [told] = await lines(stack, "mandant_app", "connections", **app, MANDANT_PGBOUNCER="on")
    assert told.status == "ok"
    [listening] = await lines(stack, "mandant_worker", "connections", **worker)
    assert (listening.status, "PostgreSQL itself" in listening.todo) == ("wrong", True)
    [needless] = await lines(stack, "mandant_app", "connections", MANDANT_PGBOUNCER="on")
    assert needless.status == "warning"
    assert await lines(stack, "mandant_app", "connections") == []
