"""What the vault refuses with. Messages never carry plaintext, key material or sealed bytes."""

from __future__ import annotations

__all__ = [
    "ControlUnavailable",
    "KeyDenied",
    "KeyFileMissing",
    "KeyShredded",
    "KeyUnavailable",
    "ScopeChanged",
    "ScopeMissing",
    "Unopenable",
    "VaultError",
]


class VaultError(Exception):
    """Base of everything that the vault raises on purpose."""


class Unopenable(VaultError):
    """Sealed bytes do not open: damaged, moved, or sealed under another key. Which, nobody is told."""


class KeyShredded(VaultError):
    """The key was destroyed on purpose; what it sealed is gone for good."""


class KeyDenied(VaultError):
    """The KMS refuses the key, and asking again will not help.

    `reason` is one of denied, disabled, pending_deletion, gone; wrong_context or refused where the wrapped
    bytes are not what the KMS made, which no tenant and no administrator does on purpose.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the KMS refuses this key: {reason}")
        self.reason = reason


class KeyUnavailable(VaultError):
    """The KMS does not answer in time. `retry_after` is in whole seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"the KMS is not available, try again in {retry_after} s")
        self.retry_after = retry_after


class ControlUnavailable(VaultError):
    """The control database does not answer; no key can be loaded."""


class KeyFileMissing(VaultError):
    """Wrapped keys exist, but the local provider's key file does not. A new one would open nothing."""


class ScopeMissing(VaultError):
    """No keys are stored for this scope: its owner does not exist."""


class ScopeChanged(VaultError):
    """Somebody else re-wrapped the scope between reading and changing it; nothing was changed."""
