"""Sealed files in an S3 bucket, or in anything that speaks S3."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

from mandant.integrations.objects.blocks import blocks
from mandant.integrations.objects.s3errors import port_errors
from mandant.integrations.objects.threads import in_thread
from mandant.tenants.errors import TenantsError
from mandant.tenants.objects import checked_key, checked_prefix
from mandant.vault.guard import forbid_network

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

CHUNK = 1 << 20
PART = 8 << 20  # S3 takes at most 10,000 parts of at least 5 MiB: objects up to 80 GiB

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class S3Place:
    """Which bucket, and how it is spoken to. Credentials are the environment's or the role's, never here."""

    bucket: str
    region: str
    endpoint_url: str | None = None
    kms_key_id: str | None = None
    """Encrypt at rest with this KMS key; without it as the bucket is set. The bytes are sealed either way."""
    connect_timeout: float = 3.0
    """Seconds."""
    read_timeout: float = 20.0
    """Seconds of silence on a connection, not of the whole transfer."""
    attempts: int = 3
    threads: int = 8
    """At most as many transfers' blocking calls at once; a waiting one holds no memory but its own block."""


class S3ObjectStore:
    """One object a key. Uploads in parts of 8 MiB: one part a running upload is in memory."""

    def __init__(self, place: S3Place) -> None:
        self._bucket = place.bucket
        self._sealing = _encryption_at_rest(place.kms_key_id)
        self._threads = ThreadPoolExecutor(place.threads, thread_name_prefix="objects-s3")
        self._s3: S3Client = boto3.session.Session().client(
            "s3",
            region_name=place.region,
            endpoint_url=place.endpoint_url,
            config=Config(
                connect_timeout=place.connect_timeout,
                read_timeout=place.read_timeout,
                retries={"mode": "standard", "total_max_attempts": place.attempts},
                max_pool_connections=place.threads,
            ),
        )

    async def open(self) -> int:
        """See that the bucket is there and ours. Returns 0: a lifecycle rule ends abandoned uploads.

        Raises: ObjectsRefused, ObjectsUnavailable.
        """
        await self._call(partial(self._s3.list_objects_v2, Bucket=self._bucket, MaxKeys=1))
        return 0

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """See ObjectStore. More than one part is a multipart upload, aborted on failure."""
        checked_key(key)
        parts = blocks(chunks, PART)
        first = await anext(parts, b"")
        if len(first) < PART:
            call = partial(self._s3.put_object, Bucket=self._bucket, Key=key, Body=first, **self._sealing)
            await self._call(call)
            return len(first)
        started = await self._call(
            partial(self._s3.create_multipart_upload, Bucket=self._bucket, Key=key, **self._sealing)
        )
        upload: dict[str, Any] = {"Bucket": self._bucket, "Key": key, "UploadId": started["UploadId"]}
        try:
            return await self._put_parts(upload, first, parts)
        except BaseException:
            # The part in flight has ended by now (see in_thread), so that the abort takes it along.
            # Where the abort fails too, the bucket's lifecycle rule ends the upload a day later.
            with contextlib.suppress(TenantsError):
                await self._call(partial(self._s3.abort_multipart_upload, **upload))
            raise

    async def get(self, key: str) -> AsyncIterator[bytes]:
        """See ObjectStore. Leaving early closes the connection."""
        found = await self._call(partial(self._s3.get_object, Bucket=self._bucket, Key=checked_key(key)))
        body = found["Body"]
        try:
            while chunk := await self._call(partial(body.read, CHUNK)):
                yield chunk
        finally:
            body.close()

    async def delete(self, key: str) -> None:
        """See ObjectStore. In a versioned bucket the sealed bytes stay until the lifecycle rule ends them."""
        await self._call(partial(self._s3.delete_object, Bucket=self._bucket, Key=checked_key(key)))

    async def exists(self, key: str) -> bool:
        """See ObjectStore. By listing: HEAD says 404 for a missing bucket too, and that is no deletion."""
        page = await self._call(
            partial(self._s3.list_objects_v2, Bucket=self._bucket, Prefix=checked_key(key), MaxKeys=1)
        )
        return page["KeyCount"] == 1

    async def list(self, prefix: str) -> AsyncIterator[str]:
        """See ObjectStore. A thousand keys a request."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Prefix": checked_prefix(prefix)}
        while True:
            page = await self._call(partial(self._s3.list_objects_v2, **request))
            for item in page.get("Contents", []):
                yield item["Key"]
            if not page["IsTruncated"]:
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    async def close(self) -> None:
        """Wait for the threads to end, and close the connections."""
        await asyncio.to_thread(self._threads.shutdown)
        self._s3.close()

    async def _put_parts(self, upload: dict[str, Any], first: bytes, rest: AsyncIterator[bytes]) -> int:
        done: list[CompletedPartTypeDef] = []
        size, part = 0, first
        while part:
            number = len(done) + 1
            answer = await self._call(partial(self._s3.upload_part, **upload, PartNumber=number, Body=part))
            done.append({"PartNumber": number, "ETag": answer["ETag"]})
            size += len(part)
            part = await anext(rest, b"")
        await self._call(
            partial(self._s3.complete_multipart_upload, **upload, MultipartUpload={"Parts": done})
        )
        return size

    async def _call(self, call: Callable[[], Result]) -> Result:
        forbid_network("objects")
        with port_errors():
            return await in_thread(self._threads, call)


def _encryption_at_rest(kms_key_id: str | None) -> dict[str, Any]:
    if kms_key_id is None:
        return {}
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id, "BucketKeyEnabled": True}
