"""The object store: a sealed probe is put, read back and removed. And room on this machine's disk."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from os import urandom
from uuid import UUID, uuid4

from mandant.service.doctor.line import Line, ok, warning, wrong
from mandant.service.doctor.patient import Patient
from mandant.service.opening import object_store
from mandant.tenants.errors import TenantsError
from mandant.tenants.objects import object_key
from mandant.vault.category import Category
from mandant.vault.envelope import DataKey, Place, open_, seal

NOBODY = UUID(int=0)  # the tenant that the probe belongs to
LITTLE, TOO_LITTLE = 5 << 30, 1 << 30  # bytes


async def check_objects(patient: Patient) -> AsyncIterator[Line]:
    """The probe's key is thrown away with it."""
    settings = patient.settings
    part = "object store"
    name = settings.objects_bucket or "bucket" if settings.objects == "s3" else "folder"
    store = object_store(settings)
    probe_id = uuid4()
    key = DataKey(NOBODY, Category.TECHNICAL, 1, urandom(32))
    sealed = seal(key, Place("doctor", "probe"), probe_id, 1, b"a probe of mandant doctor")
    where = object_key(NOBODY, probe_id)
    try:
        await store.open()
        await store.put(where, _one(sealed))
        found = b"".join([chunk async for chunk in store.get(where)])
        open_(key, Place("doctor", "probe"), probe_id, 1, found)
        await store.delete(where)
        if await store.exists(where):
            yield wrong(part, name, "a deleted object is still there", "the store has to be consistent")
            return
    except (OSError, TenantsError) as error:
        todo = (
            "may this user write to it, and is there room?"
            if settings.objects == "folder"
            else "are bucket, region and credentials right? infra/README.md"
        )
        yield wrong(part, name, f"a probe could not be put, read and removed ({type(error).__name__})", todo)
        return
    finally:
        await store.close()
    yield ok(part, name, "a sealed probe was put, read back and removed")


async def check_disk(patient: Patient) -> AsyncIterator[Line]:
    """Room where this machine keeps what it has to."""
    folder = patient.settings.var
    if not folder.exists():
        yield ok("disk", str(folder), "not there yet: the first start makes it")
        return
    free = (await asyncio.to_thread(shutil.disk_usage, folder)).free
    yield about_room(str(folder), free)


def about_room(folder: str, free: int) -> Line:
    """`free` in bytes."""
    said = f"{free / (1 << 30):.1f} GiB free"
    todo = "make room: a full disk stops PostgreSQL"
    if free < TOO_LITTLE:
        return wrong("disk", folder, said, todo)
    if free < LITTLE:
        return warning("disk", folder, said, todo)
    return ok("disk", folder, said)


async def _one(sealed: bytes) -> AsyncIterator[bytes]:
    yield sealed
