"""What every object store does, folder and S3 alike."""

import asyncio
import os
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from mandant.tenants.objects import ObjectKeyInvalid, ObjectMissing, ObjectStore, object_key, tenant_prefix

PART = 8 << 20


async def chunks(*items: bytes) -> AsyncIterator[bytes]:
    for item in items:
        yield item


async def read(store: ObjectStore, key: str) -> bytes:
    return b"".join([chunk async for chunk in store.get(key)])


async def keys(store: ObjectStore, prefix: str = "") -> list[str]:
    return [key async for key in store.list(prefix)]


@pytest.fixture
def key() -> str:
    return object_key(uuid4(), uuid4())


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12345])
async def test_what_was_put_is_got(store: ObjectStore, key: str, size: int) -> None:
    data = os.urandom(size)

    assert await store.put(key, chunks(data[: size // 3], b"", data[size // 3 :])) == size
    assert await read(store, key) == data
    assert await store.exists(key)


async def test_an_object_that_was_never_put_is_missing(store: ObjectStore, key: str) -> None:
    with pytest.raises(ObjectMissing):
        await read(store, key)
    assert not await store.exists(key)


async def test_a_second_put_replaces_the_first(store: ObjectStore, key: str) -> None:
    await store.put(key, chunks(b"old"))
    await store.put(key, chunks(b"new"))

    assert await read(store, key) == b"new"


@pytest.mark.parametrize("before_failure", [0, 1, PART, 2 * PART + 1])
async def test_a_put_whose_source_fails_leaves_nothing(
    store: ObjectStore, key: str, before_failure: int
) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(before_failure)
        raise ConnectionError("the browser went away")

    with pytest.raises(ConnectionError, match="went away"):
        await store.put(key, failing())

    assert not await store.exists(key)
    assert await keys(store) == []


async def test_a_put_that_fails_keeps_the_object_that_was_there(store: ObjectStore, key: str) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        raise ConnectionError("the browser went away")

    await store.put(key, chunks(b"old"))
    with pytest.raises(ConnectionError):
        await store.put(key, failing())

    assert await read(store, key) == b"old"


async def test_nothing_is_visible_before_the_last_chunk(store: ObjectStore, key: str) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def pausing() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        reached.set()
        await go_on.wait()
        yield b"end"

    writing = asyncio.create_task(store.put(key, pausing()))
    await reached.wait()
    assert not await store.exists(key)
    assert await keys(store) == []
    go_on.set()

    assert await writing == 2 * PART + 3
    assert await store.exists(key)


async def test_a_cancelled_put_leaves_nothing(store: ObjectStore, key: str) -> None:
    reached = asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        reached.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(store.put(key, stalling()))
    await reached.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await keys(store) == []


async def test_delete_twice_is_fine(store: ObjectStore, key: str) -> None:
    await store.put(key, chunks(b"sealed"))
    await store.delete(key)
    await store.delete(key)

    assert not await store.exists(key)
    assert await keys(store) == []


async def test_a_prefix_lists_one_tenants_keys_in_order(store: ObjectStore) -> None:
    one, two = UUID(int=1), UUID(int=2)
    ours = [object_key(one, uuid4()) for _ in range(3)]
    for made in [*ours, object_key(two, uuid4())]:
        await store.put(made, chunks(b"sealed"))

    assert await keys(store, tenant_prefix(one)) == sorted(ours)
    assert len(await keys(store)) == 4
    assert await keys(store, tenant_prefix(UUID(int=3))) == []


async def test_a_list_longer_than_one_page_is_whole(store: ObjectStore) -> None:
    tenant = uuid4()
    made = [object_key(tenant, UUID(int=number)) for number in range(1003)]
    for start in range(0, len(made), 50):
        await asyncio.gather(*(store.put(key, chunks(b"x")) for key in made[start : start + 50]))

    assert await keys(store, tenant_prefix(tenant)) == made


BAD_KEYS = [
    "",
    "..",
    "../../etc/passwd",
    f"{UUID(int=1)}/../{UUID(int=2)}",
    f"/{UUID(int=1)}/{UUID(int=2)}",
    f"{UUID(int=1)}/{UUID(int=2)}\n",
    f"{UUID(int=1)}/{UUID(int=2)}\0",
    f"{UUID(int=1)}/{str(UUID(int=0xABCDEF)).upper()}",
    f"{UUID(int=1)}",
    f"{UUID(int=1)}/invoice.pdf",
    ".incoming/" + str(UUID(int=1)),
]


@pytest.mark.parametrize("bad", BAD_KEYS)
async def test_a_key_that_is_not_two_uuids_reaches_no_store(store: ObjectStore, bad: str) -> None:
    for call in (store.put(bad, chunks(b"x")), store.delete(bad), store.exists(bad), read(store, bad)):
        with pytest.raises(ObjectKeyInvalid):
            await call
    assert await keys(store) == []


@pytest.mark.parametrize("bad", ["..", "/", str(UUID(int=1)), f"{UUID(int=1)}/x", str(UUID(int=1))[:8]])
async def test_a_prefix_that_could_cover_a_neighbour_is_refused(store: ObjectStore, bad: str) -> None:
    with pytest.raises(ObjectKeyInvalid):
        await keys(store, bad)


async def test_a_reader_that_leaves_early_leaves_the_store_usable(store: ObjectStore, key: str) -> None:
    await store.put(key, chunks(bytes(2 * PART)))
    for _ in range(20):  # more than a pool of connections or threads
        reading = store.get(key)
        await anext(reading)
        await reading.aclose()  # type: ignore[attr-defined]

    assert len(await read(store, key)) == 2 * PART


async def test_the_event_loop_turns_while_the_store_works(store: ObjectStore, key: str) -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(turning())
    await store.put(key, chunks(bytes(PART + 1)))
    before = turns
    await read(store, key)
    ticking.cancel()

    assert before > 0
    assert turns > before + 1
