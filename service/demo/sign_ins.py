"""The demo's generated passwords and how far its loading is: one file that only its owner reads."""

import json
import os
import secrets
from pathlib import Path

import msgspec

__all__ = ["CompanySignIns", "SignIns", "new_password"]

# Without letters and digits that look alike: people type these.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class CompanySignIns(msgspec.Struct, kw_only=True):
    """One company's secrets and what has been done for it."""

    owner_password: str
    member_password: str
    tenant_id: str | None = None
    token: str | None = None
    invited: bool = False
    member_joined: bool = False
    imported: list[str] = msgspec.field(default_factory=list)

    def start_again(self, tenant_id: str) -> None:
        """A tenant was registered anew: nothing has been done for it."""
        self.tenant_id, self.token = tenant_id, None
        self.invited = self.member_joined = False
        self.imported = []


class SignIns:
    """The file, read once and written after each change."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._companies: dict[str, CompanySignIns] = {}
        if path.exists():
            self._companies = msgspec.json.decode(path.read_bytes(), type=dict[str, CompanySignIns])

    def of(self, key: str) -> CompanySignIns:
        """A company's; generated and written where there are none yet."""
        if key not in self._companies:
            self._companies[key] = CompanySignIns(
                owner_password=new_password(), member_password=new_password()
            )
            self.save()
        return self._companies[key]

    def save(self) -> None:
        """Whole or not at all, 0600."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        half = self._path.with_suffix(".half")
        half.unlink(missing_ok=True)
        with os.fdopen(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(json.dumps(msgspec.to_builtins(self._companies), indent=1).encode())
        half.rename(self._path)


def new_password() -> str:
    """79 bits in four groups, such as kx7m-..."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4))
