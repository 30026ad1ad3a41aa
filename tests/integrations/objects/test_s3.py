"""What only S3 has: refusals, cut connections, parts, time-outs.

Of policies moto enforces what a bucket policy denies, and nothing else.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from mandant.integrations.objects import S3ObjectStore, S3Place
from mandant.tenants.objects import ObjectMissing, ObjectsRefused, ObjectsUnavailable, object_key
from mandant.vault.guard import NetworkInTransaction, transaction_open

REGION = "eu-central-2"
PART = 8 << 20


async def chunks(*items: bytes) -> AsyncIterator[bytes]:
    for item in items:
        yield item


@pytest.fixture
def key() -> str:
    return object_key(uuid4(), uuid4())


async def test_a_missing_bucket_is_refused_and_never_reads_as_deleted(
    s3_endpoint: str, s3: Any, key: str
) -> None:
    store = S3ObjectStore(S3Place(bucket="nobody-made-this", region=REGION, endpoint_url=s3_endpoint))
    for call in (store.open(), store.exists(key), store.delete(key), store.put(key, chunks(b"x"))):
        with pytest.raises(ObjectsRefused, match="NoSuchBucket"):
            await call
    with pytest.raises(ObjectsRefused):
        await anext(store.get(key))
    await store.close()


async def test_what_the_policy_denies_is_refused(
    s3_store: S3ObjectStore, s3: Any, bucket: str, key: str
) -> None:
    await s3_store.put(key, chunks(b"sealed"))
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": f"arn:aws:s3:::{bucket}/*",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))

    with pytest.raises(ObjectsRefused, match="403"):
        await anext(s3_store.get(key))


async def test_without_credentials_is_refused(
    s3_endpoint: str, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    store = S3ObjectStore(S3Place(bucket=bucket, region=REGION, endpoint_url=s3_endpoint))
    with pytest.raises(ObjectsRefused, match="credentials"):
        await store.open()
    await store.close()


async def test_a_failed_upload_leaves_no_parts_behind(
    s3_store: S3ObjectStore, s3: Any, bucket: str, key: str
) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        raise ConnectionError("the browser went away")

    with pytest.raises(ConnectionError):
        await s3_store.put(key, failing())

    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


async def test_a_cancelled_upload_leaves_no_parts_behind(
    s3_store: S3ObjectStore, s3: Any, bucket: str, key: str
) -> None:
    reached = asyncio.Event()

    async def unending() -> AsyncIterator[bytes]:
        yield bytes(2 * PART)
        reached.set()
        while True:
            yield bytes(PART)
            await asyncio.sleep(0)

    writing = asyncio.create_task(s3_store.put(key, unending()))
    await reached.wait()
    await asyncio.sleep(0)  # a part is on its way in a thread
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) == []


@pytest.mark.parametrize("size", [1, PART])
async def test_objects_are_encrypted_at_rest_with_the_key_that_was_set(
    s3_endpoint: str, s3: Any, bucket: str, key: str, size: int
) -> None:
    place = S3Place(bucket=bucket, region=REGION, endpoint_url=s3_endpoint, kms_key_id="alias/objects")
    store = S3ObjectStore(place)
    await store.put(key, chunks(bytes(size)))
    await store.close()
    head = s3.head_object(Bucket=bucket, Key=key)

    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", "alias/objects")


class Wire:
    """A server of one's own under S3's name: answers what it is given, then hangs up."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self.requests = 0

    async def __aenter__(self) -> "Wire":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self._ending = asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._ending.set()
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.requests += 1
        if self._answer is None:
            await self._ending.wait()
        else:
            writer.write(self._answer)
            await writer.drain()
        writer.close()


def place(url: str, **more: Any) -> S3Place:
    return S3Place(bucket="objects", region=REGION, endpoint_url=url, **more)


async def test_a_download_cut_midway_raises_and_never_just_ends(s3: Any, key: str) -> None:
    cut = b'HTTP/1.1 200 OK\r\nContent-Length: 3145728\r\nETag: "x"\r\n\r\n' + bytes(1_500_000)
    async with Wire(cut) as wire:
        store = S3ObjectStore(place(wire.url))
        reading = store.get(key)
        assert len(await anext(reading)) == 1 << 20
        with pytest.raises(ObjectsUnavailable):
            _ = [chunk async for chunk in reading]
        await store.close()


async def test_a_server_that_never_answers_is_given_up_after_bounded_attempts(s3: Any, key: str) -> None:
    async with Wire(None) as wire:
        store = S3ObjectStore(place(wire.url, read_timeout=0.1, attempts=2))
        with pytest.raises(ObjectsUnavailable) as raised:
            await store.exists(key)
        await store.close()

    assert wire.requests == 2
    assert raised.value.retry_after > 0


@pytest.mark.parametrize("status", [b"503 Slow Down", b"500 Internal Server Error"])
async def test_a_server_in_trouble_is_unavailable_not_refused(s3: Any, key: str, status: bytes) -> None:
    async with Wire(b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\n\r\n") as wire:
        store = S3ObjectStore(place(wire.url, attempts=1))
        with pytest.raises(ObjectsUnavailable):
            await anext(store.get(key))
        await store.close()


async def test_a_port_where_nobody_listens_is_unavailable(s3: Any, key: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store = S3ObjectStore(place(f"http://127.0.0.1:{port}", attempts=1))
    with pytest.raises(ObjectsUnavailable):
        await store.delete(key)
    await store.close()


async def test_messages_name_neither_key_nor_bytes(s3_store: S3ObjectStore, key: str) -> None:
    with pytest.raises(ObjectMissing) as raised:
        await anext(s3_store.get(key))

    assert key not in str(raised.value)


async def test_an_open_transaction_forbids_every_call(s3_store: S3ObjectStore, key: str) -> None:
    token = transaction_open.set(True)
    try:
        for call in (s3_store.put(key, chunks(b"x")), s3_store.delete(key), s3_store.exists(key)):
            with pytest.raises(NetworkInTransaction):
                await call
        with pytest.raises(NetworkInTransaction):
            await anext(s3_store.get(key))
    finally:
        transaction_open.reset(token)
