"""One of the two databases stops and comes back; the service's process stays."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from tests.faults.test_kms import assert_unavailable
from tests.faults.world import GRACE, PASSWORD, TTL, Server, World


@asynccontextmanager
async def stopped(server: Server) -> AsyncIterator[None]:
    """The server is down inside the block, and up again, at the same address, after it."""
    await server.stop()
    try:
        yield
    finally:
        await server.start()


async def test_without_the_control_database_warm_keys_serve_through_the_grace(world: World) -> None:
    cold = await world.member()
    world.seconds += GRACE + 1
    warm = await world.member()
    start = world.seconds
    async with stopped(world.control_server):
        for passed in (0, TTL + 1, GRACE - 1):
            world.seconds = start + passed
            assert (await warm.read()).status_code == 200
        assert_unavailable(await cold.read(), "unavailable")
        world.seconds = start + GRACE + 1
        answer = await warm.read()
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0


async def test_the_data_database_stops_and_comes_back_and_so_does_the_service(world: World) -> None:
    member = await world.member()
    async with stopped(world.data_server):
        assert_unavailable(await member.read(), "unavailable")
        assert_unavailable(await member.create("Birch"), "unavailable")
        assert_unavailable(await member.members(), "unavailable")
        assert_unavailable(await member.company(), "unavailable")
        body = {"email": member.email, "password": PASSWORD}
        assert_unavailable(await world.http.post("/sign-in", json=body), "unavailable")

    assert (await member.read()).json()["record"]["last_name"] == "Alder"
    assert (await member.create("Birch")).status_code == 201
    assert (await member.members()).status_code == 200
    await member.sign_in()


async def test_connections_that_the_server_ended_are_replaced(world: World) -> None:
    """What a restart or an administrator does to connections that wait in the pools."""
    member = await world.member()
    admin = await asyncpg.connect(world.data_server.dsn("postgres", "postgres"))
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'mandant_app'"
    await admin.execute(end)
    await admin.close()
    answers = [(await member.read()).status_code for _ in range(12)]
    assert set(answers) <= {200, 503}
    assert answers[-1] == 200
