"""The data directory: made, and looked over before a server is let into it. Nothing here deletes data."""

import os
import shutil
import subprocess
from pathlib import Path

from mandant.service.postgres.account import Account, reaches
from mandant.service.postgres.binaries import SHARED, major_version
from mandant.service.postgres.errors import DamagedData, DiskFull, StartFailed, WrongVersion
from mandant.service.postgres.passwords import SUPERUSER

__all__ = ["check_cluster", "check_room", "explain", "make_cluster"]

ROOM = 96 << 20  # bytes: a fresh data directory and two WAL segments
PARTS = ("base", "global", "pg_wal", "pg_xact", "postgresql.conf", "pg_hba.conf")

SIGNS = ("FATAL", "PANIC", "ERROR", "rror:", "configuration parameter", "invalid value")

# The server's own words, and what to do about them.
ADVICE = {
    "No space left on device": "the disk is full: make room, then start again",
    "could not locate a valid checkpoint record": "the write-ahead log is damaged: restore a backup",
    "could not create shared memory segment": "the system grants too little shared memory (/dev/shm)",
    "could not map anonymous shared memory": "too little memory is free",
    "Too many open files": "raise the limit of open files (ulimit -n)",
    "Read-only file system": "the file system is read-only",
    "Permission denied": "the server's user may not read or write that file",
    "invalid data in file": "a file of the data directory is damaged: restore a backup beside it",
}


def check_room(directory: Path) -> None:
    """Raises DiskFull where a server could not write its first segments."""
    free = shutil.disk_usage(directory).free
    if free < ROOM:
        raise DiskFull(directory, free)


def make_cluster(binaries: Path, account: Account, data: Path, password: str, *, sync: bool = True) -> Path:
    """Makes a data directory and returns where it lies until `data` is renamed from it.

    SCRAM for every connection, data checksums, UTF-8 with the builtin C.UTF-8 locale: the order of text
    is the same on every machine. Where the server's user cannot reach `data`, the files lie in a shared
    folder and what is returned is a symbolic link to it.
    """
    unfinished = data.with_name("data.unfinished")
    _forget_unfinished(unfinished)
    place = unfinished
    if not reaches(account, data):
        place = _shared_folder(account, data)
        unfinished.symlink_to(place)
    place.mkdir(mode=0o700, exist_ok=True)
    account.give(place)
    secret = place.parent / f"{place.name}.password"
    secret.unlink(missing_ok=True)
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    account.give(secret)
    command: list[str | Path] = [
        binaries / "initdb", "--pgdata", place, "--username", SUPERUSER, "--pwfile", secret,
        "--auth-local", "scram-sha-256", "--auth-host", "scram-sha-256", "--data-checksums",
        "--encoding", "UTF8", "--locale", "C", "--locale-provider", "builtin",
        "--builtin-locale", "C.UTF-8", "--no-instructions",
    ]  # fmt: skip
    try:
        subprocess.run(
            [*command, *([] if sync else ["--no-sync"])],
            check=True, capture_output=True, text=True, cwd="/", env=clean_environment(), **account.popen(),
        )  # fmt: skip
    except subprocess.CalledProcessError as error:
        raise StartFailed(f"initdb failed: {explain(error.stderr)}") from None
    finally:
        secret.unlink(missing_ok=True)
    return unfinished


def check_cluster(binaries: Path, data: Path) -> None:
    """Raises DamagedData or WrongVersion for what can be seen from outside; PostgreSQL finds the rest."""
    if not data.is_dir():
        raise DamagedData(data, "it is no folder")
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise DamagedData(data, f"PG_VERSION cannot be read ({error.strerror})") from None
    if not found.isdigit():
        raise DamagedData(data, "PG_VERSION holds no version")
    if found != (ours := major_version(binaries)):
        raise WrongVersion(data, found, ours)
    for part in PARTS:
        if not (data / part).exists():
            raise DamagedData(data, f"{part} is missing")
    control = subprocess.run(
        [binaries / "pg_controldata", data],
        check=False,
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    if control.returncode or "warning" in (control.stdout + control.stderr).lower():
        raise DamagedData(data, "global/pg_control cannot be read or its checksum is wrong")


def explain(log: str) -> str:
    """The last errors of a log, and what to do where that is known."""
    lines = [line for line in log.splitlines() if any(sign in line for sign in SIGNS)]
    words = (
        " / ".join(line.split("  ", 1)[-1].strip() for line in lines[-3:]) or log.strip()[-500:] or "no word"
    )
    return "; ".join([words, *(advice for sign, advice in ADVICE.items() if sign in log)])


def clean_environment() -> dict[str, str]:
    """Without PGDATA, PGHOST and their like, and in English: messages are looked through."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C", "TZ": "UTC"}


def _forget_unfinished(unfinished: Path) -> None:
    """Takes away what an initdb left that was killed: it never held data."""
    if unfinished.is_symlink():
        shutil.rmtree(unfinished.resolve(), ignore_errors=True)
        unfinished.unlink()
    elif unfinished.exists():
        shutil.rmtree(unfinished)


def _shared_folder(account: Account, data: Path) -> Path:
    """A new folder that the server's user reaches, for a var that is closed to them."""
    try:
        SHARED.mkdir(mode=0o755, parents=True, exist_ok=True)
        place = SHARED / f"data-{os.urandom(8).hex()}"
        if not reaches(account, place):
            raise PermissionError(f"{SHARED} is closed")
    except OSError as error:
        raise StartFailed(
            f"as root, PostgreSQL runs as another user, who can reach neither {data} nor {SHARED} ({error}). "
            "Name a folder that others may enter with MANDANT_VAR, or start as an ordinary user."
        ) from None
    return place
