"""Passwords of the embedded server's roles: random, in one file that only its owner reads."""

import json
import os
import secrets
from pathlib import Path

from mandant.service.postgres.errors import DamagedData
from mandant.service.postgres.roles import LOGIN_ROLES

__all__ = ["SUPERUSER", "make_passwords", "read_passwords"]

SUPERUSER = "postgres"


def make_passwords(path: Path) -> dict[str, str]:
    """Makes and writes a password of 32 random bytes for the superuser and each role that signs in."""
    passwords = {role: secrets.token_urlsafe(32) for role in (SUPERUSER, *LOGIN_ROLES)}
    half = path.with_suffix(".half")
    half.unlink(missing_ok=True)
    with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(passwords, file)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    return passwords


def read_passwords(path: Path) -> dict[str, str]:
    """Raises DamagedData where the file is missing or is none of ours."""
    try:
        passwords = json.loads(path.read_text())
        return {role: str(passwords[role]) for role in (SUPERUSER, *LOGIN_ROLES)}
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{path.name}, the passwords of its roles, cannot be read ({type(error).__name__})"
        raise DamagedData(path.parent, what) from None
