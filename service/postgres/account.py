"""Whom PostgreSQL runs as: root becomes an unprivileged user that exists already, others stay themselves."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mandant.service.postgres.errors import NoAccount, WrongOwner

__all__ = ["Account", "name_of", "pick_account", "reaches"]

# initdb wants a user that the system knows by name: a number of our own would not do.
CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the system."""

    uid: int
    gid: int

    @property
    def is_another(self) -> bool:
        """Whether this process must change its user to become it."""
        return self.uid != os.geteuid()

    def popen(self) -> dict[str, Any]:
        """Keyword arguments that make subprocess start a program as this user."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_another else {}

    def give(self, path: Path) -> None:
        """Makes this user the owner of `path`."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)


def name_of(uid: int) -> str:
    """The user's name, or `user 1234` where the system has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def pick_account(data: Path) -> Account:
    """The owner of an existing data directory; else `postgres` or `nobody` for root, oneself for others.

    Raises:
        WrongOwner: the data directory belongs to somebody whom this process cannot become.
        NoAccount: root, and neither of the two users exists.
    """
    us = os.geteuid()
    owner = data.stat().st_uid if data.exists() else None
    if us != 0:
        if owner not in {None, us}:
            assert owner is not None  # noqa: S101 - for the type checker
            raise WrongOwner(data, name_of(owner), name_of(us))
        return Account(us, os.getegid())
    if owner == 0:
        raise WrongOwner(data, "root", "root, as whom PostgreSQL refuses to run")
    if owner is not None:
        return Account(owner, data.stat().st_gid)
    for name in CANDIDATES:
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(found.pw_uid, found.pw_gid)
    raise NoAccount(
        "PostgreSQL does not run as root, and this system has neither a user `postgres` nor `nobody`. "
        "Start as an ordinary user, or set MANDANT_DATABASE_URL and MANDANT_CONTROL_URL."
    )


def reaches(account: Account, path: Path) -> bool:
    """Whether the user may walk to `path`: every folder above it, links followed, lets them through."""
    if not account.is_another:
        return True
    return all(_may_enter(account, folder) for folder in path.resolve().parents)


def _may_enter(account: Account, folder: Path) -> bool:
    info = folder.stat()
    if info.st_uid == account.uid:
        return bool(info.st_mode & stat.S_IXUSR)
    if info.st_gid == account.gid:
        return bool(info.st_mode & stat.S_IXGRP)
    return bool(info.st_mode & stat.S_IXOTH)
