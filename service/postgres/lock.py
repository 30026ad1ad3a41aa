"""One starter a folder: a POSIX lock, which ends with its process and which forked children do not hold."""

import fcntl
import os
from pathlib import Path
from typing import Self

from mandant.service.postgres.errors import AlreadyRunning

__all__ = ["FolderLock", "holder"]

# The lock is the process's: it would not keep out a second server in this one.
_held_here: set[Path] = set()


class FolderLock:
    """Held from `acquire` to `release`; the file holds the pid of the holder."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._file: int | None = None

    def acquire(self) -> Self:
        """Raises AlreadyRunning with the pid of the process that holds it."""
        if self._path in _held_here:
            raise AlreadyRunning(self._path.parent.parent, os.getpid())
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            pid = int(os.read(file, 20) or b"0")
            os.close(file)
            raise AlreadyRunning(self._path.parent.parent, pid) from None
        os.ftruncate(file, 0)
        os.pwrite(file, str(os.getpid()).encode(), 0)
        self._file = file
        _held_here.add(self._path)
        return self

    def release(self) -> None:
        """May be called twice."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
            _held_here.discard(self._path)


def holder(path: Path) -> int | None:
    """The pid that holds the lock, or None. Leaves the file as it is."""
    if path.resolve() in _held_here:
        return os.getpid()
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return int(os.read(file, 20) or b"0")
    else:
        return None
    finally:
        os.close(file)
