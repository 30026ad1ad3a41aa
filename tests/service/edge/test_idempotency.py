"""A request that is sent twice is done once, whatever happens in between."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Request, Response

from mandant.service.edge.idempotency import begin
from mandant.service.errors import IdempotencyBusy, IdempotencyMismatch
from mandant.tenants.errors import Invalid
from mandant.tenants.modules.keychanges import reindex
from mandant.tenants.session import Tenant, open_session
from mandant.vault.category import Category
from tests.stack import Stack

CANARY = "canary-in-an-answer-88e1"


def request_with(
    key: str | None, body: bytes = b"{}", path: str = "/api/v1/tenants/t/modules/m/records"
) -> Request[Any, Any, Any]:
    async def read() -> bytes:
        return body

    headers = {} if key is None else {"idempotency-key": key}
    url = SimpleNamespace(path=path, query="")
    request = SimpleNamespace(headers=headers, method="POST", url=url, body=read, scope={})
    return cast("Request[Any, Any, Any]", request)


async def create(
    stack: Stack, tenant: Tenant, request: Request[Any, Any, Any], caller: str = ""
) -> Response[bytes]:
    """What a handler does: look, do, keep, in one transaction."""
    async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
        attempt = await begin(session, request, stack.clock, caller=caller)
        if attempt.replay is not None:
            return attempt.replay
        return await attempt.keep(201, {"name": CANARY}, {"Location": "/x/1"})


def replayed(response: Response[bytes]) -> bool:
    return response.headers.get("Idempotent-Replayed") == "true"


async def test_the_second_request_gets_the_first_ones_answer(stack: Stack) -> None:
    tenant = await stack.tenant()
    first = await create(stack, tenant, request_with("a"))
    second = await create(stack, tenant, request_with("a"))
    assert not replayed(first)
    assert replayed(second)
    assert second.content == first.content
    assert second.status_code == 201
    assert second.headers["Location"] == "/x/1"


async def test_without_a_key_nothing_is_kept(stack: Stack) -> None:
    tenant = await stack.tenant()
    assert not replayed(await create(stack, tenant, request_with(None)))
    assert not replayed(await create(stack, tenant, request_with(None)))


async def test_another_body_with_the_same_key_is_refused(stack: Stack) -> None:
    tenant = await stack.tenant()
    await create(stack, tenant, request_with("a", b'{"n": 1}'))
    with pytest.raises(IdempotencyMismatch):
        await create(stack, tenant, request_with("a", b'{"n": 2}'))


async def test_keys_of_another_person_address_or_tenant_are_others(stack: Stack) -> None:
    tenant, neighbour = await stack.tenant(), await stack.tenant()
    await create(stack, tenant, request_with("a"), caller="anna")
    assert not replayed(await create(stack, tenant, request_with("a"), caller="beat"))
    assert not replayed(await create(stack, tenant, request_with("a", path="/api/v1/x"), caller="anna"))
    assert not replayed(await create(stack, neighbour, request_with("a"), caller="anna"))


async def test_of_two_at_once_one_is_done_and_the_other_may_come_again(stack: Stack) -> None:
    tenant = await stack.tenant()
    await create(stack, tenant, request_with("b"))  # a tenant's very first one makes the key of the terms
    inside, finish = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
            attempt = await begin(session, request_with("a"), stack.clock)
            inside.set()
            await finish.wait()
            await attempt.keep(201, {"n": 1})

    working = asyncio.create_task(slow())
    await inside.wait()
    with pytest.raises(IdempotencyBusy):
        await create(stack, tenant, request_with("a"))
    finish.set()
    await working
    assert replayed(await create(stack, tenant, request_with("a")))


async def test_what_was_done_before_a_reindex_is_not_done_again(stack: Stack) -> None:
    tenant = await stack.tenant()
    await create(stack, tenant, request_with("a"))
    run = stack.as_worker(tenant)
    async for _ in reindex(stack.worker_control, stack.provider, run, [], Category.MODULE, stack.clock):
        pass
    assert replayed(await create(stack, tenant, request_with("a")))


async def test_a_request_that_failed_is_done_when_it_comes_again(stack: Stack) -> None:
    tenant = await stack.tenant()
    with pytest.raises(ZeroDivisionError):
        async with open_session(stack.data, stack.keyring, tenant.tenant_id, write=True) as session:
            attempt = await begin(session, request_with("a"), stack.clock)
            await attempt.keep(201, {"n": 1})
            raise ZeroDivisionError
    assert not replayed(await create(stack, tenant, request_with("a")))


async def test_a_kept_answer_ends_after_a_day(stack: Stack) -> None:
    tenant = await stack.tenant()
    await create(stack, tenant, request_with("a"))
    stack.clock.advance(timedelta(hours=24))
    assert not replayed(await create(stack, tenant, request_with("a")))


async def test_neither_key_nor_answer_stands_in_the_table(stack: Stack) -> None:
    tenant = await stack.tenant()
    await create(stack, tenant, request_with("the-key-itself"))
    admin = await stack.connect("postgres")
    try:
        rows = await admin.fetch("SELECT i::text AS row, sealed FROM mandant.idempotency i")
    finally:
        await admin.close()
    assert rows
    for row in rows:
        assert CANARY.encode() not in row["sealed"]
        assert b"the-key-itself" not in row["sealed"]
        assert b"the-key-itself".hex() not in row["row"]


@pytest.mark.parametrize("key", ["", " ", "a b", "\u00e4", "x" * 256, "a\0"])
async def test_a_key_that_is_none_is_named(stack: Stack, key: str) -> None:
    tenant = await stack.tenant()
    with pytest.raises(Invalid) as caught:
        await create(stack, tenant, request_with(key))
    assert caught.value.problems[0].field == "Idempotency-Key"
