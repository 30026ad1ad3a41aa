"""The local provider's key file: read, checked, replaced as a whole under a lock.

JSON with a checksum, so that a person can see what is in it and a damaged file is noticed. Every
change counts the file's counter up by one; whoever remembers a counter recognises an older copy.
The file holds key material: mode 0600, and a copy of it opens whatever its keys wrap.
"""

from __future__ import annotations

import fcntl
import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from stat import S_ISREG
from typing import Any

from mandant.vault.errors import KeyFileMissing
from mandant.vault.kms.errors import KeyFileDamaged, KeyFileExposed
from mandant.vault.kms.provider import KmsKeyState
from mandant.vault.secret import Secret

__all__ = ["KeyFile", "LocalKey", "Stamp", "locked", "read", "stamp_of", "write"]

FORMAT = "mandant-key-file/1"

# Inode, time of change in ns, size: another file, or other content, has another one.
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class LocalKey:
    """One key of the file. `key` is 32 bytes, None once forgotten; the entry stays and says `gone`."""

    key_ref: str
    key: Secret | None
    tags: Mapping[str, str]
    description: str
    state: KmsKeyState
    created: datetime
    delete_after: datetime | None = None

    def forgotten(self) -> LocalKey:
        """The same entry without its key."""
        return replace(self, key=None, state=KmsKeyState.GONE)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The content of the file at one moment; `counter` is 1 in a new file."""

    counter: int
    keys: Mapping[str, LocalKey]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone among this machine's processes, until the block ends. Waits; not for the event loop."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _give_to_owner_of(path, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def stamp_of(path: Path) -> Stamp:
    """What tells this content from another without reading it. Raises: KeyFileMissing."""
    try:
        return _stamp(path.stat())
    except FileNotFoundError:
        raise missing(path) from None


def read(path: Path) -> tuple[KeyFile, Stamp]:
    """The file and its stamp. Raises: KeyFileMissing, KeyFileExposed, KeyFileDamaged."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise missing(path) from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            _refuse_exposed(path, status)
            text = file.read()
        try:
            return _decode(path, text), _stamp(status)
        except KeyFileDamaged:
            # A writer wipes the old file once the new one is in place; we may have been reading the old one.
            if stamp_of(path)[0] == status.st_ino:
                raise


def write(path: Path, content: KeyFile) -> Stamp:
    """Replace the file with `content`: whole or not at all, on the disk when this returns.

    The old content is overwritten as well as a file system allows (a copy-on-write one does not), unless
    the old file has another name, which is somebody's backup. Call it under `locked`.
    """
    new = path.with_name(f"{path.name}.new")
    with suppress(FileNotFoundError):  # left over from a crash
        new.unlink()
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        _give_to_owner_of(path, descriptor)
        file.write(_encode(content))
        file.flush()
        os.fsync(descriptor)
        stamp = _stamp(os.fstat(descriptor))
    with _wiped_when_unlinked(path):
        new.replace(path)
        _sync_folder(path.parent)
    return stamp


def missing(path: Path) -> KeyFileMissing:
    """The refusal to go on without the file, with what to do."""
    return KeyFileMissing(
        f"the key file {path} is missing, but there are keys that only it can unwrap. Restore the file from "
        "its backup, with mode 0600. A new one would open nothing, so none was made"
    )


@contextmanager
def _wiped_when_unlinked(path: Path) -> Iterator[None]:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        yield
        status = os.fstat(descriptor)
        if status.st_nlink == 0:
            os.pwrite(descriptor, bytes(status.st_size), 0)
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_exposed(path: Path, status: os.stat_result) -> None:
    if not S_ISREG(status.st_mode):
        raise KeyFileDamaged(f"the key file {path} is not a regular file")
    if status.st_mode & 0o077:
        raise KeyFileExposed(
            f"the key file {path} has mode {status.st_mode & 0o777:04o}: others than its owner may use it. "
            f"Run: chmod 600 {path}"
        )


def _give_to_owner_of(path: Path, descriptor: int) -> None:
    """Root (a command in a second terminal) leaves files to the user who runs the service."""
    if os.geteuid() == 0 and path.exists():
        status = path.stat()
        os.fchown(descriptor, status.st_uid, status.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _stamp(status: os.stat_result) -> Stamp:
    return status.st_ino, status.st_mtime_ns, status.st_size


def _encode(content: KeyFile) -> bytes:
    body = {
        "format": FORMAT,
        "counter": content.counter,
        "keys": [
            {
                "key_ref": key.key_ref,
                "key": None if key.key is None else b64encode(key.key.reveal()).decode(),
                "tags": dict(key.tags),
                "description": key.description,
                "state": key.state.value,
                "created": key.created.isoformat(),
                "delete_after": None if key.delete_after is None else key.delete_after.isoformat(),
            }
            for key in content.keys.values()
        ],
    }
    return json.dumps({**body, "checksum": _checksum(body)}, indent=1).encode()


def _decode(path: Path, text: bytes) -> KeyFile:
    try:
        body = json.loads(text)
        checksum = body.pop("checksum")
        if body["format"] != FORMAT or checksum != _checksum(body):
            raise ValueError
        keys = [
            LocalKey(
                key_ref=item["key_ref"],
                key=None if item["key"] is None else Secret(b64decode(item["key"], validate=True)),
                tags=item["tags"],
                description=item["description"],
                state=KmsKeyState(item["state"]),
                created=datetime.fromisoformat(item["created"]),
                delete_after=None
                if item["delete_after"] is None
                else datetime.fromisoformat(item["delete_after"]),
            )
            for item in body["keys"]
        ]
        return KeyFile(counter=int(body["counter"]), keys={key.key_ref: key for key in keys})
    except (ValueError, KeyError, TypeError, AttributeError):
        # From None: the cause would quote the text, and the text is keys.
        raise KeyFileDamaged(
            f"the key file {path} is damaged, or not a key file of this version. Restore it from its backup"
        ) from None


def _checksum(body: Mapping[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return blake2b(canonical, digest_size=32).hexdigest()
