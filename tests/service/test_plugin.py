"""A host keeps everything that is its own: routes, error pages, dependencies, SQLAlchemy plugin, documents."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import pytest
from advanced_alchemy.extensions.litestar import (
    AsyncSessionConfig,
    EngineConfig,
    SQLAlchemyAsyncConfig,
    SQLAlchemyPlugin,
)
from litestar import Litestar, Request, Response, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.pool import NullPool

from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.settings import Settings
from tests.service.probe import no_services
from tests.stack import Stack


class HostError(Exception):
    """The host's own."""


def host_error(_request: Request[Any, Any, Any], _error: HostError) -> Response[str]:
    return Response("the host's page", status_code=418, media_type="text/plain")


@get("/own/fail")
async def own_fail() -> None:
    raise HostError


@get("/own/dependency")
async def own_dependency(runtime: NamedDependency[str]) -> str:
    return runtime


@get("/own/database")
async def own_database(db_session: NamedDependency[AsyncSession]) -> str:
    connection = await db_session.connection()
    return str((await connection.exec_driver_sql("SELECT current_database()")).scalar_one())


@get("/own/{rest:path}")
async def own_anything(rest: FromPath[str]) -> dict[str, str]:
    return {"host": rest}


@get("/health-records/{number:int}")
async def own_health_records(number: FromPath[int]) -> int:
    return number


def plugin(folder: Path, **config: Any) -> MandantPlugin:
    return MandantPlugin(MandantConfig([], Settings(var=folder), opener=no_services, **config))


@asynccontextmanager
async def serving(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the started application, in this event loop."""
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        yield client


@pytest.fixture
def host_app(tmp_path: Path, stack: Stack) -> Litestar:
    url = stack.data_url("mandant_app").replace("postgresql://", "postgresql+asyncpg://")
    return Litestar(
        [own_fail, own_dependency, own_database, own_anything, own_health_records],
        plugins=[
            plugin(tmp_path),
            SQLAlchemyPlugin(
                SQLAlchemyAsyncConfig(
                    connection_string=url,
                    session_config=AsyncSessionConfig(),
                    engine_config=EngineConfig(poolclass=NullPool),  # a pool would be left to the collector
                )
            ),
        ],
        dependencies={"runtime": Provide(lambda: "the host's", sync_to_thread=False)},
        exception_handlers={HostError: host_error},
    )


async def test_the_hosts_errors_are_the_hosts(host_app: Litestar) -> None:
    async with serving(host_app) as host:
        answer = await host.get("/own/fail")
        assert (answer.status_code, answer.text) == (418, "the host's page")
        unknown = await host.get("/nothing")
        assert unknown.headers["content-type"] == "application/json"
        assert "x-request-id" not in unknown.headers


async def test_the_hosts_dependencies_are_the_hosts(host_app: Litestar) -> None:
    async with serving(host_app) as host:
        assert (await host.get("/own/dependency")).text == "the host's"


async def test_the_hosts_database_session_is_the_hosts(host_app: Litestar, stack: Stack) -> None:
    async with serving(host_app) as host:
        assert (await host.get("/own/database")).text == stack.data_name


async def test_addresses_that_begin_like_ours_stay_the_hosts(host_app: Litestar) -> None:
    async with serving(host_app) as host:
        assert (await host.get("/own/a/b")).json() == {"host": "/a/b"}
        assert (await host.get("/health-records/3")).json() == 3


async def test_ours_answer_with_our_problems_and_headers(host_app: Litestar) -> None:
    async with serving(host_app) as host:
        answer = await host.get("/api/v1/nothing")
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert (await host.get("/health/live")).json() == {"status": "live"}
        assert (await host.get("/problems/gone")).json()["status"] == 410
        assert (await host.post("/api/v1/docs")).status_code == 405


async def test_neither_document_has_the_others_addresses(host_app: Litestar) -> None:
    async with serving(host_app) as host:
        hosts = (await host.get("/schema/openapi.json")).json()["paths"]
        ours = (await host.get("/api/v1/openapi.json")).json()["paths"]
    assert "/own/fail" in hosts
    assert not any(path.startswith("/api/v1") for path in hosts)
    assert not any(path.startswith("/own") for path in ours)


async def test_a_host_with_health_of_its_own_keeps_it(tmp_path: Path) -> None:
    @get("/health/live")
    async def live() -> str:
        return "the host lives"

    app = Litestar([live], plugins=[plugin(tmp_path, operations=False)], openapi_config=None)
    async with serving(app) as client:
        assert (await client.get("/health/live")).text == "the host lives"
        assert (await client.get("/metrics")).status_code == 404


async def test_before_the_services_are_open_requests_are_sent_away(tmp_path: Path) -> None:
    app = Litestar(plugins=[plugin(tmp_path)], openapi_config=None)
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]  # starts no lifespan
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        answer = await client.get("/api/v1/openapi.json")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "5"
        assert (await client.get("/health/live")).status_code == 200
        ready = await client.get("/health/ready")
        assert ready.status_code == 503
        assert ready.json()["parts"] == {"service": "starting or stopping"}


def test_our_commands_stand_under_the_hosts_command(tmp_path: Path) -> None:
    group = click.Group("litestar")
    plugin(tmp_path).on_cli_init(group)
    assert "mandant" in group.commands
