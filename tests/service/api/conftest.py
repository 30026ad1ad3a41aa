"""The stand-alone application over a real installation, asked in this process."""

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any, TypeAlias, cast
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from granian.constants import Interfaces
from granian.server.embed import Server

from mandant.integrations.objects import FolderObjectStore
from mandant.service.edge.edge import Edge
from mandant.service.edge.rate_limit import Try
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.modules import catalogue
from mandant.tenants.people import People
from mandant.tenants.people.agreements import EDITIONS
from tests.stack import Stack

PASSWORD = "correct horse battery"
_numbers = count(1)


@dataclass(frozen=True)
class Signed:
    """The owner of a tenant of their own, signed in: `http` sends their token."""

    http: httpx.AsyncClient
    tenant_id: UUID
    email: str


SignUp: TypeAlias = Callable[[], Awaitable[Signed]]


class Unlimited:
    """A limiter that lets everybody through: tests/service/edge has the real one."""

    async def take(self, *tries: Try) -> None:
        pass


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def http(
    stack: Stack, people: People, request: pytest.FixtureRequest
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, problems and headers included; tries are not limited.

    A test module's `MODULES` are the host's.
    """
    modules = getattr(request.module, "MODULES", [])
    plugin = MandantPlugin(MandantConfig(modules, Settings()))
    # Set here and not by the lifespan, whose task groups must end in the task that began them.
    plugin.edge.runtime = Runtime(
        settings=plugin.settings,
        data=stack.data,
        control=stack.control,
        provider=stack.provider,
        keyring=stack.keyring,
        objects=FolderObjectStore(stack.folder / "objects"),
        jobs=PostgresJobs(),
        people=people,
        limiter=Unlimited(),
        clock=stack.clock,
        modules=catalogue(modules),
        metrics=plugin.metrics,
        checks={},
    )
    transport = httpx.ASGITransport(app=plugin.edge)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        yield client


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def sign_up(http: httpx.AsyncClient) -> AsyncIterator[SignUp]:
    """`await sign_up()`: somebody new with a company of their own."""

    async def sign_up_one() -> Signed:
        email = f"owner{next(_numbers)}@example.ch"
        registration = {
            "name": "Anna Muster",
            "email": email,
            "password": PASSWORD,
            "company": {"name": "Muster AG", "domain": "muster.example", "country": "CH", "head_count": 12},
            "function": "Director",
            "accepts": dict(EDITIONS),
        }
        assert (await http.post("/register", json=registration)).status_code == 202
        token = (await http.post("/sign-in", json={"email": email, "password": PASSWORD})).json()["token"]
        client = httpx.AsyncClient(
            transport=http._transport, base_url=http.base_url, headers={"Authorization": f"Bearer {token}"}
        )
        me = (await client.get("/me")).json()
        return Signed(client, UUID(me["tenants"][0]["tenant_id"]), email)

    yield sign_up_one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def edge(http: httpx.AsyncClient) -> Edge:
    """The application behind `http`, its folder of sealed files opened."""
    edge = cast("Edge", cast("Any", http._transport).app)
    assert edge.runtime is not None
    await cast("Any", edge.runtime.objects).open()
    return edge


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def port(edge: Edge) -> AsyncIterator[int]:
    """The application behind granian, in this process."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        free = int(found.getsockname()[1])
    server = Server(edge, "127.0.0.1", free, interface=Interfaces.ASGINL, log_enabled=False, websockets=False)
    serving = asyncio.create_task(server.serve())
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", free)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
    yield free
    server.stop()  # type: ignore[no-untyped-call]
    await serving


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def by_socket(sign_up: SignUp, port: int) -> AsyncIterator[SignUp]:
    """As sign_up, with a client that asks over the socket."""
    async with AsyncExitStack() as clients:

        async def sign_up_one() -> Signed:
            owner = await sign_up()
            client = httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{port}/api/v1", headers=owner.http.headers, timeout=60
            )
            return dataclasses.replace(owner, http=await clients.enter_async_context(client))

        yield sign_up_one
