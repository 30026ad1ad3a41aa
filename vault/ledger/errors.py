"""What the ledger refuses with."""

from mandant.vault.errors import VaultError

__all__ = ["Forked", "LedgerDamaged", "LedgerError", "LedgerMissing", "SignerMissing"]


class LedgerError(VaultError):
    """Base of the ledger's refusals."""


class LedgerMissing(LedgerError):
    """The owner has no log: open_ledger makes it."""


class LedgerDamaged(LedgerError):
    """Rows of the log are missing or contradict each other: nothing is appended to it, nothing signed."""


class Forked(LedgerError):
    """What is stored contradicts a checkpoint that was signed before. It is not signed."""


class SignerMissing(LedgerError):
    """The key that is in force for a log is not among the signers that were loaded."""
