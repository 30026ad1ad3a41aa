"""Data categories: what every key is derived for and every column is declared with.

Each category ends on a day of its own (C5.1 to C5.7, C4.5, C16.2), so each has keys of its own:
destroying a category is destroying its key. The numbers are stored in wraps and bound into every
sealed byte (vault/FORMAT.md): they never change and are never given to another category.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["Category"]


class Category(IntEnum):
    """One byte in every derivation. A number once used is never used again."""

    MODULE = 1  # Moduldaten, C5.4
    BANK = 2  # Bankdaten, C5.5
    REGISTRATION = 3  # Benutzer- und Unternehmensdaten, C5.3
    CONTRACT = 4  # Vertragsdaten, C5.1
    TECHNICAL = 5  # Technologiedaten, C5.2
    BANK_LOG = 6  # bank interface log, C5.5
    COMMUNICATION = 7  # Kommunikations- und Supportdaten, C5.6
    BEHAVIOUR = 8  # Präferenz- und Verhaltensdaten, C5.7
    NEWSLETTER = 9  # C4.5
    SERVER_LOG = 10  # C16.2
    ACCOUNTABILITY = 11  # the ledger of accesses, kept ten years after the purge
    DIRECTORY = 12  # directory, queue, system: keyed terms, never a person's data in the clear
