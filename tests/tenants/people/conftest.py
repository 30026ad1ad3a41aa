"""People on a real installation, with the cheapest password hash that is allowed."""

from collections.abc import AsyncIterator

import pytest_asyncio

from mandant.tenants.people import PasswordCost, Passwords, People
from tests.stack import Stack


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def people(stack: Stack) -> AsyncIterator[People]:
    passwords = Passwords(PasswordCost(2, 19 << 20))
    yield People(
        stack.data,
        stack.control,
        stack.keyring,
        stack.provider,
        stack.clock,
        passwords,
        refusal_seconds=0.0,
    )
    passwords.close()
