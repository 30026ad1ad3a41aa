"""AWS KMS over real HTTP: what is asked, what the answers mean, and how long anything may take."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
from botocore.exceptions import CredentialRetrievalError, NoCredentialsError

from mandant.vault.guard import NetworkInTransaction, transaction_open
from mandant.vault.kms import KmsKeyState
from mandant.vault.kms.aws import AwsKeyProvider, KmsWaits
from mandant.vault.kms.aws_errors import kms_error
from mandant.vault.kms.errors import (
    KmsDenied,
    KmsDisabled,
    KmsError,
    KmsGone,
    KmsPendingDeletion,
    KmsThrottled,
    KmsTimeout,
    KmsUnavailable,
    KmsWrongContext,
)
from mandant.vault.kms.key_arn import parse_key_arn
from tests.vault.kms.fault_proxy import CUT, HANG, AwsError, FaultProxy
from tests.vault.kms.moto_server import REGION, aws_session

CONTEXT = {"mandant:scope": "s", "mandant:kind": "tenant", "mandant:generation": "1"}
KEY = bytes(range(32))


@pytest.fixture
async def kms(proxy: FaultProxy) -> AsyncIterator[AwsKeyProvider]:
    """Patient: a busy machine is no time-out."""
    provider = AwsKeyProvider(
        aws_session(), endpoint_url=proxy.address, waits=KmsWaits(connect=30, read=30, total=60)
    )
    yield provider
    await provider.close()


@pytest.fixture
async def hasty(proxy: FaultProxy) -> AsyncIterator[AwsKeyProvider]:
    """For a KMS that hangs, where only a time-out can be the end."""
    provider = AwsKeyProvider(
        aws_session(), endpoint_url=proxy.address, waits=KmsWaits(connect=30, read=0.1, total=60)
    )
    yield provider
    await provider.close()


async def new_key(kms: AwsKeyProvider, epoch: str = "1") -> str:
    return await kms.create_key({"mandant:epoch": epoch}, "a test's key")


async def test_a_key_comes_back_under_the_same_key_and_context(kms: AwsKeyProvider) -> None:
    key_ref = await new_key(kms)
    wrapped = await kms.encrypt(key_ref, KEY, CONTEXT)
    unwrapped = await kms.decrypt(key_ref, wrapped.value, CONTEXT)
    assert unwrapped.value == KEY
    assert unwrapped.request_id.startswith("request-")
    assert KEY not in wrapped.value
    assert "value" not in repr(unwrapped)


async def test_another_context_does_not_unwrap(kms: AwsKeyProvider) -> None:
    key_ref = await new_key(kms)
    wrapped = (await kms.encrypt(key_ref, KEY, CONTEXT)).value
    for context in ({**CONTEXT, "mandant:generation": "2"}, {}):
        with pytest.raises(KmsWrongContext):
            await kms.decrypt(key_ref, wrapped, context)


async def test_another_key_does_not_unwrap(kms: AwsKeyProvider) -> None:
    wrapped = (await kms.encrypt(await new_key(kms), KEY, CONTEXT)).value
    with pytest.raises(KmsWrongContext):
        await kms.decrypt(await new_key(kms, "2"), wrapped, CONTEXT)


async def test_a_disabled_key_is_told_from_one_pending_deletion_and_from_none(kms: AwsKeyProvider) -> None:
    key_ref = await new_key(kms, "states")
    wrapped = (await kms.encrypt(key_ref, KEY, CONTEXT)).value
    assert await kms.describe_key(key_ref) is KmsKeyState.ENABLED
    await kms.disable_key(key_ref)
    await kms.disable_key(key_ref)
    assert await kms.describe_key(key_ref) is KmsKeyState.DISABLED
    with pytest.raises(KmsDisabled):
        await kms.decrypt(key_ref, wrapped, CONTEXT)
    await kms.schedule_deletion(key_ref, 7)
    assert await kms.describe_key(key_ref) is KmsKeyState.PENDING_DELETION
    with pytest.raises(KmsPendingDeletion):
        await kms.decrypt(key_ref, wrapped, CONTEXT)
    never = key_ref[:-12] + "0" * 12
    assert await kms.describe_key(never) is KmsKeyState.GONE
    with pytest.raises(KmsGone):
        await kms.encrypt(never, KEY, CONTEXT)


async def test_a_second_deletion_does_not_move_the_day(kms: AwsKeyProvider, proxy: FaultProxy) -> None:
    key_ref = await new_key(kms, "twice")
    proxy.always(AwsError("KMSInvalidStateException", f"{key_ref} is pending deletion."))
    await kms.schedule_deletion(key_ref, 7)
    for days in (6, 31):
        with pytest.raises(ValueError, match="7 to 30"):
            await kms.schedule_deletion(key_ref, days)


async def test_a_key_made_just_before_a_crash_is_found(kms: AwsKeyProvider, proxy: FaultProxy) -> None:
    tags = {"mandant:epoch": "crash"}
    # The key was made, the process died before it could write down which.
    made = (
        aws_session()
        .client("kms", endpoint_url=proxy.address)
        .create_key(
            Tags=[{"TagKey": "mandant:epoch", "TagValue": "crash"}, {"TagKey": "team", "TagValue": "x"}]
        )["KeyMetadata"]["Arn"]
    )
    assert await kms.find_key(tags) == made
    assert await kms.create_key(tags, "again") == made
    assert await kms.find_key({"mandant:epoch": "never"}) is None
    assert proxy.calls["CreateKey"] == 1


async def test_keys_of_others_that_may_not_be_looked_at_are_passed_over(
    kms: AwsKeyProvider, proxy: FaultProxy
) -> None:
    other = await new_key(kms, "somebody else's")
    mine = await new_key(kms, "mine")

    def denied(action: str, body: dict[str, str]) -> AwsError | None:
        hidden = action == "ListResourceTags" and body["KeyId"] == other.rpartition("/")[2]
        return AwsError("AccessDeniedException") if hidden else None

    proxy.fault = denied
    assert await kms.find_key({"mandant:epoch": "mine"}) == mine


async def test_two_keys_of_the_same_tags_are_one_for_everybody(
    kms: AwsKeyProvider, proxy: FaultProxy
) -> None:
    boto = aws_session().client("kms", endpoint_url=proxy.address)
    tags = [{"TagKey": "mandant:epoch", "TagValue": "race"}]
    first, second = (boto.create_key(Tags=tags)["KeyMetadata"]["Arn"] for _ in range(2))  # type: ignore[arg-type]
    chosen = await kms.find_key({"mandant:epoch": "race"})
    assert chosen == await kms.find_key({"mandant:epoch": "race"})
    assert chosen in (first, second)
    await kms.disable_key(str(chosen))
    assert await kms.find_key({"mandant:epoch": "race"}) == ({first, second} - {chosen}).pop()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (AwsError("AccessDeniedException"), KmsDenied),
        (AwsError("UnrecognizedClientException"), KmsDenied),
        (AwsError("ExpiredTokenException"), KmsDenied),
        (AwsError("DisabledException"), KmsDisabled),
        (AwsError("KMSInvalidStateException", "arn:x is pending deletion."), KmsPendingDeletion),
        (AwsError("KMSInvalidStateException", "arn:x is pending import."), KmsDisabled),
        (AwsError("NotFoundException"), KmsGone),
        (AwsError("IncorrectKeyException"), KmsWrongContext),
        (AwsError("InvalidCiphertextException"), KmsWrongContext),
        (AwsError("ThrottlingException", "Rate exceeded"), KmsThrottled),
        (AwsError("LimitExceededException"), KmsThrottled),
        (AwsError("SomethingNew", status=429), KmsThrottled),
        (AwsError("KMSInternalException", status=500), KmsUnavailable),
        (AwsError("DependencyTimeoutException", status=503), KmsUnavailable),
        (AwsError("SomethingNew", status=502), KmsUnavailable),
        (AwsError("SomethingNew", status=400), KmsError),
        (CUT, KmsUnavailable),
        (HANG, KmsTimeout),
    ],
    ids=str,
)
async def test_what_an_answer_means(
    kms: AwsKeyProvider,
    hasty: AwsKeyProvider,
    proxy: FaultProxy,
    answer: AwsError | str,
    error: type[KmsError],
) -> None:
    proxy.always(answer)
    with pytest.raises(error) as caught:
        await (hasty if answer == HANG else kms).decrypt("alias-free-id", b"wrapped", CONTEXT)
    assert type(caught.value) is error
    assert caught.value.bridgeable == (error in (KmsTimeout, KmsThrottled, KmsUnavailable))
    assert bool(caught.value.request_id) == isinstance(answer, AwsError)


async def test_no_call_is_tried_more_than_twice(
    kms: AwsKeyProvider, hasty: AwsKeyProvider, proxy: FaultProxy
) -> None:
    for outcome in (AwsError("ThrottlingException"), AwsError("KMSInternalException", status=500), HANG, CUT):
        proxy.always(outcome)
        proxy.calls.clear()
        with pytest.raises(KmsError):
            await (hasty if outcome == HANG else kms).decrypt("id", b"wrapped", CONTEXT)
        assert proxy.calls["Decrypt"] == 2
    proxy.always(AwsError("AccessDeniedException"))
    proxy.calls.clear()
    with pytest.raises(KmsDenied):
        await kms.decrypt("id", b"wrapped", CONTEXT)
    assert proxy.calls["Decrypt"] == 1


async def test_a_second_attempt_that_works_is_enough(kms: AwsKeyProvider, proxy: FaultProxy) -> None:
    key_ref = await new_key(kms)
    proxy.calls.clear()
    proxy.fault = lambda action, _body: CUT if proxy.calls[action] == 1 else None
    wrapped = await kms.encrypt(key_ref, KEY, CONTEXT)
    proxy.fault = None
    assert (await kms.decrypt(key_ref, wrapped.value, CONTEXT)).value == KEY


async def test_a_kms_that_hangs_blocks_neither_the_loop_nor_the_queue_for_longer_than_promised(
    proxy: FaultProxy,
) -> None:
    kms = AwsKeyProvider(
        aws_session(), endpoint_url=proxy.address, waits=KmsWaits(1.0, 30.0, total=0.3), threads=2
    )
    proxy.always(HANG)
    calls = [asyncio.create_task(kms.decrypt("id", b"wrapped", CONTEXT)) for _ in range(10)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert {type(result) for result in results} == {KmsTimeout}
    assert proxy.calls["Decrypt"] <= 2
    proxy.released.set()
    await kms.close()


async def test_nobody_listening_is_unavailable() -> None:
    kms = AwsKeyProvider(aws_session(), endpoint_url="http://127.0.0.1:1")
    with pytest.raises(KmsUnavailable):
        await kms.decrypt("id", b"wrapped", CONTEXT)
    await kms.close()


async def test_a_tenants_key_in_another_region_is_asked_there(proxy: FaultProxy, kms: AwsKeyProvider) -> None:
    boto = aws_session("eu-west-1").client("kms", endpoint_url=proxy.address)
    arn = boto.create_key()["KeyMetadata"]["Arn"]
    assert parse_key_arn(arn).region == "eu-west-1" != REGION
    wrapped = await kms.encrypt(arn, KEY, CONTEXT)
    assert (await kms.decrypt(arn, wrapped.value, CONTEXT)).value == KEY


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:kms:eu-mars-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:evil.example/:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:s3:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
        "arn:aws:kms:eu-west-1:111122223333:alias/mine",
        "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab\n",
        "arn:",
    ],
)
async def test_a_made_up_arn_reaches_no_host(kms: AwsKeyProvider, proxy: FaultProxy, arn: str) -> None:
    with pytest.raises(KmsGone):
        await kms.decrypt(arn, b"wrapped", CONTEXT)
    assert not proxy.calls


async def test_no_kms_call_inside_a_transaction(kms: AwsKeyProvider, proxy: FaultProxy) -> None:
    token = transaction_open.set(True)
    try:
        with pytest.raises(NetworkInTransaction):
            await kms.decrypt("id", b"wrapped", CONTEXT)
        with pytest.raises(NetworkInTransaction):
            await kms.find_key({})
    finally:
        transaction_open.reset(token)
    assert not proxy.calls


async def test_no_log_holds_a_plaintext_key(kms: AwsKeyProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.NOTSET)
    with caplog.at_level(1, logger="botocore"):
        key_ref = await new_key(kms, "logs")
        wrapped = await kms.encrypt(key_ref, KEY, CONTEXT)
        await kms.decrypt(key_ref, wrapped.value, CONTEXT)
    text = caplog.text + "".join(repr(record.args) for record in caplog.records)
    assert "botocore" in text
    assert b64encode(KEY).decode() not in text
    assert repr(KEY)[2:-1] not in text


async def test_an_error_does_not_quote_the_request(kms: AwsKeyProvider) -> None:
    with pytest.raises(KmsError) as caught:
        await kms.encrypt(await new_key(kms), b"", {"name": 5})  # type: ignore[dict-item]
    assert caught.value.__cause__ is None
    assert str(caught.value) == "AWS KMS: ParamValidationError"


def test_credentials_that_are_missing_are_a_denial_and_ones_that_cannot_be_fetched_an_outage() -> None:
    assert type(kms_error(NoCredentialsError())) is KmsDenied
    unreachable = CredentialRetrievalError(provider="imds", error_msg="timed out")
    assert type(kms_error(unreachable)) is KmsUnavailable
