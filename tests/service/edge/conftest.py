"""The probe service behind granian, in a process of its own."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

ROOT = Path(__file__).parents[3]
READY_WITHIN = 60.0


@dataclass(frozen=True)
class Probe:
    """A running probe service: where it answers, where its log is."""

    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Probe]:
    folder = tmp_path_factory.mktemp("probe")
    started = Probe(free_port(), folder / "log")
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "--no-ws"]
    command += ["--port", str(started.port), "tests.service.probe:served"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "MANDANT_VAR": str(folder)}
    with started.log.open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        wait_until_live(started, process)
        yield started
    finally:
        process.terminate()
        process.wait(30)


def wait_until_live(started: Probe, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until:
        assert process.poll() is None, started.log.read_text()
        try:
            if httpx.get(f"{started.url}/health/live").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(started.log.read_text())


@pytest_asyncio.fixture
async def http(probe: Probe) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=probe.url, timeout=30) as client:
        yield client


async def raw(probe: Probe, request: bytes) -> bytes:
    """Send bytes as they are, read until the server closes or 5 s have passed without a byte."""
    reader, writer = await asyncio.open_connection("127.0.0.1", probe.port)
    try:
        writer.write(request)
        await writer.drain()
        answer = b""
        while chunk := await asyncio.wait_for(reader.read(65536), 5):
            answer += chunk
        return answer
    finally:
        writer.close()
