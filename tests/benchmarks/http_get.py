"""GET of one record over HTTP, signed in, against a bare Litestar route that reads the plain row.

Two equal servers with one worker each, as `mandant up` starts its own, answer in turn and with the same
body. Where there are two cores, the servers have one and the load generator the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx
import msgspec

from mandant.service.settings import Settings
from mandant.tenants.modules.customers import customers
from mandant.tenants.people.agreements import EDITIONS
from tests.benchmarks import plain
from tests.benchmarks.effort import Effort
from tests.benchmarks.figure import Figure, Pair
from tests.benchmarks.http_load import Seen
from tests.benchmarks.http_peer import DATABASE_VARIABLE, POOL_VARIABLE, StoredCustomer
from tests.benchmarks.world import World

__all__ = ["figures"]

ROOT = Path(__file__).parents[2]
CONNECTIONS = 16
FEWEST_SECONDS = 0.2
READY_WITHIN = 60.0
RECORD = {
    "first_name": "Anna",
    "last_name": "Müller",
    "addresses": [{"street": "Bahnhofstrasse 1", "postcode": "8001", "city": "Zürich", "country": "CH"}],
    "emails": [{"address": "anna@example.ch", "kind": "work"}],
    "phones": [{"number": "044 668 18 00", "kind": "work"}],
    "birthday": "1980-02-29",
    "tags": ["Newsletter"],
}


@dataclass(frozen=True, slots=True)
class Target:
    """What the load generator asks for."""

    port: int
    path: str
    authorization: str


async def figures(world: World, effort: Effort) -> list[Figure]:
    """Answers a second; ours authenticates, reads, opens, logs and counts."""
    folder = world.stack.folder
    ours_environment = {
        "MANDANT_DATABASE_URL": world.stack.data_url(),
        "MANDANT_CONTROL_URL": world.stack.control_url(),
        "MANDANT_KEY_FILE": str(folder / "keys.json"),
        "MANDANT_VAR": str(folder / "var"),
    }
    peer_environment = {
        DATABASE_VARIABLE: world.stack.data_url(),
        POOL_VARIABLE: str(Settings().database_pool),
    }
    async with (
        _server("mandant.service.app:create_app", ours_environment, folder / "web.log") as ours_port,
        _server("tests.benchmarks.http_peer:create_app", peer_environment, folder / "peer.log") as peer_port,
    ):
        ours, peer = await _prepare(world, ours_port, peer_port)
        seconds = max(FEWEST_SECONDS, effort.seconds)
        values: dict[str, list[float]] = {"ours": [], "peer": []}
        for target in (ours, peer):
            await _load(target, seconds)
        for number in range(effort.rounds):
            turns = [("ours", ours), ("peer", peer)]
            for name, target in turns if number % 2 == 0 else turns[::-1]:
                values[name].append((await _load(target, seconds)).rate)
        logged = (folder / "web.log").read_bytes().count(b'"event":"request"')
        assert logged > effort.rounds, "the access log is on while it is measured"
    pair = Pair.of(values["ours"], values["peer"], "requests/s")
    return [Figure.at_least("GET of one record over HTTP / a bare Litestar route", pair, 0.5)]


async def _prepare(world: World, ours_port: int, peer_port: int) -> tuple[Target, Target]:
    """Somebody who signs in, one record of theirs, and the same row in plaintext."""
    person = {"email": "bench@example.ch", "password": "correct horse battery"}
    registration = {
        **person,
        "name": "Anna Muster",
        "company": {"name": "Muster AG", "domain": "muster.example", "country": "CH", "head_count": 12},
        "function": "Director",
        "accepts": {str(name): edition for name, edition in EDITIONS.items()},
    }
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{ours_port}/api/v1", timeout=30) as http:
        assert (await http.post("/register", json=registration)).status_code == 202
        http.headers["Authorization"] = f"Bearer {(await http.post('/sign-in', json=person)).json()['token']}"
        tenant_id = UUID((await http.get("/me")).json()["tenants"][0]["tenant_id"])
        records = f"/tenants/{tenant_id}/modules/customers/records"
        made = await http.post(f"{records}/", json=RECORD)
        assert made.status_code == 201, made.text
        stored = msgspec.json.decode(made.content, type=StoredCustomer)
        content = customers.encode(stored.record)
        row = (tenant_id, customers.name, stored.id, stored.version, content)
        await world.copy("record", plain.COLUMNS, [(*row, stored.created_at, stored.updated_at)])
        ours = Target(ours_port, f"/api/v1{records}/{stored.id}", http.headers["Authorization"])
        peer = Target(peer_port, f"/records/{tenant_id}/{stored.id}", "none")
        same = await http.get(f"http://127.0.0.1:{peer_port}{peer.path}")
        assert same.content == (await http.get(f"{records}/{stored.id}")).content
    return ours, peer


async def _load(target: Target, seconds: float) -> Seen:
    generator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.http_load", str(target.port), target.path),
        *(target.authorization, str(CONNECTIONS), str(seconds)),
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        preexec_fn=_on_core(0),
    )
    printed, _ = await generator.communicate()
    assert generator.returncode == 0
    seen = msgspec.json.decode(printed, type=Seen)
    assert seen.busy < 0.9, "the load generator is the bottleneck"
    return seen


@asynccontextmanager
async def _server(application: str, environment: dict[str, str], log: Path) -> AsyncIterator[int]:
    """granian with one worker, as service/cli/up.py starts it; yields its port."""
    port = _free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MANDANT_")}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory", application),
            *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
            *("--no-access-log", "--log-level", "warning"),
            cwd=ROOT,
            env=clean | environment | {"PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=out,
            preexec_fn=_on_core(-1),
        )
    try:
        await asyncio.wait_for(_until_it_answers(port, process, log), READY_WITHIN)
        yield port
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _until_it_answers(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    async with httpx.AsyncClient() as http:
        while True:
            assert process.returncode is None, log.read_text(errors="replace")
            with contextlib.suppress(httpx.TransportError):
                # Any answer but ours while it starts: the peer has no such address.
                if (await http.get(f"http://127.0.0.1:{port}/health/ready", timeout=10)).status_code != 503:
                    return
            await asyncio.sleep(0.1)


def _on_core(index: int) -> Callable[[], None]:
    """For a child, before it runs: keep to one of the cores that we may use."""
    cores = sorted(os.sched_getaffinity(0))
    return lambda: os.sched_setaffinity(0, {cores[index]})


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
