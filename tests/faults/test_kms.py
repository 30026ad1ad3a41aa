"""The KMS is away while the service serves, or a tenant switches its own key off."""

import httpx
import pytest

from tests.faults.world import GRACE, TTL, World
from tests.vault.kms.fault_proxy import CUT, AwsError


def assert_unavailable(answer: httpx.Response, kind: str) -> None:
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == f"/problems/{kind}"
    assert int(answer.headers["retry-after"]) > 0


THROTTLED = AwsError("ThrottlingException", "Rate exceeded", 400)
BROKEN = AwsError("InternalFailure", "", 500)


@pytest.mark.parametrize(
    "outcome", [CUT, THROTTLED, BROKEN], ids=["cut off", "throttled", "internal failure"]
)
async def test_warm_keys_serve_through_the_grace_and_then_it_is_503_until_the_kms_is_back(
    world: World, outcome: AwsError | str
) -> None:
    member = await world.member()
    start = world.seconds
    world.proxy.always(outcome)

    for passed in (TTL - 1, TTL + 1, GRACE - 1):
        world.seconds = start + passed
        assert (await member.read()).status_code == 200
        assert (await member.create("Birch")).status_code == 201
    world.seconds = start + GRACE + 1
    assert_unavailable(await member.read(), "keys-unavailable")
    assert_unavailable(await member.create("Cedar"), "keys-unavailable")

    world.proxy.always(None)
    world.seconds += 2  # a refusal is remembered for a second
    assert (await member.read()).json()["record"]["last_name"] == "Alder"


async def test_what_was_never_opened_is_503_at_once_while_others_go_on(world: World) -> None:
    cold = await world.member()
    world.seconds += GRACE + 1
    warm = await world.member()
    world.proxy.always(CUT)

    assert_unavailable(await cold.read(), "keys-unavailable")
    assert (await warm.read()).status_code == 200

    world.proxy.always(None)
    world.seconds += 2
    assert (await cold.read()).status_code == 200


async def test_a_tenant_that_switches_its_key_off_is_obeyed_within_a_minute_and_signs_in_all_the_same(
    world: World,
) -> None:
    member, other = await world.member(byok=True), await world.member()
    assert member.key_ref is not None

    await world.kms.disable_key(member.key_ref)
    world.seconds += 60

    assert_unavailable(await member.read(), "key-denied")
    assert_unavailable(await member.create("Birch"), "key-denied")
    # Sign-in, members and what contract and invoices are sealed with go on.
    await member.sign_in()
    assert [one["name"] for one in (await member.members()).json()] == ["Anna Muster"]
    assert (await member.company()).json()["name"] == "Muster AG"
    assert (await other.read()).status_code == 200


async def test_a_key_that_is_switched_off_ends_also_while_the_epochs_key_does_not_answer_in_time(
    world: World,
) -> None:
    """Grace is for a KMS that says nothing, never for one that says no."""
    member = await world.member(byok=True)
    assert member.key_ref is not None
    await world.kms.disable_key(member.key_ref)
    world.seconds += TTL + 1
    assert_unavailable(await member.read(), "key-denied")

    world.proxy.always(CUT)
    world.seconds += 2
    answer = await member.read()
    assert answer.status_code == 503
