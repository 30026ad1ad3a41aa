"""The port behind which sealed files are kept: a folder or a bucket, chosen by a setting.

A store sees sealed bytes only (the stream format of vault/FORMAT.md) under a key of two random
identifiers. Neither a file's name nor its type nor its owner's name is told to it.

    key = object_key(tenant_id, object_id)
    await store.put(key, sealed_chunks)
    async for chunk in store.get(key): ...

Source: C5.4, promise 1 of DESIGN.md.
"""

import re
from collections.abc import AsyncIterator
from typing import Protocol
from uuid import UUID

from mandant.tenants.errors import TenantsError

__all__ = [
    "ObjectKeyInvalid",
    "ObjectMissing",
    "ObjectStore",
    "ObjectsRefused",
    "ObjectsUnavailable",
    "checked_key",
    "checked_prefix",
    "object_key",
    "tenant_prefix",
]

_UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(f"{_UUID}/{_UUID}", re.ASCII)
_PREFIX = re.compile(f"({_UUID}/)?", re.ASCII)


class ObjectStore(Protocol):
    """Where sealed bytes lie. Never called while a database transaction is open."""

    async def put(self, key: str, chunks: AsyncIterator[bytes]) -> int:
        """Store the chunks as one object and return its size in bytes; replaces an older object.

        Atomic: nobody sees the object before it is whole and durable. A put that fails or is
        cancelled leaves what was there before and nothing else.

        Raises: ObjectKeyInvalid, ObjectsRefused, ObjectsUnavailable; and whatever `chunks` raises.
        """
        ...

    def get(self, key: str) -> AsyncIterator[bytes]:
        """The object's bytes in order, at most 1 MiB a chunk. A broken transfer raises, it never just ends.

        Raises, at the first chunk or later: ObjectMissing, and as put.
        """
        ...

    async def delete(self, key: str) -> None:
        """Remove the object; one that is not there is fine. Raises: as put."""
        ...

    async def exists(self, key: str) -> bool:
        """Whether the object is there: what a deletion is read back with. Raises: as put."""
        ...

    def list(self, prefix: str) -> AsyncIterator[str]:
        """Keys in ascending order under `prefix`: `tenant_prefix(id)`, or "" for all. Raises: as put."""
        ...

    async def close(self) -> None:
        """Give back threads and connections. The store is not used afterwards."""
        ...


class ObjectMissing(TenantsError):
    """No object has this key."""


class ObjectKeyInvalid(TenantsError):
    """The key is not `<uuid>/<uuid>` in lower case: a defect in the caller, or someone probing paths."""


class ObjectsRefused(TenantsError):
    """The store says no (credentials, policy, bucket missing). A person must act."""


class ObjectsUnavailable(TenantsError):
    """The store did not answer, or stopped answering midway. Try again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


def object_key(tenant_id: UUID, object_id: UUID) -> str:
    """The one shape of a key: two identifiers, no names."""
    return f"{tenant_id}/{object_id}"


def tenant_prefix(tenant_id: UUID) -> str:
    """What all of a tenant's keys start with; ends in `/`, so that no other tenant's do."""
    return f"{tenant_id}/"


def checked_key(key: str) -> str:
    """Return `key` when it is one; so no key ever climbs out of a folder. Raises: ObjectKeyInvalid."""
    if _KEY.fullmatch(key) is None:
        raise ObjectKeyInvalid("an object key is <tenant uuid>/<object uuid>, in lower case")
    return key


def checked_prefix(prefix: str) -> str:
    """Return `prefix` when it is `<uuid>/` or empty. Raises: ObjectKeyInvalid."""
    if _PREFIX.fullmatch(prefix) is None:
        raise ObjectKeyInvalid("list with tenant_prefix(tenant_id), or with an empty prefix for all")
    return prefix
