"""The service as `mandant up` runs it: one parent, PostgreSQL, web and worker, real sockets."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx

from mandant.service.postgres import find_running
from mandant.service.postgres.server import RunningServer

ROOT = Path(__file__).parents[2]
READY_WITHIN = 120.0  # seconds: makes a database cluster first


@dataclass
class Running:
    """A service and all that it leaves behind: `var`, `tmp`, and what it prints, in `out`."""

    process: "subprocess.Popen[bytes]"
    folder: Path
    url: str
    traces: list[bytes] = field(default_factory=list)

    @property
    def var(self) -> Path:
        return self.folder / "var"

    @property
    def out(self) -> Path:
        return self.folder / "out.log"

    @property
    def server(self) -> RunningServer:
        found = find_running(self.var)
        assert found is not None
        return found

    def stop(self) -> None:
        """As Ctrl-C does. Everything that was to be written is written then."""
        self.process.terminate()
        self.process.wait(90)


@contextlib.contextmanager
def running(**settings: str) -> Iterator[Running]:
    """A fresh installation under a folder of its own."""
    # Short, because a unix socket's path ends at 107 bytes; open, because PostgreSQL is another user under root.
    with (
        tempfile.TemporaryDirectory(prefix="mw-", ignore_cleanup_errors=True) as name,
        _collector() as (
            endpoint,
            traces,
        ),
    ):
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("var", "tmp"):
            (folder / part).mkdir()
        (folder / "tmp").chmod(0o1777)
        port = _free_port()
        environment = {key: value for key, value in os.environ.items() if not key.startswith("MANDANT_")}
        environment |= {
            "MANDANT_VAR": str(folder / "var"),
            "MANDANT_PORT": str(port),
            "MANDANT_OTEL_ENDPOINT": endpoint,
            "MANDANT_LOG_LEVEL": "debug",
            "OTEL_BSP_SCHEDULE_DELAY": "200",
            "TMPDIR": str(folder / "tmp"),
            "PYTHONUNBUFFERED": "1",
            **settings,
        }
        with (folder / "out.log").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "mandant", "up"], cwd=ROOT, env=environment, stdout=out, stderr=out
            )
        service = Running(process, folder, f"http://127.0.0.1:{port}", traces)
        try:
            _wait_until_ready(service)
            yield service
        finally:
            service.stop()


def _wait_until_ready(service: Running) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        assert service.process.poll() is None, service.out.read_text(errors="replace")
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{service.url}/health/ready", timeout=10).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(service.out.read_text(errors="replace"))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextlib.contextmanager
def _collector() -> Iterator[tuple[str, list[bytes]]]:
    """An OpenTelemetry collector that only keeps what it is sent, unpacked."""
    got: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            packed = self.headers.get("Content-Encoding") == "gzip"
            got.append(zlib.decompress(body, wbits=31) if packed else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
            """Nothing: the tests' output is the tests'."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
