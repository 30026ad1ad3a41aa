"""`mandant up`: PostgreSQL, web and worker under one parent process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from mandant.service.cli.children import Children, start_child, stop_all
from mandant.service.cli.mistakes import told_plainly
from mandant.service.cli.ports import claimed_port
from mandant.service.databases import Databases, databases
from mandant.service.demo.client import Client
from mandant.service.opening import open_runtime
from mandant.service.settings import Settings

__all__ = ["WORKER", "Service", "Stopped", "serving", "up"]

Result = TypeVar("Result")
WORKER = ("-m", "mandant", "worker")


class Stopped(Exception):
    """Ctrl-C, SIGTERM, or a child that ended by itself, before the work was done."""


@click.command()
def up() -> None:
    """Serve on this machine: the API, its worker and, where no server is set, PostgreSQL.

    Stops with Ctrl-C. What it keeps stands under ./var (MANDANT_VAR).
    """
    settings = Settings.from_env(os.environ)
    with told_plainly(settings.var):
        sys.exit(asyncio.run(_up(settings)))


async def _up(settings: Settings) -> int:
    try:
        async with serving(settings, os.environ.copy()) as service:
            click.echo(f"mandant serves on {service.address}  (documentation: {service.address}/api/v1/docs)")
            return await service.ended()
    except Stopped as stopped:
        return stopped_with(stopped)


def stopped_with(stopped: Stopped) -> int:
    """Says why, if there is something to say. Returns the exit code."""
    if str(stopped):
        click.secho(f"mandant: {stopped}", err=True, fg="red")
        return 1
    return 0


class Service:
    """The running children of one parent."""

    def __init__(
        self, address: str, where: Databases, environ: dict[str, str], log: Path | None, stop: asyncio.Event
    ) -> None:
        self.address = address
        self.where = where
        self.children: Children = {}
        self._environ, self._log, self._stop = environ, log, stop

    async def start(self, name: str, *command: str) -> None:
        """Start a child under a name, or another one where that one has ended."""
        self.children[name] = await start_child(self._environ, *command, log=self._log)

    async def ended(self) -> int:
        """Wait for Ctrl-C, SIGTERM or a child that ends by itself. Returns the exit code to end with."""
        try:
            await self.unless_stopped(asyncio.Event().wait())
        except Stopped as stopped:
            return stopped_with(stopped)
        return 0

    async def unless_stopped(self, work: Coroutine[Any, Any, Result], *, children: bool = True) -> Result:
        """The result of `work`. Raises: Stopped, with `work` cancelled, when told to stop or a child ends.

        `children` False: for work that kills them itself.
        """
        doing = asyncio.create_task(work)
        watched = self.children.items() if children else ()
        waiting = {asyncio.create_task(child.wait(), name=name) for name, child in watched}
        stopping = asyncio.create_task(self._stop.wait())
        try:
            done, _ = await asyncio.wait({doing, stopping, *waiting}, return_when=asyncio.FIRST_COMPLETED)
            if doing in done:
                return doing.result()
            if stopping in done:
                raise Stopped
            names = " and ".join(sorted(task.get_name() for task in done))
            raise Stopped(f"{names} ended by itself; its last words stand in its output")
        finally:
            for task in (doing, stopping, *waiting):
                task.cancel()
            await asyncio.gather(doing, return_exceptions=True)


@asynccontextmanager
async def serving(
    settings: Settings, environ: dict[str, str], *, log: Path | None = None
) -> AsyncIterator[Service]:
    """PostgreSQL (where embedded), web and worker, all stopped when the block ends.

    `environ` is the children's; what they print goes to `log`, or to the terminal. The parent holds the
    embedded server; children find it through var/run.

    Raises: PostgresError, VaultError, KmsError, ClickException for a port; Stopped.
    """
    with claimed_port(settings.host, settings.port) as port:
        async with _serving(settings, environ, port, log) as service:
            yield service


@asynccontextmanager
async def _serving(
    settings: Settings, environ: dict[str, str], port: int, log: Path | None
) -> AsyncIterator[Service]:
    """The same, on a port that is ours."""
    environ = environ | {"MANDANT_VAR": str(settings.var.absolute()), "MANDANT_PORT": str(port)}
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with databases(settings) as where:
        # Once in the parent: what is wrong with keys or databases is said here, in one sentence, and
        # the children do not race for who makes the key file.
        async with open_runtime(settings, []):
            pass
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        service = Service(f"http://{host}:{port}", where, environ, log, stop)
        try:
            await service.start("worker", *WORKER)
            await service.start(
                "web",
                *("-m", "granian", "--interface", "asgi", "--factory", "mandant.service.app:create_app"),
                *("--host", settings.host, "--port", str(port), "--workers", str(settings.web_workers)),
                *("--no-access-log", "--log-level", "warning"),
            )
            await service.unless_stopped(_until_ready(Client(service.address)))
            yield service
        finally:
            await stop_all(service.children)


async def _until_ready(client: Client) -> None:
    while True:
        try:
            if (await client.ask("GET", "/health/ready", prefix="")).status == 200:
                return
        except OSError:
            pass  # not listening yet
        await asyncio.sleep(0.1)
