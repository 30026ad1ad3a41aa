"""A file being written: locked while its writer lives, and seen under its own name only when it is whole."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


class IncomingFile:
    """One temporary file, mode 0600. Blocking: every method belongs in a thread."""

    def __init__(self, folder: Path) -> None:
        """Create and lock it. One that a cleaner took between the two is made again."""
        while True:
            self._path = folder / str(uuid4())
            self._file: BinaryIO = os.fdopen(os.open(self._path, _NEW, 0o600), "wb")
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if os.fstat(self._file.fileno()).st_nlink == 1:
                return
            self._file.close()

    def write(self, block: bytes) -> None:
        self._file.write(block)

    def publish(self, target: Path) -> None:
        """Flush to the disk, then take the target's name: first the bytes, then the name, then the folder."""
        self._file.flush()
        os.fsync(self._file.fileno())
        while True:
            with contextlib.suppress(FileExistsError):
                target.parent.mkdir(mode=0o700)
                sync_folder(target.parent.parent)
            try:
                self._path.rename(target)
            except FileNotFoundError:
                if not self._path.exists():
                    raise
                continue  # a delete took the empty folder away in between; another put may have made it again
            sync_folder(target.parent)
            return

    def end(self) -> None:
        """Close it; what was not published is gone."""
        self._path.unlink(missing_ok=True)
        self._file.close()


def remove_abandoned(folder: Path) -> int:
    """Remove files whose writer is dead, whatever their age; returns how many.

    A lock ends with its process, also after kill -9, so no clock has to guess.
    """
    removed = 0
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            path.unlink()
            removed += 1
    return removed


def sync_folder(folder: Path) -> None:
    """Make renames and removals in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
