"""The stores under test: a folder, and S3 as moto's server speaks it over a real socket."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from mandant.integrations.objects import FolderObjectStore, S3ObjectStore, S3Place
from mandant.tenants.objects import ObjectStore

REGION = "eu-central-2"


@pytest.fixture(scope="session")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A plain client beside the store, and credentials in the environment for both."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return boto3.client("s3", endpoint_url=s3_endpoint, region_name=REGION)


@pytest.fixture
def bucket(s3: Any) -> str:
    name = f"objects-{uuid4()}"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
async def s3_store(s3_endpoint: str, bucket: str) -> AsyncIterator[S3ObjectStore]:
    store = S3ObjectStore(S3Place(bucket=bucket, region=REGION, endpoint_url=s3_endpoint))
    await store.open()
    yield store
    await store.close()


@pytest.fixture
async def folder_store(tmp_path: Path) -> AsyncIterator[FolderObjectStore]:
    store = FolderObjectStore(tmp_path / "objects")
    await store.open()
    yield store
    await store.close()


@pytest.fixture(params=["folder_store", "s3_store"])
def store(request: pytest.FixtureRequest) -> ObjectStore:
    """Each test of the contract runs over every store."""
    found: ObjectStore = request.getfixturevalue(request.param)
    return found
