"""The stand-alone application over a real installation, asked in this process."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from itertools import count
from typing import TypeAlias
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from mandant.integrations.objects import FolderObjectStore
from mandant.service.edge.rate_limit import Try
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.modules import catalogue
from mandant.tenants.people import PasswordCost, Passwords, People
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
async def people(stack: Stack) -> AsyncIterator[People]:
    passwords = Passwords(PasswordCost(2, 19 << 20))
    yield People(
        stack.data, stack.control, stack.keyring, stack.provider, stack.clock, passwords, refusal_seconds=0.0
    )
    passwords.close()


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
