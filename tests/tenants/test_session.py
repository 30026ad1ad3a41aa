"""A connection that is gone is said as such, whatever the driver calls it."""

from typing import Any, NoReturn

import asyncpg
import pytest

from mandant.tenants.errors import DataUnavailable
from mandant.tenants.session import open_session
from mandant.vault.open_scope import OpenScope
from tests.stack import Stack

LOST = [
    asyncpg.InternalClientError("got the server's farewell in the middle of a call"),
    asyncpg.InterfaceError("connection is closed"),
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
]


@pytest.mark.parametrize("error", [*LOST, ConnectionResetError()], ids=lambda error: type(error).__name__)
async def test_a_statement_on_a_lost_connection_says_that_the_database_does_not_answer(
    stack: Stack, error: Exception
) -> None:
    async def statement(db: Any, keys: OpenScope) -> NoReturn:
        raise error

    with pytest.raises(DataUnavailable):
        await (await stack.tenant()).entered(statement)


@pytest.mark.parametrize("error", LOST, ids=lambda error: type(error).__name__)
async def test_a_session_on_a_lost_connection_does_too(stack: Stack, error: Exception) -> None:
    tenant = await stack.tenant()
    with pytest.raises(DataUnavailable):
        async with open_session(stack.data, stack.keyring, tenant.tenant_id):
            raise error
