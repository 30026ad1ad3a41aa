"""The stand-alone service: the plugin in an application that has nothing else.

granian --interface asgi --factory mandant.service.app:create_app
"""

from __future__ import annotations

import os
from typing import cast

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import LifeSpanReceive, LifeSpanScope, LifeSpanSend, Receive, Scope, Send

from mandant.service.edge.logs import configure_logging
from mandant.service.plugin import MandantConfig, MandantPlugin
from mandant.service.settings import Settings
from mandant.tenants.modules.builtin import BUILT_IN


class StandAlone(Litestar):
    """A host without anything of its own: every request goes straight to ours.

    Saves the second routing that a real host needs, and unknown addresses get our problems too.
    """

    def __init__(self, plugin: MandantPlugin) -> None:
        super().__init__(plugins=[plugin], openapi_config=None, logging_config=None)
        self.ours = plugin.ours
        self._edge = plugin.edge

    async def __call__(
        self,
        scope: Scope | LifeSpanScope,
        receive: Receive | LifeSpanReceive,
        send: Send | LifeSpanSend,
    ) -> None:
        """ASGI."""
        if scope["type"] == ScopeType.HTTP:
            await self._edge(cast("Scope", scope), cast("Receive", receive), cast("Send", send))
        else:
            await super().__call__(scope, receive, send)


def create_app(config: MandantConfig | None = None) -> StandAlone:
    """The application with the built-in modules, or with those of `config`."""
    config = config or MandantConfig(list(BUILT_IN))
    settings = config.settings or Settings.from_env(os.environ)
    configure_logging(level=settings.log_level)
    return StandAlone(MandantPlugin(MandantConfig(config.modules, settings, opener=config.opener)))
