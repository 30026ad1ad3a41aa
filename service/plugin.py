"""mandant inside a Litestar application.

    app = Litestar(plugins=[MandantPlugin(MandantConfig(modules=[customers, contacts]))])

Ours is a Litestar application of its own, hung into the host's at /api/v1, /health, /metrics and
/problems. So the host's dependencies, exception handlers, encoders, SQLAlchemy plugins and OpenAPI
document stay as they are, and ours do not depend on them. What the host puts around its whole
application (middleware, guards) is around ours too. Litestar's mounts match by beginning: a host's
/api/v10/{id} would be ours, its plain /api/v10 would not.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import click
from litestar import Litestar, asgi
from litestar.config.app import AppConfig
from litestar.handlers import ASGIRouteHandler
from litestar.plugins import CLIPlugin, InitPlugin
from litestar.types import Receive, Scope, Send

from mandant.service.api import PREFIX
from mandant.service.api.application import application
from mandant.service.edge.edge import Edge
from mandant.service.edge.metrics import Metrics
from mandant.service.edge.tracing import traced
from mandant.service.opening import open_runtime
from mandant.service.problems import KINDS
from mandant.service.runtime import Runtime
from mandant.service.settings import Settings
from mandant.tenants.modules import Module

Opener = Callable[[Settings, list[Module[Any]], Metrics], AbstractAsyncContextManager[Runtime]]


@dataclass
class MandantConfig:
    """What a host says: its modules, and settings where the environment shall not decide.

    `operations`: whether /health and /metrics are ours too; False where the host has its own.
    """

    modules: list[Module[Any]] = field(default_factory=list)
    settings: Settings | None = None
    operations: bool = True
    opener: Opener = open_runtime


class MandantPlugin(InitPlugin, CLIPlugin):
    """Adds mandant's API, its services and its commands to a Litestar application."""

    def __init__(self, config: MandantConfig | None = None) -> None:
        self.config = config or MandantConfig()
        self.settings = self.config.settings or Settings.from_env(os.environ)
        self.metrics = Metrics()
        self.ours = application(self.config.modules, self.settings, self.metrics)
        self.edge = Edge(
            traced(self.ours, self.settings.otel_endpoint),
            self.metrics,
            https=(self.settings.public_url or "").startswith("https://"),
        )

    def on_app_init(self, app_config: AppConfig) -> AppConfig:
        """Hang our routes in and open the services with the host's lifespan."""
        app_config.route_handlers.extend(_doors(self.edge, self.config.operations))
        app_config.lifespan.append(self._lifespan)
        return app_config

    def on_cli_init(self, cli: click.Group) -> None:
        """Add `litestar mandant ...`, the same commands as `mandant ...`."""
        from mandant.service.cli.main import mandant

        cli.add_command(mandant)

    @asynccontextmanager
    async def _lifespan(self, _app: Litestar) -> AsyncIterator[None]:
        async with self.config.opener(self.settings, self.config.modules, self.metrics) as runtime:
            self.edge.runtime = runtime
            try:
                yield
            finally:
                self.edge.runtime = None


def _doors(edge: Edge, operations: bool) -> list[ASGIRouteHandler]:
    """Our addresses in a host. All but /api/v1 are exact: a mount takes whatever begins like it."""

    @asgi(PREFIX, is_mount=True, name="mandant", copy_scope=False)
    async def api(scope: Scope, receive: Receive, send: Send) -> None:
        await edge(_inner(scope, PREFIX + scope["path"]), receive, send)

    @asgi([kind.type for kind in KINDS.values()], name="mandant-problems", copy_scope=False)
    async def problems(scope: Scope, receive: Receive, send: Send) -> None:
        await edge(_inner(scope, scope["path"]), receive, send)

    @asgi(["/health/live", "/health/ready", "/metrics"], name="mandant-operations", copy_scope=False)
    async def operating(scope: Scope, receive: Receive, send: Send) -> None:
        await edge(_inner(scope, scope["path"]), receive, send)

    return [api, problems, operating] if operations else [api, problems]


def _inner(scope: Scope, path: str) -> Any:
    """The connection as the server gave it: what the host's Litestar keeps about it is not ours."""
    inner: dict[str, Any] = {**scope, "path": path, "state": {}, "path_params": {}}
    inner.pop("route_handler", None)
    inner.pop("path_template", None)
    return inner
