"""What a command works on: the settings and modules of the host it runs in, or those of the service alone."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from os import environ
from typing import Any, TypeVar

import asyncpg
import rich_click as click
from sqlalchemy.exc import DBAPIError

from mandant.service.opening import open_runtime
from mandant.service.postgres.errors import PostgresError
from mandant.service.runtime import Runtime
from mandant.service.settings import SettingError, Settings
from mandant.tenants.errors import Invalid, TenantsError
from mandant.tenants.modules import Module
from mandant.tenants.modules.builtin import BUILT_IN
from mandant.tenants.replay import UnknownFact
from mandant.vault.errors import VaultError

__all__ = ["Installation", "as_worker", "host_settings", "installation", "run", "told"]

T = TypeVar("T")

_NOT_MIGRATED = (
    asyncpg.UndefinedTableError,
    asyncpg.UndefinedFunctionError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.UndefinedColumnError,
)


@dataclass(frozen=True, slots=True)
class Installation:
    """Settings and declared modules."""

    settings: Settings
    modules: tuple[Module[Any], ...]


def installation() -> Installation:
    """Under `litestar mandant ...` the host's plugin decides; else the environment, and what is built in."""
    plugin = _host()
    if plugin is not None:
        return Installation(plugin.settings, tuple(plugin.config.modules))
    return Installation(Settings.from_env(environ), BUILT_IN)


def host_settings() -> Settings | None:
    """The settings that a host has given its plugin; None where the environment decides."""
    plugin = _host()
    return None if plugin is None else plugin.config.settings


def _host() -> Any:
    """The plugin of the application that `litestar` has loaded, None under `mandant`."""
    context = click.get_current_context(silent=True)
    app = getattr(context.find_root().obj, "app", None) if context else None
    if app is None:
        return None
    from mandant.service.plugin import MandantPlugin

    return app.plugins.get(MandantPlugin)


@asynccontextmanager
async def as_worker(where: Installation) -> AsyncIterator[Runtime]:
    """The services, opened as mandant_worker. Raises: as open_runtime."""
    async with open_runtime(where.settings, where.modules, role="mandant_worker") as runtime:
        yield runtime


def run(command: Coroutine[Any, Any, T]) -> T:
    """Run a command's coroutine; what its user can mend is told in one sentence."""
    with told():
        return asyncio.run(command)


@contextmanager
def told() -> Iterator[None]:
    """Errors that a person can do something about, without a traceback. Other ones are defects and pass."""
    try:
        yield
    except _NOT_MIGRATED:
        raise click.ClickException(
            "the databases are not at this version: mandant database upgrade"
        ) from None
    except asyncpg.PostgresError as error:
        # Its message may quote a row; the class says enough.
        raise click.ClickException(
            f"PostgreSQL refuses: {type(error).__name__}; see mandant doctor"
        ) from None
    except DBAPIError as error:  # of a migration; the driver's own error stands behind it
        cause = error.orig.__cause__ if error.orig and error.orig.__cause__ else error.orig
        raise click.ClickException(
            f"PostgreSQL refuses: {type(cause).__name__}; see mandant doctor"
        ) from None
    except (OSError, asyncpg.InterfaceError) as error:
        raise click.ClickException(
            f"a database or a folder does not answer ({type(error).__name__}); see mandant doctor"
        ) from None
    except Invalid as error:
        lines = "; ".join(f"{problem.field}: {problem.message}" for problem in error.problems)
        raise click.ClickException(lines) from None
    except (SettingError, PostgresError, TenantsError, VaultError, UnknownFact, LookupError) as error:
        raise click.ClickException(str(error)) from None
