"""The world that the tests of this folder break and mend again."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.world import TTL, World, open_world


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def the_world() -> AsyncIterator[World]:
    async with open_world() as world:
        yield world


@pytest.fixture
def world(the_world: World) -> World:
    """All parts up, nothing remembered by the keyring that is still fresh."""
    the_world.proxy.always(None)
    the_world.seconds += 10 * TTL
    return the_world
