"""The keys that sign checkpoints: one is in force for the installation, earlier ones are kept.

The seed is sealed under the installation's own scope; the public halves can be listed by anybody who may ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn, SupportsIndex

from nacl.signing import SigningKey
from nacl.utils import random
from uuid_utils.compat import uuid7

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.envelope import Place, generation_of, open_, seal
from mandant.vault.ledger.errors import SignerMissing
from mandant.vault.ledger.note import sign_note
from mandant.vault.open_scope import OpenScope

__all__ = ["PublicKey", "Signer", "Signers", "add_signer", "ensure_signer", "load_signers", "public_keys"]

PLACE = Place("ledger", "signer")
CATEGORY = Category.DIRECTORY  # the installation's scope seals its own secrets under this one


class Signer:
    """One Ed25519 key. `public`: 32 bytes. Never printed, pickled or copied."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = SigningKey(seed)
        self.public: bytes = self._key.verify_key.encode()

    def note(self, text: str, name: str) -> bytes:
        """The signed note."""
        return sign_note(text, name, self._key)

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message).signature

    def __repr__(self) -> str:
        return f"<signer {self.public.hex()[:8]}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a signer is neither pickled nor copied")


@dataclass(frozen=True, slots=True)
class Signers:
    """All keys by their public half. `newest` signs for logs that are opened from now on."""

    by_public: Mapping[bytes, Signer]
    newest: Signer

    def of(self, public: bytes) -> Signer:
        """Raises: SignerMissing."""
        try:
            return self.by_public[public]
        except KeyError:
            raise SignerMissing("the key in force for this log is not here: load the signers again") from None


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of one signer. `number`: 1 for the first, counted up."""

    number: int
    public: bytes
    at: datetime


async def ensure_signer(control: ControlDatabase, system: OpenScope, at: datetime) -> Signers:
    """All signers; the first one is made where there is none. `system`: the installation's scope."""
    async with control.transaction() as connection:
        await _lock(connection)
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM control.ledger_signer)"):
            await _insert(connection, system, at)
    return await load_signers(control, system)


async def add_signer(control: ControlDatabase, system: OpenScope, at: datetime) -> Signers:
    """A new signing key. It signs for a log once `hand_over` has made that an entry there."""
    async with control.transaction() as connection:
        await _lock(connection)
        await _insert(connection, system, at)
    return await load_signers(control, system)


async def load_signers(control: ControlDatabase, system: OpenScope) -> Signers:
    """All signers. Raises: SignerMissing when there is none, Unopenable."""
    async with control.transaction() as connection:
        rows = await connection.fetch(
            "SELECT s.signer_id, s.sealed FROM control.ledger_signer s ORDER BY s.number"
        )
    found = []
    for row in rows:
        key = system.open_key(CATEGORY, generation_of(row["sealed"]))
        found.append(Signer(open_(key, PLACE, row["signer_id"], 1, row["sealed"])))
    if not found:
        raise SignerMissing("no signing key was made yet: ensure_signer makes it")
    return Signers({one.public: one for one in found}, found[-1])


async def public_keys(control: ControlDatabase) -> list[PublicKey]:
    """The public halves, oldest first."""
    async with control.transaction() as connection:
        rows = await connection.fetch(
            "SELECT s.number, s.public_key, s.at FROM control.ledger_signer s ORDER BY s.number"
        )
    return [PublicKey(row["number"], row["public_key"], row["at"]) for row in rows]


async def _lock(connection: Any) -> None:
    await connection.execute("SELECT pg_advisory_xact_lock(4, 0)")


async def _insert(connection: Any, system: OpenScope, at: datetime) -> None:
    signer_id, seed = uuid7(), random(32)
    await connection.execute(
        "INSERT INTO control.ledger_signer (signer_id, number, public_key, sealed, at)"
        " SELECT $1, coalesce(max(s.number), 0) + 1, $2, $3, $4 FROM control.ledger_signer s",
        signer_id,
        Signer(seed).public,
        seal(system.seal_key(CATEGORY), PLACE, signer_id, 1, seed),
        at,
    )
