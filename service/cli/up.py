"""`mandant up`: PostgreSQL, web and worker under one parent process."""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import rich_click as click

from mandant.service.databases import databases
from mandant.service.settings import Settings

FIRST_PORT = 8350
Children: TypeAlias = "dict[str, asyncio.subprocess.Process]"
STOP_WITHIN = 40.0  # seconds: running jobs have 30 to end


@click.command()
def up() -> None:
    """Serve on this machine: the API, its worker and, where no server is set, PostgreSQL.

    Stops with Ctrl-C. What it keeps stands under ./var (MANDANT_VAR).
    """
    settings = Settings.from_env(os.environ)
    sys.exit(asyncio.run(_up(settings)))


async def _up(settings: Settings) -> int:
    async with serving(settings, os.environ.copy()) as service:
        click.echo(f"mandant serves on {service.address}  (documentation: {service.address}/api/v1/docs)")
        return await service.ended()


class Service:
    """The running children of one parent."""

    def __init__(
        self, address: str, children: dict[str, asyncio.subprocess.Process], stop: asyncio.Event
    ) -> None:
        self.address = address
        self._children = children
        self._stop = stop

    async def ended(self) -> int:
        """Wait for Ctrl-C, SIGTERM or a child that ends by itself. Returns the exit code to end with."""
        waiting = {asyncio.create_task(child.wait(), name=name) for name, child in self._children.items()}
        stopping = asyncio.create_task(self._stop.wait())
        done, _ = await asyncio.wait({*waiting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if stopping in done:
            return 0
        names = ", ".join(task.get_name() for task in done)
        click.secho(f"mandant: {names} ended by itself; its last words stand above", err=True, fg="red")
        return 1


@asynccontextmanager
async def serving(settings: Settings, environ: dict[str, str]) -> AsyncIterator[Service]:
    """PostgreSQL (where embedded), web and worker, all stopped when the block ends.

    `environ` is the children's. The parent holds the embedded server; children find it through var/run.
    """
    port = settings.port or free_port(settings.host)
    environ = environ | {"MANDANT_VAR": str(settings.var.absolute()), "MANDANT_PORT": str(port)}
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with databases(settings):
        children: Children = {}
        try:
            children["worker"] = await _child(environ, "-m", "mandant", "worker")
            children["web"] = await _child(
                environ,
                *("-m", "granian", "--interface", "asgi", "--factory", "mandant.service.app:create_app"),
                *("--host", settings.host, "--port", str(port), "--workers", str(settings.web_workers)),
                *("--no-access-log", "--log-level", "warning"),
            )
            service = Service(f"http://{settings.host}:{port}", children, stop)
            await _until_live(settings.host, port, children["web"])
            yield service
        finally:
            await _stop_all(children)


async def _child(environ: dict[str, str], *command: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, *command, env=environ, preexec_fn=_die_with(os.getpid()), start_new_session=True
    )


def _die_with(parent: int) -> Callable[[], None]:
    """For the child, before it runs: SIGTERM when the parent is gone, also by kill -9."""
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(1, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


async def _until_live(host: str, port: int, web: asyncio.subprocess.Process) -> None:
    while web.returncode is None:
        with contextlib.suppress(OSError):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            return
        await asyncio.sleep(0.1)


async def _stop_all(children: Children) -> None:
    for child in children.values():
        with contextlib.suppress(ProcessLookupError):
            child.terminate()
    for child in children.values():
        try:
            await asyncio.wait_for(child.wait(), STOP_WITHIN)
        except TimeoutError:
            child.kill()
            await child.wait()


def free_port(host: str) -> int:
    """8350, or the next port that nobody listens on."""
    for port in range(FIRST_PORT, FIRST_PORT + 100):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((host, port))
                return port
    raise click.ClickException(f"no port from {FIRST_PORT} to {FIRST_PORT + 99} is free; set MANDANT_PORT")
