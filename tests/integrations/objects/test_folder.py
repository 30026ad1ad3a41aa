"""What only a folder has: modes, leftovers of dead writers, disks that fail."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from mandant.integrations.objects import FolderObjectStore
from mandant.tenants.objects import ObjectsRefused, ObjectsUnavailable, object_key


async def chunks(*items: bytes) -> AsyncIterator[bytes]:
    for item in items:
        yield item


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_only_the_owner_may_read(folder_store: FolderObjectStore, tmp_path: Path) -> None:
    key = object_key(uuid4(), uuid4())
    before = os.umask(0)
    try:
        await folder_store.put(key, chunks(b"sealed"))
    finally:
        os.umask(before)
    path = tmp_path / "objects" / key

    assert [mode(path), mode(path.parent), mode(path.parent.parent)] == [0o600, 0o700, 0o700]
    assert mode(tmp_path / "objects" / ".incoming") == 0o700


async def test_a_folder_open_to_others_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "objects").mkdir(mode=0o777)
    store = FolderObjectStore(tmp_path / "objects")
    await store.open()
    await store.close()

    assert mode(tmp_path / "objects") == 0o700


async def test_the_last_delete_takes_the_tenants_folder(
    folder_store: FolderObjectStore, tmp_path: Path
) -> None:
    tenant = uuid4()
    keys = [object_key(tenant, uuid4()) for _ in range(2)]
    for key in keys:
        await folder_store.put(key, chunks(b"sealed"))
    await folder_store.delete(keys[0])
    assert (tmp_path / "objects" / str(tenant)).is_dir()
    await folder_store.delete(keys[1])

    assert not (tmp_path / "objects" / str(tenant)).exists()


async def test_puts_and_deletes_of_one_tenant_do_not_trip_over_its_folder(
    folder_store: FolderObjectStore,
) -> None:
    tenant = uuid4()

    async def come_and_go() -> None:
        for _ in range(30):
            key = object_key(tenant, uuid4())
            await folder_store.put(key, chunks(b"sealed"))
            await folder_store.delete(key)

    await asyncio.gather(*(come_and_go() for _ in range(6)))

    assert [key async for key in folder_store.list("")] == []


async def test_a_put_that_fails_leaves_no_temporary_file(
    folder_store: FolderObjectStore, tmp_path: Path
) -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield bytes(3 << 20)
        raise ConnectionError("the browser went away")

    with pytest.raises(ConnectionError):
        await folder_store.put(object_key(uuid4(), uuid4()), failing())

    assert list((tmp_path / "objects" / ".incoming").iterdir()) == []


WRITER = """
import asyncio, sys
from pathlib import Path
from uuid import uuid4
from mandant.integrations.objects import FolderObjectStore
from mandant.tenants.objects import object_key

async def chunks():
    yield bytes(3 << 20)
    print("writing", flush=True)
    await asyncio.Event().wait()

async def main():
    store = FolderObjectStore(Path(sys.argv[1]))
    await store.open()
    await store.put(object_key(uuid4(), uuid4()), chunks())

asyncio.run(main())
"""


async def test_a_start_removes_what_a_killed_writer_left_and_nothing_of_a_living_one(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    command = [sys.executable, "-c", WRITER, str(root)]
    store = FolderObjectStore(root)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"writing\n"
            assert await store.open() == 0
            assert len(list((root / ".incoming").iterdir())) == 1
        finally:
            writer.kill()
    assert await store.open() == 1
    await store.close()

    assert list((root / ".incoming").iterdir()) == []


async def test_a_folder_that_cannot_be_made_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    store = FolderObjectStore(tmp_path / "file" / "objects")
    with pytest.raises(ObjectsUnavailable, match="Not a directory"):
        await store.open()
    await store.close()


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Path]:
    tmp_path.chmod(0o500)
    yield tmp_path
    tmp_path.chmod(0o700)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_folder_of_somebody_else_is_refused(locked: Path) -> None:
    store = FolderObjectStore(locked / "objects")
    with pytest.raises(ObjectsRefused, match="owner"):
        await store.open()
    await store.close()
