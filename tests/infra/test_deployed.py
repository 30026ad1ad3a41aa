"""The template deploys, and the vault and the object store work with what it made.

On moto, which enforces neither key policies nor roles: those are read in test_policies.py.
"""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from mandant.integrations.objects import S3ObjectStore, S3Place
from mandant.tenants.objects import object_key
from mandant.vault.kms.aws import AwsKeyProvider
from mandant.vault.kms.errors import KmsWrongContext
from mandant.vault.kms.provider import KmsKeyState
from tests.infra.conftest import Stack

CONTEXT = {"mandant:scope": str(uuid4()), "mandant:kind": "tenant", "mandant:generation": "1"}


@pytest.fixture
async def keys(stack: Stack) -> AsyncIterator[AwsKeyProvider]:
    provider = AwsKeyProvider(stack.session, endpoint_url=stack.endpoint)
    yield provider
    await provider.close()


async def test_the_vault_finds_the_first_epochs_key_and_makes_no_other(
    stack: Stack, keys: AwsKeyProvider
) -> None:
    assert await keys.create_key({"mandant:epoch": "1"}, "mandant, epoch 1") == stack.outputs["EpochKeyArn"]
    assert await keys.describe_key(stack.outputs["EpochKeyArn"]) is KmsKeyState.ENABLED


async def test_a_scope_key_wrapped_by_it_opens_with_its_context_only(
    stack: Stack, keys: AwsKeyProvider
) -> None:
    scope_key = bytes(range(32))
    wrapped = (await keys.encrypt(stack.outputs["EpochKeyArn"], scope_key, CONTEXT)).value

    assert scope_key not in wrapped
    assert (await keys.decrypt(stack.outputs["EpochKeyArn"], wrapped, CONTEXT)).value == scope_key
    with pytest.raises(KmsWrongContext):
        await keys.decrypt(stack.outputs["EpochKeyArn"], wrapped, CONTEXT | {"mandant:scope": str(uuid4())})


async def test_sealed_files_go_into_the_bucket_under_the_storage_key(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"sealed"

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    bucket = stack.outputs["ObjectsBucketName"]
    store = S3ObjectStore(S3Place(bucket, stack.outputs["Region"], endpoint_url=stack.endpoint))
    key = object_key(uuid4(), uuid4())
    await store.put(key, chunks())
    got = b"".join([chunk async for chunk in store.get(key)])
    await store.close()
    s3: Any = stack.session.client("s3", endpoint_url=stack.endpoint)
    head = s3.head_object(Bucket=bucket, Key=key)

    assert got == b"sealed"
    assert head["ServerSideEncryption"] == "aws:kms"


def test_buckets_are_encrypted_with_the_storage_key(stack: Stack) -> None:
    s3: Any = stack.session.client("s3", endpoint_url=stack.endpoint)
    for name in ("ObjectsBucketName", "BackupsBucketName"):
        bucket = stack.outputs[name]
        rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
        assert rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == stack.outputs["StorageKeyArn"]


def test_both_databases_are_there_encrypted_and_private(stack: Stack) -> None:
    rds: Any = stack.session.client("rds", endpoint_url=stack.endpoint)
    made = {database["DBName"]: database for database in rds.describe_db_instances()["DBInstances"]}

    assert set(made) == {"mandant", "mandant_control"}
    for database in made.values():
        assert database["StorageEncrypted"]
        assert not database["PubliclyAccessible"]
        assert database["BackupRetentionPeriod"] == 35
