"""The stand-alone application over a real installation, asked in this process."""

from collections.abc import AsyncIterator

import httpx
import pytest_asyncio

from mandant.integrations.objects import FolderObjectStore
from mandant.service.edge.rate_limit import Try
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.modules import catalogue
from mandant.tenants.people import PasswordCost, Passwords, People
from tests.stack import Stack


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
async def http(stack: Stack, people: People) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the whole application, problems and headers included; tries are not limited."""
    plugin = MandantPlugin(MandantConfig(settings=Settings()))
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
        modules=catalogue([]),
        metrics=plugin.metrics,
        checks={},
    )
    transport = httpx.ASGITransport(app=plugin.edge)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test/api/v1") as client:
        yield client
