"""The keyring against a KMS over real HTTP, with a monotonic clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from mandant.vault.category import Category
from mandant.vault.clock import MovingClock
from mandant.vault.errors import ControlUnavailable, KeyDenied, KeyShredded, KeyUnavailable, Unopenable
from mandant.vault.guard import NetworkInTransaction, transaction_open
from mandant.vault.keyring import BRIDGE, PAUSE, ControlOlderThanData, Keyring
from mandant.vault.kms.aws import AwsKeyProvider, KmsWaits
from mandant.vault.open_scope import OpenScope
from mandant.vault.stored import ScopeKind
from tests.vault.kms.fault_proxy import CUT, HANG, AwsError, FaultProxy
from tests.vault.kms.moto_server import aws_session
from tests.vault.kms.scopes import Shelf

TTL, GRACE = 45.0, 300.0
DENIALS = [
    (AwsError("AccessDeniedException"), "denied"),
    (AwsError("DisabledException"), "disabled"),
    (AwsError("KMSInvalidStateException", "is pending deletion"), "pending_deletion"),
    (AwsError("NotFoundException"), "gone"),
    (AwsError("InvalidCiphertextException"), "wrong_context"),
    (AwsError("SomethingNew"), "refused"),
]
OUTAGES = [AwsError("ThrottlingException"), AwsError("KMSInternalException", status=500), CUT, HANG]


class Time:
    """Monotonic seconds that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, seconds: float) -> None:
        self.seconds += seconds


class Bench:
    """A keyring with everything around it in the test's hands."""

    def __init__(self, proxy: FaultProxy, kms: AwsKeyProvider, shelf: Shelf) -> None:
        self.proxy, self.kms, self.shelf = proxy, kms, shelf
        self.time = Time()
        self.clock = MovingClock(datetime(2026, 11, 22, 10, 30, tzinfo=UTC))
        self.keyring = self.new_keyring()

    def new_keyring(self, max_scopes: int = 1000) -> Keyring:
        return Keyring(
            self.shelf.load,
            self.kms,
            clock=self.clock,
            monotonic=self.time,
            ttl=TTL,
            grace=GRACE,
            max_scopes=max_scopes,
        )

    @property
    def decrypts(self) -> int:
        return self.proxy.calls["Decrypt"]


@pytest.fixture
async def bench(proxy: FaultProxy) -> AsyncIterator[Bench]:
    # Patient: a busy machine is no time-out.
    kms = provider(proxy, read=30)
    bench = Bench(proxy, kms, Shelf(kms, await kms.create_key({"mandant:epoch": "keyring"}, "")))
    yield bench
    await bench.keyring.close()
    await kms.close()


def provider(proxy: FaultProxy, read: float) -> AwsKeyProvider:
    waits = KmsWaits(connect=30, read=read, total=60)
    return AwsKeyProvider(aws_session(), endpoint_url=proxy.address, waits=waits)


def key_of(scope: OpenScope) -> bytes:
    return scope.seal_key(Category.MODULE).key


async def test_cold_is_one_call_a_scope_two_with_byok_and_warm_is_none(bench: Bench) -> None:
    tenants_key = await bench.kms.create_key({"tenant": "own"}, "")
    scopes = [await bench.shelf.add() for _ in range(99)] + [await bench.shelf.add(byok=tenants_key)]
    first = {stored.scope_id: key_of(await bench.keyring.open(stored.scope_id)) for stored in scopes}
    assert bench.decrypts == 99 + 2
    for _ in range(100):
        for stored in scopes:
            assert key_of(await bench.keyring.open(stored.scope_id)) == first[stored.scope_id]
    assert bench.decrypts == 99 + 2
    assert bench.shelf.loads == 100
    assert (bench.keyring.totals.hits, bench.keyring.totals.misses) == (10_000, 100)
    assert len(set(first.values())) == 100


async def test_two_hundred_who_come_at_once_make_one_load_and_one_call(bench: Bench) -> None:
    stored = await bench.shelf.add()
    opened = await asyncio.gather(*(bench.keyring.open(stored.scope_id) for _ in range(200)))
    assert len({id(scope) for scope in opened}) == 1
    assert (bench.shelf.loads, bench.decrypts) == (1, 1)
    bench.time.pass_(TTL)
    await asyncio.gather(*(bench.keyring.open(stored.scope_id) for _ in range(200)))
    assert (bench.shelf.loads, bench.decrypts) == (2, 2)


async def test_who_gives_up_does_not_take_the_others_with_it(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.shelf.gate.clear()
    waiters = [asyncio.create_task(bench.keyring.open(stored.scope_id)) for _ in range(3)]
    await asyncio.sleep(0)
    waiters[0].cancel()
    await asyncio.wait([waiters[0]])
    bench.shelf.gate.set()
    assert (await waiters[1]) is (await waiters[2])
    assert waiters[0].cancelled()
    assert bench.shelf.loads == 1


async def test_an_error_reaches_all_who_wait_and_is_forgotten_after_a_moment(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.proxy.always(AwsError("AccessDeniedException"))
    results = await asyncio.gather(
        *(bench.keyring.open(stored.scope_id) for _ in range(50)), return_exceptions=True
    )
    assert {type(result) for result in results} == {KeyDenied}
    assert len({id(result) for result in results}) == 50
    assert bench.decrypts == 1
    bench.proxy.always(None)
    with pytest.raises(KeyDenied):
        await bench.keyring.open(stored.scope_id)
    assert bench.decrypts == 1
    bench.time.pass_(PAUSE)
    assert key_of(await bench.keyring.open(stored.scope_id))


async def test_an_error_of_load_is_not_remembered(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.shelf.error = ControlUnavailable("down")
    with pytest.raises(ControlUnavailable):
        await bench.keyring.open(stored.scope_id)
    bench.shelf.error = None
    assert key_of(await bench.keyring.open(stored.scope_id))


async def test_a_tenant_that_disables_its_key_is_obeyed_within_the_ttl_and_its_operator_scope_goes_on(
    bench: Bench,
) -> None:
    tenants_key = await bench.kms.create_key({"tenant": "revokes"}, "")
    data = await bench.shelf.add(ScopeKind.TENANT, byok=tenants_key)
    invoices = await bench.shelf.add(ScopeKind.OPERATOR)
    held = await bench.keyring.open(data.scope_id)
    await bench.keyring.open(invoices.scope_id)
    await bench.kms.disable_key(tenants_key)
    bench.time.pass_(TTL - 0.001)
    assert key_of(await bench.keyring.open(data.scope_id))
    bench.time.pass_(0.001)
    with pytest.raises(KeyDenied) as caught:
        await bench.keyring.open(data.scope_id)
    assert caught.value.reason == "disabled"
    assert key_of(await bench.keyring.open(invoices.scope_id))
    with pytest.raises(KeyDenied):  # also in the hands of a request that had opened it before
        held.seal_key(Category.MODULE)
    boto = aws_session().client("kms", endpoint_url=bench.proxy.address)
    boto.enable_key(KeyId=tenants_key.rpartition("/")[2])
    bench.time.pass_(PAUSE)
    assert key_of(await bench.keyring.open(data.scope_id))


@pytest.mark.parametrize(("answer", "reason"), DENIALS, ids=str)
async def test_a_denial_is_never_bridged(bench: Bench, answer: AwsError, reason: str) -> None:
    stored = await bench.shelf.add()
    held = await bench.keyring.open(stored.scope_id)
    bench.time.pass_(TTL)
    bench.proxy.always(answer)
    with pytest.raises(KeyDenied) as caught:
        await bench.keyring.open(stored.scope_id)
    assert caught.value.reason == reason
    bench.proxy.always(AwsError("ThrottlingException"))
    bench.time.pass_(PAUSE)
    with pytest.raises(KeyUnavailable):  # nothing is left to bridge with
        await bench.keyring.open(stored.scope_id)
    with pytest.raises(KeyDenied):
        held.index_key(Category.MODULE)
    assert bench.keyring.totals.bridged == 0


@pytest.mark.parametrize("outage", OUTAGES, ids=str)
async def test_an_outage_is_bridged_up_to_the_grace_since_the_last_success(
    bench: Bench, outage: AwsError | str
) -> None:
    stored = await bench.shelf.add()
    held = await bench.keyring.open(stored.scope_id)
    bench.time.pass_(TTL)
    renewed = await bench.keyring.open(stored.scope_id)  # the last success: the grace starts here
    bench.proxy.always(outage)
    if outage == HANG:
        bench.keyring._provider = provider(bench.proxy, read=0.1)
    bench.time.pass_(TTL)
    assert await bench.keyring.open(stored.scope_id) is renewed
    bench.time.pass_(GRACE - TTL - 0.001)
    assert await bench.keyring.open(stored.scope_id) is renewed
    assert key_of(held) == key_of(renewed)
    assert bench.keyring.totals.bridged == 2
    bench.time.pass_(0.001)
    with pytest.raises(KeyUnavailable) as caught:
        await bench.keyring.open(stored.scope_id)
    assert caught.value.retry_after >= 1
    for scope in (held, renewed):
        with pytest.raises(KeyUnavailable):
            scope.open_key(Category.MODULE, 1)
    if outage == HANG:
        await bench.keyring._provider.close()


async def test_while_bridging_the_kms_is_asked_again_but_not_by_every_opening(bench: Bench) -> None:
    stored = await bench.shelf.add()
    await bench.keyring.open(stored.scope_id)
    bench.time.pass_(TTL)
    bench.proxy.always(AwsError("ThrottlingException"))
    for _ in range(50):
        await bench.keyring.open(stored.scope_id)
    assert bench.decrypts == 1 + 2  # one attempt, tried twice
    bench.proxy.always(None)
    bench.time.pass_(BRIDGE)
    await bench.keyring.open(stored.scope_id)
    assert bench.decrypts == 1 + 2 + 1
    bench.time.pass_(TTL - 0.001)
    await bench.keyring.open(stored.scope_id)
    assert bench.decrypts == 1 + 2 + 1


async def test_a_cold_scope_is_not_bridged(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.proxy.always(AwsError("ThrottlingException"))
    with pytest.raises(KeyUnavailable):
        await bench.keyring.open(stored.scope_id)


async def test_while_control_is_down_a_revocation_still_counts(bench: Bench) -> None:
    tenants_key = await bench.kms.create_key({"tenant": "revokes while control is down"}, "")
    stored = await bench.shelf.add(byok=tenants_key)
    warm = await bench.keyring.open(stored.scope_id)
    bench.shelf.error = ControlUnavailable("down")
    bench.time.pass_(TTL)
    assert await bench.keyring.open(stored.scope_id) is warm
    bench.time.pass_(BRIDGE)
    await bench.kms.disable_key(tenants_key)
    with pytest.raises(KeyDenied):
        await bench.keyring.open(stored.scope_id)


async def test_control_that_is_down_is_bridged_no_longer_than_the_grace(bench: Bench) -> None:
    stored = await bench.shelf.add()
    await bench.keyring.open(stored.scope_id)
    bench.shelf.error = ControlUnavailable("down")
    bench.time.pass_(GRACE - 0.001)
    assert key_of(await bench.keyring.open(stored.scope_id))
    bench.time.pass_(0.001)
    with pytest.raises(ControlUnavailable):
        await bench.keyring.open(stored.scope_id)


async def test_stale_keys_are_loaded_again_once_for_all_who_ask(bench: Bench) -> None:
    stored = await bench.shelf.add()
    await bench.keyring.open(stored.scope_id)
    number = bench.shelf.fact(stored.scope_id)
    opened = await asyncio.gather(*(bench.keyring.reload(stored.scope_id, number) for _ in range(100)))
    assert {scope.key_state for scope in opened} == {number}
    assert (bench.shelf.loads, bench.decrypts) == (2, 2)
    await bench.keyring.reload(stored.scope_id, number)
    assert (bench.shelf.loads, bench.decrypts) == (2, 2)


async def test_a_reload_does_not_trust_a_flight_that_read_before_the_fact(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.shelf.gate.clear()
    early = asyncio.create_task(bench.keyring.open(stored.scope_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert bench.shelf.loads == 1
    number = bench.shelf.fact(stored.scope_id)
    late = asyncio.create_task(bench.keyring.reload(stored.scope_id, number))
    await asyncio.sleep(0)
    bench.shelf.gate.set()
    assert (await late).key_state == number
    assert (await early).key_state == number - 1
    assert (await bench.keyring.open(stored.scope_id)).key_state == number


async def test_a_fact_that_control_does_not_know_is_not_looked_for_for_ever(bench: Bench) -> None:
    stored = await bench.shelf.add()
    with pytest.raises(ControlOlderThanData):
        await bench.keyring.reload(stored.scope_id, stored.key_state + 1)
    assert bench.shelf.loads == 2


async def test_a_reload_is_never_answered_with_old_keys(bench: Bench) -> None:
    stored = await bench.shelf.add()
    await bench.keyring.open(stored.scope_id)
    number = bench.shelf.fact(stored.scope_id)
    bench.proxy.always(AwsError("ThrottlingException"))
    with pytest.raises(KeyUnavailable):
        await bench.keyring.reload(stored.scope_id, number)
    bench.proxy.always(None)
    bench.shelf.error = ControlUnavailable("down")
    with pytest.raises(ControlUnavailable):
        await bench.keyring.reload(stored.scope_id, number)


async def test_an_eviction_is_not_undone_by_a_flight_that_was_under_way(bench: Bench) -> None:
    stored = await bench.shelf.add()
    bench.shelf.gate.clear()
    early = asyncio.create_task(bench.keyring.open(stored.scope_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    number = bench.shelf.fact(stored.scope_id)
    bench.keyring.evict(stored.scope_id)
    bench.shelf.gate.set()
    assert (await early).key_state == number - 1
    assert (await bench.keyring.open(stored.scope_id)).key_state == number


async def test_shredded_keys_say_so_and_an_older_one_never_takes_their_place(bench: Bench) -> None:
    stored = await bench.shelf.add()
    first, index = stored.category_keys
    bench.shelf.scopes[stored.scope_id] = replace(
        stored, category_keys=(first, index, replace(first, generation=2, wrapped=None))
    )
    scope = await bench.keyring.open(stored.scope_id)
    assert scope.open_key(Category.MODULE, 1).generation == 1
    for generation in (scope.seal_key, lambda category: scope.open_key(category, 2)):
        with pytest.raises(KeyShredded):
            generation(Category.MODULE)
    bench.shelf.scopes[stored.scope_id] = replace(stored, wrapped=None)
    bench.keyring.evict(stored.scope_id)
    with pytest.raises(KeyShredded):
        await bench.keyring.open(stored.scope_id)


async def test_wrapped_bytes_of_another_scope_do_not_open(bench: Bench) -> None:
    mine, other = await bench.shelf.add(), await bench.shelf.add()
    bench.shelf.scopes[mine.scope_id] = replace(mine, wrapped=other.wrapped)
    with pytest.raises(KeyDenied) as caught:
        await bench.keyring.open(mine.scope_id)
    assert caught.value.reason == "wrong_context"
    bench.shelf.scopes[mine.scope_id] = replace(mine, category_keys=other.category_keys)
    bench.keyring.evict(mine.scope_id)
    with pytest.raises(Unopenable):
        await bench.keyring.open(mine.scope_id)


async def test_a_scope_of_another_kind_or_generation_does_not_open(bench: Bench) -> None:
    stored = await bench.shelf.add()
    for moved in (replace(stored, kind=ScopeKind.OPERATOR), replace(stored, generation=2)):
        bench.shelf.scopes[stored.scope_id] = moved
        bench.keyring.evict(stored.scope_id)
        with pytest.raises(KeyDenied):
            await bench.keyring.open(stored.scope_id)


async def test_memory_is_bounded_and_who_came_last_stays(bench: Bench) -> None:
    keyring = bench.new_keyring(max_scopes=2)
    a, b, c = [(await bench.shelf.add()).scope_id for _ in range(3)]
    for scope_id in (a, b, a, c):
        await keyring.open(scope_id)
    assert bench.decrypts == 3
    await keyring.open(a)
    assert bench.decrypts == 3
    await keyring.open(b)
    assert bench.decrypts == 4


async def test_keys_that_nobody_asked_for_leave_memory_after_the_grace(bench: Bench) -> None:
    idle, busy = await bench.shelf.add(), await bench.shelf.add()
    scope = await bench.keyring.open(idle.scope_id)
    bench.time.pass_(GRACE)
    await bench.keyring.open(busy.scope_id)
    assert list(bench.keyring._entries) == [busy.scope_id]
    with pytest.raises(KeyUnavailable):
        scope.seal_key(Category.MODULE)


async def test_calls_are_counted_by_owner_and_hour(bench: Bench) -> None:
    tenants_key = await bench.kms.create_key({"tenant": "counts"}, "")
    plain, byok = await bench.shelf.add(), await bench.shelf.add(byok=tenants_key)
    for stored in (plain, byok):
        await bench.keyring.open(stored.scope_id)
    assert bench.keyring.kms_calls(plain.owner) == 1
    assert bench.keyring.kms_calls(byok.owner) == 2
    assert bench.keyring.kms_calls(uuid4()) == 0
    assert bench.keyring.totals.kms_calls == 3
    bench.clock.advance(timedelta(minutes=30))
    assert bench.keyring.kms_calls(byok.owner) == 0
    assert bench.keyring.totals.kms_calls == 3


async def test_no_miss_inside_a_transaction_not_even_to_join_a_flight(bench: Bench) -> None:
    warm, cold = await bench.shelf.add(), await bench.shelf.add()
    await bench.keyring.open(warm.scope_id)
    bench.shelf.gate.clear()
    flight = asyncio.create_task(bench.keyring.open(cold.scope_id))
    await asyncio.sleep(0)
    token = transaction_open.set(True)
    try:
        assert key_of(await bench.keyring.open(warm.scope_id))
        with pytest.raises(NetworkInTransaction):
            async with asyncio.timeout(10):  # who joins the flight waits until the gate opens: for ever
                await bench.keyring.open(cold.scope_id)
    finally:
        transaction_open.reset(token)
        bench.shelf.gate.set()
        await flight


async def test_nothing_prints_or_pickles_a_key(bench: Bench) -> None:
    stored = await bench.shelf.add()
    scope = await bench.keyring.open(stored.scope_id)
    words = repr(scope) + repr(stored) + repr(scope.seal_key(Category.MODULE))
    for secret in (key_of(scope), stored.wrapped or b"", bench.shelf.scope_keys[stored.scope_id]):
        assert repr(secret)[2:-1] not in words
    with pytest.raises(TypeError):
        scope.__reduce_ex__(4)


def test_a_time_to_live_over_a_minute_is_refused(moto: str) -> None:
    kms = AwsKeyProvider(aws_session(), endpoint_url=moto)
    shelf = Shelf(kms, "id")
    clock = MovingClock(datetime(2026, 11, 22, tzinfo=UTC))
    for ttl, grace in ((60.1, 300), (0, 300), (45, 44)):
        with pytest.raises(ValueError):
            Keyring(shelf.load, kms, clock=clock, ttl=ttl, grace=grace)
