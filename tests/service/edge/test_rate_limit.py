"""Tries are counted in the database, together for all processes, under keyed terms."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from litestar.connection import ASGIConnection

from mandant.service.edge.address import network_of
from mandant.service.edge.rate_limit import Limit, PostgresRateLimiter
from mandant.service.errors import RateLimited
from tests.stack import Stack


def limiter(stack: Stack) -> PostgresRateLimiter:
    return PostgresRateLimiter(stack.data, stack.keyring, stack.clock)


async def test_after_the_last_try_there_is_a_wait(stack: Stack) -> None:
    one = Limit("sign_in_a", 3, 300).per("email", "anna@example.ch")
    for _ in range(3):
        await limiter(stack).take(one)
    with pytest.raises(RateLimited) as caught:
        await limiter(stack).take(one)
    assert caught.value.retry_after == 100


async def test_tries_come_back_evenly(stack: Stack) -> None:
    one = Limit("sign_in_b", 3, 300).per("email", "anna@example.ch")
    for _ in range(3):
        await limiter(stack).take(one)
    stack.clock.advance(timedelta(seconds=100))
    await limiter(stack).take(one)
    with pytest.raises(RateLimited):
        await limiter(stack).take(one)
    stack.clock.advance(timedelta(days=9))
    for _ in range(3):
        await limiter(stack).take(one)
    with pytest.raises(RateLimited):
        await limiter(stack).take(one)


async def test_each_subject_and_action_is_counted_alone(stack: Stack) -> None:
    limit = Limit("sign_in_c", 1, 300)
    await limiter(stack).take(limit.per("email", "anna@example.ch"))
    await limiter(stack).take(limit.per("email", "beat@example.ch"))
    await limiter(stack).take(limit.per("address", "anna@example.ch"))
    await limiter(stack).take(Limit("register_c", 1, 300).per("email", "anna@example.ch"))


async def test_one_of_several_is_enough_to_refuse(stack: Stack) -> None:
    limit, wide = Limit("sign_in_d", 1, 300), Limit("sign_in_d_wide", 100, 300)
    await limiter(stack).take(limit.per("email", "anna@example.ch"), wide.per("address", "203.0.113.0"))
    with pytest.raises(RateLimited):
        await limiter(stack).take(limit.per("email", "anna@example.ch"), wide.per("address", "203.0.113.0"))


async def test_of_many_at_once_exactly_as_many_pass_as_there_are_tries(stack: Stack) -> None:
    one = Limit("sign_in_e", 5, 300).per("email", "anna@example.ch")
    done = await asyncio.gather(*(limiter(stack).take(one) for _ in range(20)), return_exceptions=True)
    assert sum(result is None for result in done) == 5
    assert sum(isinstance(result, RateLimited) for result in done) == 15


async def test_the_application_can_neither_read_nor_refill_the_buckets(stack: Stack) -> None:
    app = await stack.connect("mandant_app")
    try:
        for statement in (
            "SELECT * FROM directory.rate_limit",
            "DELETE FROM directory.rate_limit",
            "SELECT directory.forget_rate_limits('infinity')",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await app.execute(statement)
    finally:
        await app.close()


async def test_the_worker_forgets_buckets_that_are_full_again(stack: Stack) -> None:
    await limiter(stack).take(Limit("sign_in_f", 5, 300).per("email", "anna@example.ch"))
    worker = await stack.connect("mandant_worker")
    try:
        assert await worker.fetchval("SELECT directory.forget_rate_limits($1)", stack.clock.now()) >= 0
        later = stack.clock.now() + timedelta(seconds=1)
        assert await worker.fetchval("SELECT directory.forget_rate_limits($1)", later) >= 1
    finally:
        await worker.close()


@pytest.mark.parametrize(
    ("proxies", "sent", "network"),
    [
        (0, [], "198.51.100.0"),
        (0, ["203.0.113.7"], "198.51.100.0"),  # anybody's claim
        (1, ["203.0.113.7"], "203.0.113.0"),
        (1, ["192.0.2.1, 203.0.113.7"], "203.0.113.0"),  # the left one is anybody's claim
        (1, ["192.0.2.1", "203.0.113.7"], "203.0.113.0"),
        (2, ["192.0.2.1, 203.0.113.7, 10.0.0.1"], "203.0.113.0"),
        (2, ["203.0.113.7"], "198.51.100.0"),
        (1, [], "198.51.100.0"),
        (1, [""], "198.51.100.0"),
        (1, ["203.0.113.7:4711"], None),
    ],
)
def test_tries_are_counted_by_the_network_that_ones_own_proxies_saw(
    proxies: int, sent: list[str], network: str | None
) -> None:
    headers = [(b"x-forwarded-for", value.encode()) for value in sent]
    scope: Any = {"type": "http", "headers": headers, "client": ("198.51.100.9", 4711)}
    assert network_of(ASGIConnection(scope), proxies) == network
