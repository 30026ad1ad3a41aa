"""Files: what goes in comes out, to its own tenant only; what breaks off leaves nothing but what is swept."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from mandant.integrations.objects import FolderObjectStore
from mandant.service.jobs.enqueue import PostgresJobs
from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import Invalid, NotFound, ReadOnly
from mandant.tenants.modules import Module, Record, catalogue, file_removal, files, store
from mandant.tenants.modules.file_content import put_sealed
from mandant.tenants.modules.file_reseal import reseal_files
from mandant.tenants.modules.files import FileTooLarge, Shelf, StoredFile
from mandant.tenants.modules.keychanges import rotate_and_apply
from mandant.tenants.objects import (
    ObjectMissing,
    ObjectsRefused,
    ObjectStore,
    ObjectsUnavailable,
    object_key,
    tenant_prefix,
)
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.errors import KeyDenied, Unopenable
from mandant.vault.guard import forbid_network
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.stream import CHUNK
from mandant.vault.wrapping import Purpose
from tests.integrations.objects.conftest import bucket, folder_store, s3, s3_endpoint, s3_store  # noqa: F401
from tests.stack import Stack


class Person(Record):
    name: str


people = Module("people", Person)
others = Module("others", Person)
jobs = PostgresJobs()


class NoNetworkInTransactions:
    """The store under test, which may be on the network: never asked while a transaction is open."""

    def __init__(self, store: ObjectStore) -> None:
        self.real = store

    def __getattr__(self, name: str) -> Any:
        forbid_network("objects")
        return getattr(self.real, name)


@pytest.fixture(params=["folder_store", "s3_store"])
def objects(request: pytest.FixtureRequest) -> Any:
    return NoNetworkInTransactions(request.getfixturevalue(request.param))


@pytest.fixture
async def shelf(stack: Stack, objects: Any) -> Shelf:
    return await new_shelf(stack, objects)


@pytest.fixture
async def in_folder(stack: Stack, folder_store: Any) -> Shelf:  # noqa: F811
    return await new_shelf(stack, NoNetworkInTransactions(folder_store))


async def new_shelf(stack: Stack, objects: Any) -> Shelf:
    return Shelf(await stack.tenant(), objects, stack.clock, catalogue([people, others]))


async def pieces(data: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def keep(shelf: Shelf, data: bytes = b"content", record_id: UUID | None = None) -> StoredFile:
    return await files.upload(shelf, people, "a.txt", "text/plain", pieces(data), record_id=record_id)


async def content(shelf: Shelf, file_id: UUID) -> bytes:
    download = await files.download(shelf, file_id)
    return b"".join([chunk async for chunk in download.chunks])


async def rows(stack: Stack, shelf: Shelf) -> list[Any]:
    admin = await stack.connect("postgres")
    try:
        return await admin.fetch(
            "SELECT * FROM mandant.file WHERE tenant_id = $1 ORDER BY object_id", shelf.tenant_id
        )
    finally:
        await admin.close()


async def keys(shelf: Shelf) -> list[str]:
    return [key async for key in shelf.objects.list(tenant_prefix(shelf.tenant_id))]


async def nothing_is_left(stack: Stack, shelf: Shelf) -> None:
    assert await rows(stack, shelf) == []
    assert await keys(shelf) == []


async def sealed_bytes(shelf: Shelf, key: str) -> bytes:
    return b"".join([chunk async for chunk in shelf.objects.get(key)])


async def replace(shelf: Shelf, key: str, data: bytes) -> None:
    await shelf.objects.put(key, pieces(data))


async def swept(stack: Stack, shelf: Shelf) -> None:
    worker = await DataDatabase.open(stack.data_url("mandant_worker"), size=2)
    try:
        await file_removal.sweep(worker, shelf.objects, stack.clock.now())
    finally:
        await worker.close()


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, (9 << 20) + 7])
async def test_a_file_comes_back_as_it_was(shelf: Shelf, stack: Stack, size: int) -> None:
    data = bytes(i % 251 for i in range(997)) * (size // 997 + 1)
    data = data[:size]
    kept = await files.upload(shelf, people, "Vertrag äöü.pdf", "application/pdf", pieces(data))
    assert (kept.name, kept.media_type, kept.size) == ("Vertrag äöü.pdf", "application/pdf", size)
    assert await files.get(shelf, kept.file_id) == kept
    assert await content(shelf, kept.file_id) == data
    (row,) = await rows(stack, shelf)
    (key,) = await keys(shelf)
    assert row["state"] == "stored"
    assert key == object_key(shelf.tenant_id, row["object_id"])


async def test_neither_name_nor_content_stands_in_the_database_or_the_store(
    in_folder: Shelf, stack: Stack
) -> None:
    canary = b"canary-9b1f-in-a-file"
    await files.upload(
        in_folder, people, "canary-9b1f-as-a-name.txt", "text/x-canary-9b1f", pieces(canary * 100)
    )
    (row,) = await rows(stack, in_folder)
    (key,) = await keys(in_folder)
    assert b"canary-9b1f" not in repr(dict(row)).encode() + bytes(row["sealed"])
    assert b"canary-9b1f" not in await sealed_bytes(in_folder, key)
    assert "canary" not in key


async def test_a_file_of_more_than_the_limit_is_refused_and_nothing_stays(shelf: Shelf, stack: Stack) -> None:
    with pytest.raises(FileTooLarge):
        await files.upload(shelf, people, "a", "text/plain", pieces(bytes(1001), 300), limit=1000)
    await nothing_is_left(stack, shelf)
    kept = await files.upload(shelf, people, "a", "text/plain", pieces(bytes(1000), 300), limit=1000)
    assert kept.size == 1000


async def test_a_hundred_mebibytes_and_one_byte_are_refused(in_folder: Shelf, stack: Stack) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield bytes(1 << 20)
        yield b"1"

    with pytest.raises(FileTooLarge):
        await files.upload(in_folder, people, "a", "text/plain", endless())
    await nothing_is_left(stack, in_folder)


@pytest.mark.parametrize(
    ("name", "media_type", "field"),
    [
        ("", "text/plain", "name"),
        ("x" * 256, "text/plain", "name"),
        ("a\0b", "text/plain", "name"),
        ("a\nb", "text/plain", "name"),
        ("a\ud800", "text/plain", "name"),
        ("invoice\u202efdp.exe", "text/plain", "name"),
        ("..", "text/plain", "name"),
        ("a", "text", "media_type"),
        ("a", "text/plain\r\nX-Evil: 1", "media_type"),
        ("a", "text/" + "x" * 200, "media_type"),
    ],
)
async def test_a_name_or_type_that_is_none_is_refused(
    in_folder: Shelf, stack: Stack, name: str, media_type: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await files.upload(in_folder, people, name, media_type, pieces(b"x"))
    assert {problem.field for problem in refused.value.problems} == {field}
    await nothing_is_left(stack, in_folder)


async def test_of_a_name_with_folders_the_last_part_is_kept(in_folder: Shelf) -> None:
    kept = await files.upload(in_folder, people, "C:\\docs\\..\\a b.txt", "text/plain", pieces(b"x"))
    assert kept.name == "a b.txt"


async def test_an_upload_that_breaks_off_leaves_nothing(shelf: Shelf, stack: Stack) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield bytes(9 << 20)
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await files.upload(shelf, people, "a", "text/plain", broken())
    await nothing_is_left(stack, shelf)


async def test_a_cancelled_upload_leaves_nothing(shelf: Shelf, stack: Stack) -> None:
    waiting = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield bytes(9 << 20)
        waiting.set()
        await asyncio.Event().wait()

    running = asyncio.create_task(files.upload(shelf, people, "a", "text/plain", slow()))
    await waiting.wait()
    assert [row["state"] for row in await rows(stack, shelf)] == ["arriving"]
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await nothing_is_left(stack, shelf)


async def test_what_the_last_transaction_refuses_is_undone(shelf: Shelf, stack: Stack) -> None:
    async def refuse(session: Any, file: StoredFile) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await files.upload(shelf, people, "a", "text/plain", pieces(b"x"), and_then=refuse)
    await nothing_is_left(stack, shelf)


class Dead(BaseException):
    """A process that is killed: nothing after it runs."""


@pytest.mark.parametrize("step", ["before the object", "after the object"])
async def test_a_crash_leaves_a_row_that_is_swept_after_a_day_with_its_object(
    shelf: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    async def dead(*_: Any) -> bool:
        raise Dead

    monkeypatch.setattr(files, "remove", dead)
    if step == "before the object":

        async def chunks() -> AsyncIterator[bytes]:
            yield b"x"
            raise Dead

        with pytest.raises(Dead):
            await files.upload(shelf, people, "a", "text/plain", chunks())
        assert await keys(shelf) == []
    else:
        monkeypatch.setattr(files, "_store", dead)
        with pytest.raises(Dead):
            await keep(shelf)
        assert len(await keys(shelf)) == 1
    monkeypatch.undo()

    assert [row["state"] for row in await rows(stack, shelf)] == ["arriving"]
    assert await files.page(shelf, people) == []
    stack.clock.advance(timedelta(hours=23))
    await swept(stack, shelf)
    assert len(await rows(stack, shelf)) == 1
    stack.clock.advance(timedelta(hours=2))
    await swept(stack, shelf)
    await nothing_is_left(stack, shelf)


@pytest.mark.parametrize("step", ["object", "row"])
async def test_a_removal_that_crashes_is_repeated(shelf: Shelf, stack: Stack, step: str) -> None:
    kept = await keep(shelf)
    (row,) = await rows(stack, shelf)
    await files.delete(shelf, jobs, kept.file_id)
    if step == "row":  # the object is gone already, its row not yet
        await shelf.objects.delete(object_key(shelf.tenant_id, row["object_id"]))
    await swept(stack, shelf)
    await nothing_is_left(stack, shelf)


async def test_a_store_that_does_not_answer_leaves_the_row_for_the_sweep(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    real: FolderObjectStore = in_folder.objects.real  # type: ignore[attr-defined]

    async def unavailable(*_: Any) -> int:
        raise ObjectsUnavailable("the store did not answer")

    monkeypatch.setattr(real, "put", unavailable)
    monkeypatch.setattr(real, "delete", unavailable)
    with pytest.raises(ObjectsUnavailable):
        await keep(in_folder)
    monkeypatch.undo()
    stack.clock.advance(timedelta(hours=25))
    await swept(stack, in_folder)
    await nothing_is_left(stack, in_folder)


@pytest.mark.parametrize("says", [ObjectsRefused("locked"), ObjectsUnavailable("always 500")])
@pytest.mark.parametrize("at_once", [1, 2, 1000])
async def test_an_object_that_the_store_does_not_give_up_keeps_no_other_one(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch, says: Exception, at_once: int
) -> None:
    """The oldest of all, of a page of its own or not: all younger ones go, and somebody is told."""
    kept = [await keep(in_folder) for _ in range(5)]
    (stubborn, *_) = [row["object_id"] for row in await rows(stack, in_folder)]
    for one in kept:
        await files.delete(in_folder, jobs, one.file_id)
    real: FolderObjectStore = in_folder.objects.real  # type: ignore[attr-defined]
    delete = real.delete

    async def refusing(key: str) -> None:
        if key == object_key(in_folder.tenant_id, stubborn):
            raise says
        await delete(key)

    monkeypatch.setattr(real, "delete", refusing)
    monkeypatch.setattr(file_removal, "SWEPT_AT_ONCE", at_once)
    with pytest.raises(type(says)):
        await swept(stack, in_folder)
    assert [row["object_id"] for row in await rows(stack, in_folder)] == [stubborn]
    with pytest.raises(type(says)):
        await file_removal.remove_leaving(in_folder.tenant.data, in_folder.objects, in_folder.tenant_id)
    monkeypatch.setattr(real, "delete", delete)
    await swept(stack, in_folder)
    await nothing_is_left(stack, in_folder)


async def test_a_store_that_is_down_is_not_asked_about_every_object(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [await keep(in_folder) for _ in range(file_removal.GIVEN_UP_AFTER + 2)]
    for one in kept:
        await files.delete(in_folder, jobs, one.file_id)
    real: FolderObjectStore = in_folder.objects.real  # type: ignore[attr-defined]
    delete, asked = real.delete, []

    async def down(key: str) -> None:
        asked.append(key)
        raise ObjectsUnavailable("down")

    monkeypatch.setattr(real, "delete", down)
    with pytest.raises(ObjectsUnavailable):
        await swept(stack, in_folder)
    assert len(asked) == file_removal.GIVEN_UP_AFTER
    monkeypatch.setattr(real, "delete", delete)
    await swept(stack, in_folder)


async def test_a_deleted_file_is_gone_at_once_and_its_object_with_the_job(shelf: Shelf, stack: Stack) -> None:
    kept, other = await keep(shelf), await keep(shelf, b"other")
    await files.delete(shelf, jobs, kept.file_id)
    for gone in (files.get, files.download):
        with pytest.raises(NotFound):
            await gone(shelf, kept.file_id)
    with pytest.raises(NotFound):
        await files.delete(shelf, jobs, kept.file_id)
    assert await queued(stack, shelf) == [kept.file_id]
    for _ in range(2):  # a job runs at least once
        await file_removal.remove_leaving(shelf.tenant.data, shelf.objects, shelf.tenant_id)
    assert len(await rows(stack, shelf)) == len(await keys(shelf)) == 1
    assert await content(shelf, other.file_id) == b"other"


async def queued(stack: Stack, shelf: Shelf) -> list[UUID]:
    admin = await stack.connect("postgres")
    try:
        found = await admin.fetch(
            "SELECT args ->> 'job_id' FROM queue.procrastinate_jobs"
            " WHERE task_name = 'remove_files' AND args ->> 'tenant_id' = $1",
            str(shelf.tenant_id),
        )
    finally:
        await admin.close()
    return [UUID(row[0]) for row in found]


async def test_a_records_files_leave_with_it(shelf: Shelf, stack: Stack) -> None:
    at = stack.clock.now()
    record = await store.create(shelf.tenant, people, Person(name="Anna"), at=at)
    neighbour = await store.create(shelf.tenant, people, Person(name="Berta"), at=at)
    gone = [await keep(shelf, b"1", record.record_id), await keep(shelf, b"2", record.record_id)]
    stays = [await keep(shelf, b"3", neighbour.record_id), await keep(shelf, b"4")]
    assert {f.file_id for f in await files.page(shelf, people, record_id=record.record_id)} == {
        f.file_id for f in gone
    }
    await store.delete(shelf.tenant, people, record.record_id)
    for file in gone:
        with pytest.raises(NotFound):
            await files.get(shelf, file.file_id)
    assert await queued(stack, shelf) == [record.record_id]
    await file_removal.remove_leaving(shelf.tenant.data, shelf.objects, shelf.tenant_id)
    assert len(await keys(shelf)) == 2
    assert await files.page(shelf, people) == list(reversed(stays))
    await store.delete(shelf.tenant, people, neighbour.record_id)
    assert len(await queued(stack, shelf)) == 2


async def test_a_record_deleted_while_its_file_arrives_takes_the_file_along(
    shelf: Shelf, stack: Stack
) -> None:
    record = await store.create(shelf.tenant, people, Person(name="Anna"), at=stack.clock.now())

    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await store.delete(shelf.tenant, people, record.record_id)
        yield b"second"

    with pytest.raises(NotFound):
        await files.upload(shelf, people, "a", "text/plain", chunks(), record_id=record.record_id)
    await nothing_is_left(stack, shelf)


async def test_a_file_needs_a_record_of_its_own_tenant_and_module(in_folder: Shelf, stack: Stack) -> None:
    other = await new_shelf(stack, in_folder.objects)
    theirs = await store.create(other.tenant, people, Person(name="Anna"), at=stack.clock.now())
    elsewhere = await store.create(in_folder.tenant, others, Person(name="Anna"), at=stack.clock.now())
    for record_id in (theirs.record_id, elsewhere.record_id, uuid7()):
        with pytest.raises(NotFound):
            await keep(in_folder, b"x", record_id)
    await nothing_is_left(stack, in_folder)


async def test_another_tenants_file_is_not_found(shelf: Shelf, stack: Stack) -> None:
    kept = await keep(shelf)
    other = await new_shelf(stack, shelf.objects)
    for attempt in (files.get(other, kept.file_id), files.download(other, kept.file_id)):
        with pytest.raises(NotFound):
            await attempt
    with pytest.raises(NotFound):
        await files.delete(other, jobs, kept.file_id)
    assert await files.page(other, people) == []
    assert await content(shelf, kept.file_id) == b"content"


async def test_a_moved_object_does_not_open(shelf: Shelf, stack: Stack) -> None:
    one, two = await keep(shelf, b"one"), await keep(shelf, b"two")
    other = await new_shelf(stack, shelf.objects)
    await keep(other, b"one")
    first, second = await keys(shelf)
    for target in (second, *await keys(other)):
        await replace(shelf, target, await sealed_bytes(shelf, first))
    (theirs,) = await files.page(other, people)
    for where, file in ((shelf, two), (other, theirs)):
        with pytest.raises(Unopenable):
            await content(where, file.file_id)
    assert await content(shelf, one.file_id) == b"one"


@pytest.mark.parametrize("column", ["file_id", "module", "record_id", "version", "sealed"])
async def test_a_row_moved_by_hand_does_not_open(in_folder: Shelf, stack: Stack, column: str) -> None:
    kept, other = await keep(in_folder), await keep(in_folder)
    admin = await stack.connect("postgres")
    try:
        (sealed,) = [r["sealed"] for r in await rows(stack, in_folder) if r["file_id"] == other.file_id]
        new = {"file_id": uuid4(), "module": "others", "record_id": uuid4(), "version": 2, "sealed": sealed}
        await admin.execute(
            f"UPDATE mandant.file SET {column} = $1 WHERE file_id = $2", new[column], kept.file_id
        )
    finally:
        await admin.close()
    file_id = kept.file_id if column != "file_id" else new["file_id"]
    with pytest.raises(Unopenable):
        await files.get(in_folder, file_id)


async def test_objects_exchanged_in_the_rows_do_not_open(in_folder: Shelf, stack: Stack) -> None:
    one = await keep(in_folder, b"one")
    await keep(in_folder, b"two")
    first, second = [row["object_id"] for row in await rows(stack, in_folder)]
    admin = await stack.connect("postgres")
    try:
        for old, new in ((first, uuid4()), (second, first)):
            await admin.execute("UPDATE mandant.file SET object_id = $1 WHERE object_id = $2", new, old)
    finally:
        await admin.close()
    moved = [row["file_id"] for row in await rows(stack, in_folder) if row["object_id"] == first]
    assert moved != [one.file_id]
    with pytest.raises(Unopenable):
        await content(in_folder, moved[0])


async def test_a_flipped_bit_anywhere_does_not_open(in_folder: Shelf) -> None:
    kept = await keep(in_folder, bytes(2 * CHUNK + 10))
    (key,) = await keys(in_folder)
    sealed = await sealed_bytes(in_folder, key)
    for position in (0, 1, 4, 5, 28, 29, 60, 61, 61 + CHUNK, 61 + CHUNK + 16, len(sealed) - 1):
        flipped = bytearray(sealed)
        flipped[position] ^= 1
        await replace(in_folder, key, bytes(flipped))
        with pytest.raises(Unopenable):
            await content(in_folder, kept.file_id)


@pytest.mark.parametrize("cut", [1, 16, 27, CHUNK + 16 + 26, 61])
async def test_a_truncated_object_ends_in_an_error_and_never_quietly(in_folder: Shelf, cut: int) -> None:
    kept = await keep(in_folder, bytes(2 * CHUNK + 10))
    (key,) = await keys(in_folder)
    sealed = await sealed_bytes(in_folder, key)
    await replace(in_folder, key, sealed[:-cut])
    with pytest.raises(Unopenable):
        await content(in_folder, kept.file_id)
    await replace(in_folder, key, sealed[:61] if cut == 61 else sealed + bytes(cut))
    with pytest.raises(Unopenable):
        await content(in_folder, kept.file_id)


async def test_damage_further_on_is_told_after_pieces_that_are_good(in_folder: Shelf) -> None:
    data = b"".join(i.to_bytes(4, "big") for i in range(1 << 20))
    kept = await keep(in_folder, data)
    (key,) = await keys(in_folder)
    sealed = bytearray(await sealed_bytes(in_folder, key))
    sealed[-1] ^= 1
    await replace(in_folder, key, bytes(sealed))
    download = await files.download(in_folder, kept.file_id)
    got = b""
    with pytest.raises(Unopenable):
        async for chunk in download.chunks:
            got += chunk
    assert data.startswith(got)
    assert 0 < len(got) < len(data)


async def test_an_object_that_is_missing_is_told(shelf: Shelf) -> None:
    kept = await keep(shelf)
    (key,) = await keys(shelf)
    await shelf.objects.delete(key)
    with pytest.raises(ObjectMissing):
        await files.download(shelf, kept.file_id)


async def test_a_key_that_is_denied_ends_a_download_that_runs(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await keep(in_folder, bytes(8 << 20))
    download = await files.download(in_folder, kept.file_id)
    got = len(await anext(download.chunks))
    asked = stack.keyring.open

    async def denied(scope: UUID) -> Any:
        if scope == scope_id(in_folder.tenant_id, ScopeKind.TENANT):
            raise KeyDenied("disabled")
        return await asked(scope)

    monkeypatch.setattr(stack.keyring, "open", denied)
    with pytest.raises(KeyDenied):
        async for chunk in download.chunks:
            got += len(chunk)
    assert got <= 1 << 20


async def test_a_read_only_tenant_reads_and_neither_uploads_nor_deletes(
    in_folder: Shelf, stack: Stack
) -> None:
    kept = await keep(in_folder)
    admin = await stack.connect("postgres")
    await admin.execute(
        "UPDATE mandant.tenant SET state = 'suspended' WHERE tenant_id = $1", in_folder.tenant_id
    )
    await admin.close()
    with pytest.raises(ReadOnly):
        await keep(in_folder)
    with pytest.raises(ReadOnly):
        await files.delete(in_folder, jobs, kept.file_id)
    assert await content(in_folder, kept.file_id) == b"content"


async def test_pages_are_newest_first_and_have_no_gap(in_folder: Shelf) -> None:
    ids = [(await keep(in_folder)).file_id for _ in range(5)]
    seen: list[UUID] = []
    while found := await files.page(in_folder, people, before=seen[-1] if seen else None, limit=2):
        seen += [file.file_id for file in found]
    assert seen == list(reversed(ids))
    assert await files.page(in_folder, others) == []


async def rotated(stack: Stack, tenant: Tenant) -> None:
    await rotate_and_apply(
        stack.control,
        stack.provider,
        stack.as_worker(tenant),
        Category.MODULE,
        Purpose.SEAL,
        stack.clock.now(),
    )


async def test_re_encryption_reaches_files_and_what_is_read_meanwhile_comes_whole(
    shelf: Shelf, stack: Stack
) -> None:
    data = [bytes([i]) * (3 << 20) for i in range(3)]
    kept = [await keep(shelf, one) for one in data]
    before = await keys(shelf)
    await rotated(stack, shelf.tenant)
    new = await keep(shelf, b"new")
    reading = await files.download(shelf, kept[2].file_id)
    *_, last = [progress async for progress in reseal_files(shelf, people)]
    assert (last.seen, last.resealed) == (4, 3)
    assert b"".join([chunk async for chunk in reading.chunks]) == data[2]
    assert {(row["generation"], row["state"]) for row in await rows(stack, shelf)} == {(2, "stored")}
    assert not set(before) & set(await keys(shelf))
    assert len(await keys(shelf)) == 4
    for file, one in zip([*kept, new], [*data, b"new"], strict=True):
        assert await content(shelf, file.file_id) == one
        assert await files.get(shelf, file.file_id) == file
    *_, again = [progress async for progress in reseal_files(shelf, people)]
    assert again.resealed == 0


async def test_a_re_encryption_that_is_killed_is_swept_and_started_again(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await keep(in_folder)
    await rotated(stack, in_folder.tenant)

    async def dead(*_: Any) -> bool:
        raise Dead

    monkeypatch.setattr("mandant.tenants.modules.file_reseal.remove", dead)
    monkeypatch.setattr("mandant.tenants.modules.file_rows.mark_stored", dead)
    with pytest.raises(Dead):
        _ = [progress async for progress in reseal_files(in_folder, people)]
    monkeypatch.undo()
    assert len(await keys(in_folder)) == 2
    assert await content(in_folder, kept.file_id) == b"content"
    _ = [progress async for progress in reseal_files(in_folder, people)]
    stack.clock.advance(timedelta(hours=25))
    await swept(stack, in_folder)
    assert len(await keys(in_folder)) == len(await rows(stack, in_folder)) == 1
    assert await content(in_folder, kept.file_id) == b"content"


async def test_a_file_deleted_during_its_re_encryption_stays_deleted(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await keep(in_folder)
    await rotated(stack, in_folder.tenant)

    async def put_then_delete(*arguments: Any) -> int:
        size = await put_sealed(*arguments)
        await files.delete(in_folder, jobs, kept.file_id)
        return size

    monkeypatch.setattr("mandant.tenants.modules.file_reseal.put_sealed", put_then_delete)
    *_, last = [progress async for progress in reseal_files(in_folder, people)]
    assert last.resealed == 0
    await file_removal.remove_leaving(in_folder.tenant.data, in_folder.objects, in_folder.tenant_id)
    await nothing_is_left(stack, in_folder)


async def test_an_upload_during_which_the_key_is_rotated_is_refused(in_folder: Shelf, stack: Stack) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"first"
        await rotated(stack, in_folder.tenant)
        yield b"second"

    with pytest.raises(files.KeyRotated):
        await files.upload(in_folder, people, "a", "text/plain", chunks())
    await nothing_is_left(stack, in_folder)


async def test_removal_needs_no_keys(in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = await keep(in_folder)
    await files.delete(in_folder, jobs, kept.file_id)

    async def denied(_: UUID) -> Any:
        raise KeyDenied("disabled")

    monkeypatch.setattr(stack.keyring, "open", denied)
    await swept(stack, in_folder)
    await nothing_is_left(stack, in_folder)


async def test_the_sweep_is_the_workers_alone(stack: Stack) -> None:
    app = await stack.connect("mandant_app")
    try:
        refused = await app.fetchval(
            "SELECT has_function_privilege('mandant.files_unfinished(timestamptz, timestamptz, uuid, integer)', 'EXECUTE')"
        )
    finally:
        await app.close()
    assert refused is False


MOVER = """
import asyncio, sys
from pathlib import Path
from types import SimpleNamespace
from uuid import UUID
from mandant.integrations.objects import FolderObjectStore
from mandant.tenants.modules import Module, Record
from mandant.tenants.modules import file_content
from mandant.tenants.modules.file_rows import FileRow
from mandant.vault.category import Category
from mandant.vault.envelope import DataKey
from datetime import UTC, datetime

class Person(Record):
    name: str

people = Module("people", Person)
key = DataKey(UUID(int=1), Category.MODULE, 1, bytes(32))

class Keyring:
    async def open(self, scope):
        return SimpleNamespace(open_key=lambda category, generation: key)

async def chunks(size):
    block = bytes(range(256)) * 256
    while size:
        yield block[:size]
        size -= len(block[:size])

async def move(shelf, size):
    row = FileRow(UUID(int=3), UUID(int=4), "people", None, 1, 1, size, b"", datetime.now(UTC))
    assert await file_content.put_sealed(shelf, people, row, key, chunks(size), size) == size
    read = 0
    async for chunk in file_content.opened(shelf, people, row):
        read += len(chunk)
    assert read == size

def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024

async def main():
    store = FolderObjectStore(Path(sys.argv[1]))
    await store.open()
    tenant_id = UUID(int=2)
    shelf = SimpleNamespace(tenant_id=tenant_id, objects=store, tenant=SimpleNamespace(keyring=Keyring()))
    await move(shelf, 1000)
    before = peak()
    await move(shelf, 20_000_000)
    print(peak() - before)
    await store.close()

asyncio.run(main())
"""


def test_20_mb_go_up_and_down_in_bounded_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-c", MOVER, str(tmp_path / "objects")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 0 < int(done.stdout) < 12 << 20


async def test_a_record_that_goes_before_the_upload_is_announced_gets_no_file(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = await store.create(in_folder.tenant, people, Person(name="Anna"), at=stack.clock.now())

    async def still_there(*_: Any) -> bool:
        await store.delete(in_folder.tenant, people, record.record_id)
        return True

    monkeypatch.setattr("mandant.tenants.modules.file_rows.record_exists", still_there)
    with pytest.raises(NotFound):
        await keep(in_folder, b"x", record.record_id)
    await nothing_is_left(stack, in_folder)


async def test_an_upload_whose_commit_got_through_after_all_is_not_undone(in_folder: Shelf) -> None:
    kept = await keep(in_folder)
    (key,) = await keys(in_folder)
    object_id = UUID(key.partition("/")[2])
    assert not await file_removal.remove(
        in_folder.tenant.data, in_folder.objects, in_folder.tenant_id, object_id
    )
    assert await content(in_folder, kept.file_id) == b"content"


async def test_a_download_that_began_before_a_re_encryption_finds_the_new_object(
    in_folder: Shelf, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = await keep(in_folder)
    find = files._find
    looked = [await find(in_folder, kept.file_id)]
    await rotated(stack, in_folder.tenant)
    _ = [progress async for progress in reseal_files(in_folder, people)]

    async def stale_once(shelf: Shelf, file_id: UUID) -> Any:
        return looked.pop() if looked else await find(shelf, file_id)

    monkeypatch.setattr(files, "_find", stale_once)
    assert await content(in_folder, kept.file_id) == b"content"
    assert looked == []
