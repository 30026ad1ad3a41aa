"""What a KMS refuses with, whichever provider asked. Messages carry no key material.

Only a KMS that does not answer may be bridged with keys that are already in memory; an answer never is.
"""

from __future__ import annotations

from typing import ClassVar

from mandant.vault.errors import VaultError

__all__ = [
    "KeyFileDamaged",
    "KeyFileExposed",
    "KeyFileOutdated",
    "KmsDenied",
    "KmsDisabled",
    "KmsError",
    "KmsGone",
    "KmsPendingDeletion",
    "KmsThrottled",
    "KmsTimeout",
    "KmsUnavailable",
    "KmsWrongContext",
]


class KmsError(VaultError):
    """Base of all; itself raised for a refusal that has no class of its own.

    `bridgeable`: whether keys in memory may serve on for a bounded time. `reason` goes into KeyDenied.
    `request_id`: the KMS's own id of the request, empty when it never answered.
    """

    bridgeable: ClassVar[bool] = False
    reason: ClassVar[str] = "refused"

    def __init__(self, message: str, request_id: str = "") -> None:
        super().__init__(message)
        self.request_id = request_id


class KmsDenied(KmsError):
    """The key's policy, or ours, does not allow it; or our credentials are not accepted."""

    reason = "denied"


class KmsDisabled(KmsError):
    """The key is disabled, or in another state in which it does not open anything."""

    reason = "disabled"


class KmsPendingDeletion(KmsError):
    """The key is to be deleted on a day to come."""

    reason = "pending_deletion"


class KmsGone(KmsError):
    """There is no such key (any more)."""

    reason = "gone"


class KmsWrongContext(KmsError):
    """The wrapped bytes were made under another key or another encryption context, or are damaged."""

    reason = "wrong_context"


class KmsTimeout(KmsError):
    """No connection, or no answer, within the bounded time."""

    bridgeable = True
    reason = "timeout"


class KmsThrottled(KmsError):
    """Too many requests, or a limit of the account reached."""

    bridgeable = True
    reason = "throttled"


class KmsUnavailable(KmsError):
    """The KMS failed, or its address does not answer."""

    bridgeable = True
    reason = "unavailable"


class KeyFileDamaged(VaultError):
    """The local provider's key file is not what was written: restore it from a backup."""


class KeyFileExposed(VaultError):
    """Others than its owner may read or write the local provider's key file."""


class KeyFileOutdated(VaultError):
    """The local provider's key file is an older copy: it would bring back keys that were forgotten."""
