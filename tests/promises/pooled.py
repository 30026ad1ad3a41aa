"""The fixture `stack` of tests/conftest.py once more, with PgBouncer before both databases."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio

from mandant.service.postgres import EmbeddedPostgres
from mandant.tenants.database import DataDatabase
from mandant.vault.control import ControlDatabase
from mandant.vault.keyring import Keyring
from mandant.vault.keys import load_scope
from tests.promises.bouncer import Bouncer, bouncer
from tests.stack import Stack, open_stack

ONE = 1  # server connection


@pytest_asyncio.fixture(
    scope="module", loop_scope="session", params=[ONE, 3], ids=["one connection", "three"]
)
async def stack(
    postgres: EmbeddedPostgres,
    templates: None,
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Stack]:
    """The stack of tests/conftest.py, but both databases are reached through the pooler."""
    name = f"{request.module.__name__.rpartition('.')[2]}{request.param}"
    async for opened in open_stack(postgres, name, tmp_path_factory.mktemp("stack")):
        with bouncer(postgres, (opened.data_name, opened.control_name), size=request.param) as pooler:
            direct = opened.data, opened.control, opened.keyring
            opened.data, opened.control = await _through(pooler, opened)
            opened.keyring = Keyring(partial(load_scope, opened.control), opened.provider, clock=opened.clock)
            try:
                yield opened
            finally:
                await opened.keyring.close()
                await opened.data.close()
                await opened.control.close()
                opened.data, opened.control, opened.keyring = direct


async def _through(pooler: Bouncer, opened: Stack) -> tuple[DataDatabase, ControlDatabase]:
    data = await DataDatabase.open(pooler.dsn("mandant_app", opened.data_name), size=8, pooled=True)
    control = await ControlDatabase.open(pooler.dsn("mandant_app", opened.control_name), pooled=True)
    return data, control
