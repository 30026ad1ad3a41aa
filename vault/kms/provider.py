"""What the vault needs of a KMS: wrap and unwrap a scope key, and keep the keys of the epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

__all__ = ["Answer", "KeyProvider", "KmsKeyState"]


class KmsKeyState(StrEnum):
    """The state of one KMS key; only `enabled` wraps and unwraps."""

    ENABLED = "enabled"  # after create_key
    DISABLED = "disabled"  # after disable_key
    PENDING_DELETION = "pending_deletion"  # after schedule_deletion; there is no way back
    GONE = "gone"  # on the day that schedule_deletion named


@dataclass(frozen=True, slots=True)
class Answer:
    """What encrypt and decrypt return.

    `value`: the wrapped bytes, or the unwrapped key, which must stay secret (repr leaves it out).
    `request_id`: the KMS's own id of the request, to be found again in its log.
    """

    value: bytes = field(repr=False)
    request_id: str


class KeyProvider(Protocol):
    """A KMS. Every method raises a KmsError of mandant.vault.kms.errors, and NetworkInTransaction.

    `key_ref` is whatever `create_key` returned, or a tenant's own key in the provider's notation (for
    aws: an ARN, also of another account or region). Plaintext: 1 to 4096 bytes. The encryption context
    is bound into the wrapped bytes: decrypt needs the same one, and the same key_ref.
    """

    @property
    def name(self) -> str:
        """`local` or `aws`."""
        ...

    async def encrypt(self, key_ref: str, plaintext: bytes, context: Mapping[str, str]) -> Answer:
        """`plaintext` wrapped by the KMS key."""
        ...

    async def decrypt(self, key_ref: str, wrapped: bytes, context: Mapping[str, str]) -> Answer:
        """The plaintext. Raises: KmsWrongContext for another key or context."""
        ...

    async def create_key(self, tags: Mapping[str, str], description: str) -> str:
        """The key_ref of the key that has all of `tags`, made now if there is none.

        Calling it again after a crash finds the key that the first call made.
        """
        ...

    async def find_key(self, tags: Mapping[str, str]) -> str | None:
        """The key_ref of a key that has all of `tags`, whatever its state but gone; None without one."""
        ...

    async def describe_key(self, key_ref: str) -> KmsKeyState:
        """The key's state. A key that does not exist is `gone`."""
        ...

    async def disable_key(self, key_ref: str) -> None:
        """From now on the key wraps and unwraps nothing. Doing it twice does no harm."""
        ...

    async def schedule_deletion(self, key_ref: str, days: int) -> None:
        """The key is gone in `days` (7 to 30). A day once named is not moved by a second call."""
        ...

    async def close(self) -> None:
        """Let go of threads and connections."""
        ...
