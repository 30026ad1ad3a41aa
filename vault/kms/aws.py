"""AWS KMS over boto3: off the event loop, every wait bounded.

Example::

    provider = AwsKeyProvider(session=boto3.Session(region_name="eu-central-2"))

The application's role needs, on the epochs' keys: kms:Encrypt, Decrypt, DescribeKey, ListResourceTags,
DisableKey, ScheduleKeyDeletion; and in general kms:CreateKey, TagResource, ListKeys.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mandant.vault.guard import forbid_network
from mandant.vault.kms.aws_errors import kms_error
from mandant.vault.kms.errors import KmsDenied, KmsError, KmsGone, KmsPendingDeletion, KmsTimeout
from mandant.vault.kms.key_arn import parse_key_arn
from mandant.vault.kms.provider import Answer, KmsKeyState

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

__all__ = ["AwsKeyProvider", "KmsWaits"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class KmsWaits:
    """Seconds. `total` bounds one call with its second attempt and its wait for a thread.

    A keyring's time to live plus `total` stays below the 60 seconds in which a denial must count.
    """

    connect: float = 1.0
    read: float = 2.0
    total: float = 8.0


class AwsKeyProvider:
    """A KeyProvider. `session` brings credentials and the home region; support access brings its own.

    `endpoint_url`: one address for all regions, for stand-ins; None for AWS itself. A key_ref is an ARN
    (its region decides who is asked, so a tenant's own key may be in any region and account) or the id of
    a key in the home region.
    """

    name = "aws"

    def __init__(
        self,
        session: boto3.Session | None = None,
        *,
        endpoint_url: str | None = None,
        waits: KmsWaits | None = None,
        threads: int = 8,
    ) -> None:
        self._session = session or boto3.Session()
        self._endpoint_url = endpoint_url
        self._waits = waits or KmsWaits()
        self._config = Config(
            connect_timeout=self._waits.connect,
            read_timeout=self._waits.read,
            retries={"mode": "standard", "total_max_attempts": 2},
            max_pool_connections=threads,
        )
        # Its own threads: a KMS that hangs must not take the default executor's away from everybody else.
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="mandant-kms")
        self._clients: dict[str, KMSClient] = {}
        self._making_client = Lock()
        _silence_bodies()

    async def encrypt(self, key_ref: str, plaintext: bytes, context: Mapping[str, str]) -> Answer:
        """`plaintext` (1 to 4096 bytes) wrapped. Raises: KmsError, NetworkInTransaction."""

        def call() -> Answer:
            answer = self._client(key_ref).encrypt(
                KeyId=key_ref, Plaintext=plaintext, EncryptionContext=context
            )
            return Answer(answer["CiphertextBlob"], answer["ResponseMetadata"]["RequestId"])

        return await self._run(call)

    async def decrypt(self, key_ref: str, wrapped: bytes, context: Mapping[str, str]) -> Answer:
        """The plaintext. Raises: KmsError, NetworkInTransaction."""

        def call() -> Answer:
            answer = self._client(key_ref).decrypt(
                KeyId=key_ref, CiphertextBlob=wrapped, EncryptionContext=context
            )
            return Answer(answer["Plaintext"], answer["ResponseMetadata"]["RequestId"])

        return await self._run(call)

    async def create_key(self, tags: Mapping[str, str], description: str) -> str:
        """The ARN of the key that has all of `tags`, made in the home region if there is none."""
        existing = await self.find_key(tags)
        if existing is not None:
            return existing

        def call() -> str:
            answer = self._home().create_key(
                Description=description,
                Tags=[{"TagKey": name, "TagValue": value} for name, value in tags.items()],
            )
            return answer["KeyMetadata"]["Arn"]

        return await self._run(call)

    async def find_key(self, tags: Mapping[str, str]) -> str | None:
        """The ARN of a key in the home region that has all of `tags`.

        Goes through every key of the account, as AWS has no look-up by tag; for epochs, once a month. The
        tags are set by CreateKey itself, so a key made just before a crash is found; an alias would be a
        second call, which the crash may have prevented. Should two processes have made one each, all
        agree on the same one: usable before unusable, then the oldest.
        """
        return await self._run(lambda: self._find(tags), bounded=False)

    async def describe_key(self, key_ref: str) -> KmsKeyState:
        """The state, as AWS reports it now; every state that is not one of ours counts as disabled."""

        def call() -> KmsKeyState:
            return _state(self._client(key_ref).describe_key(KeyId=key_ref)["KeyMetadata"]["KeyState"])

        try:
            return await self._run(call)
        except KmsGone:
            return KmsKeyState.GONE

    async def disable_key(self, key_ref: str) -> None:
        """Raises: KmsPendingDeletion, KmsGone, KmsDenied and what else a KMS may answer."""
        await self._run(lambda: self._client(key_ref).disable_key(KeyId=_own_id(key_ref)))

    async def schedule_deletion(self, key_ref: str, days: int) -> None:
        """Raises: ValueError outside 7 to 30 days; KmsError."""
        if not 7 <= days <= 30:
            raise ValueError("a KMS deletes a key after 7 to 30 days")

        def call() -> None:
            self._client(key_ref).schedule_key_deletion(KeyId=_own_id(key_ref), PendingWindowInDays=days)

        try:
            await self._run(call)
        except KmsPendingDeletion:
            return

    async def close(self) -> None:
        """Lets running calls end by themselves; their time is bounded."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    async def _run(self, call: Callable[[], T], *, bounded: bool = True) -> T:
        forbid_network("kms")
        future = asyncio.get_running_loop().run_in_executor(self._threads, _translated, call)
        try:
            async with asyncio.timeout(self._waits.total if bounded else None):
                return await future
        except TimeoutError:
            raise KmsTimeout(f"AWS KMS: no answer within {self._waits.total} s") from None

    def _find(self, tags: Mapping[str, str]) -> str | None:
        kms = self._home()
        found = []
        for page in kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                if self._has_tags(key["KeyId"], tags):
                    metadata = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
                    unusable = _state(metadata["KeyState"]) is not KmsKeyState.ENABLED
                    found.append((unusable, metadata["CreationDate"], metadata["Arn"]))
        return min(found)[2] if found else None

    def _has_tags(self, key_id: str, tags: Mapping[str, str]) -> bool:
        pages = self._home().get_paginator("list_resource_tags").paginate(KeyId=key_id)
        try:
            present = {tag["TagKey"]: tag["TagValue"] for page in pages for tag in page["Tags"]}
        except ClientError as error:
            # Somebody else's key in the same account, or one that went away since it was listed.
            if isinstance(kms_error(error), KmsDenied | KmsGone):
                return False
            raise
        return tags.items() <= present.items()

    def _home(self) -> KMSClient:
        region = self._session.region_name
        if region is None:
            raise KmsError("AWS KMS: no region is set")
        return self._client_of(region)

    def _client(self, key_ref: str) -> KMSClient:
        if not key_ref.startswith("arn:"):
            return self._home()
        try:
            arn = parse_key_arn(key_ref)
        except ValueError as error:
            raise KmsGone(str(error)) from None
        return self._client_of(arn.region, arn.partition)

    def _client_of(self, region: str, partition: str | None = None) -> KMSClient:
        # A session is not safe between threads, its clients are.
        with self._making_client:
            client = self._clients.get(region)
            if client is None:
                # It may come from a tenant: no client, and no host name, for a region that is none.
                if partition and region not in self._session.get_available_regions("kms", partition):
                    raise KmsGone(f"AWS KMS: unknown region {region}")
                client = self._session.client(
                    "kms", region_name=region, endpoint_url=self._endpoint_url, config=self._config
                )
                self._clients[region] = client
            return client


def _translated(call: Callable[[], T]) -> T:
    try:
        return call()
    except (ClientError, BotoCoreError) as error:
        # From None: botocore's errors hold the parameters of the request.
        raise kms_error(error) from None


def _state(state: str) -> KmsKeyState:
    """Source: AWS KMS Developer Guide, Key states of AWS KMS keys."""
    if state == "Enabled":
        return KmsKeyState.ENABLED
    if state in ("PendingDeletion", "PendingReplicaDeletion"):
        return KmsKeyState.PENDING_DELETION
    return KmsKeyState.DISABLED


def _own_id(key_ref: str) -> str:
    """The id alone: only a key of our own account is ever disabled or deleted."""
    return key_ref.rpartition("/")[2]


def _silence_bodies() -> None:
    """Two of botocore's loggers write request and response bodies at DEBUG, plaintext keys included."""
    for name in ("botocore.endpoint", "botocore.parsers"):
        logger = logging.getLogger(name)
        if _above_debug not in logger.filters:
            logger.addFilter(_above_debug)


def _above_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG
