"""100 MB go through either store in bounded memory, measured in a process of its own."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REGION = "eu-central-2"
SIZE = 100_000_000
ALLOWED = 48 << 20  # bytes above the process's own size with everything imported and one small object moved

MOVER = """
import asyncio, hashlib, sys
from pathlib import Path
from uuid import UUID
from mandant.integrations.objects import FolderObjectStore, S3ObjectStore, S3Place
from mandant.tenants.objects import object_key

kind, where, bucket, region, size = sys.argv[1:]
KEY = object_key(UUID(int=1), UUID(int=2))

async def chunks(size, digest):
    block = bytes(range(256)) * 256
    while size:
        chunk = block[:size]
        digest.update(chunk)
        yield chunk
        size -= len(chunk)

async def move(store, size):
    written, read = hashlib.sha256(), hashlib.sha256()
    assert await store.put(KEY, chunks(size, written)) == size
    async for chunk in store.get(KEY):
        read.update(chunk)
    assert written.digest() == read.digest()

def peak():
    # VmHWM is this program's own; getrusage's ru_maxrss starts at the size of the process that started it.
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

async def main():
    if kind == "folder":
        store = FolderObjectStore(Path(where))
    else:
        store = S3ObjectStore(S3Place(bucket=bucket, region=region, endpoint_url=where))
    await store.open()
    await move(store, 1000)
    before = peak()
    await move(store, int(size))
    print(peak() - before)
    await store.close()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_100_mb_go_through_in_bounded_memory(
    kind: str, tmp_path: Path, s3_endpoint: str, s3: Any, bucket: str
) -> None:
    where = str(tmp_path / "objects") if kind == "folder" else s3_endpoint
    command = [sys.executable, "-c", MOVER, kind, where, bucket, REGION, str(SIZE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < ALLOWED
