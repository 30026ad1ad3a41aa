"""The steps in their order."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import asyncpg
import rich_click as click

from mandant.service.cli.up import Stopped
from mandant.service.demo.client import Refused
from mandant.service.demo.loading import DemoBlocked
from mandant.service.settings import Settings
from mandant.service.tour import (
    at_rest,
    exported,
    imported,
    isolated,
    key_file,
    killed,
    new_keys,
    read,
    registered,
    resumed,
    searched,
    tampered,
    twice,
)
from mandant.service.tour.stage import Stage, fresh_folder, open_stage
from mandant.service.tour.telling import Teller
from mandant.tenants.errors import TenantsError
from mandant.vault.errors import VaultError

__all__ = ["STEPS", "walk_all"]

STEPS: Sequence[ModuleType] = (
    registered,
    imported,
    killed,
    read,
    at_rest,
    isolated,
    searched,
    tampered,
    new_keys,
    twice,
    exported,
    resumed,
)

EXPECTED = (
    *(Refused, DemoBlocked, TenantsError, VaultError, Stopped, click.ClickException),
    *(OSError, asyncpg.PostgresError, LookupError),
)


async def walk_all(var: Path, tell: Teller) -> None:
    """Every step on a fresh installation under `var`/tour; a step that fails does not end the tour.

    Raises: PostgresError, Stopped, ClickException before the first step.
    """
    folder = var / "tour"
    settings = Settings(var=folder / "installation")
    await asyncio.to_thread(fresh_folder, settings.var)
    async with open_stage(folder, settings) as stage:
        await stage.service.unless_stopped(_walk(STEPS, stage, tell), children=False)
    await _walk((key_file,), stage, tell)


async def _walk(steps: Sequence[ModuleType], stage: Stage, tell: Teller) -> None:
    for step in steps:
        tell.begin(step.NAME, step.PROMISE)
        try:
            await step.walk(stage, tell)
        except EXPECTED as error:
            tell.failed(f"{type(error).__name__}: {error}")
        tell.end()
