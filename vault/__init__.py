"""Bytes and keys: seal, open, wrap, blind-index terms. Knows a tenant only as the owner of key scopes.

Example::

    key = open_scope.seal_key(Category.MODULE)
    sealed = seal(key, Place("customers", "record"), record_id, 1, b"...")
    assert open_(key, Place("customers", "record"), record_id, 1, sealed) == b"..."
    # Any other scope, category, place, record or version: Unopenable.

Every stored byte is specified in FORMAT.md.
"""

from mandant.vault.category import Category
from mandant.vault.clock import Clock, MovingClock, SystemClock
from mandant.vault.envelope import DataKey, Place, generation_of, open_, seal
from mandant.vault.errors import Unopenable, VaultError
from mandant.vault.secret import Secret
from mandant.vault.stream import FileOpener, FileSealer

__all__ = [
    "Category",
    "Clock",
    "DataKey",
    "FileOpener",
    "FileSealer",
    "MovingClock",
    "Place",
    "Secret",
    "SystemClock",
    "Unopenable",
    "VaultError",
    "generation_of",
    "open_",
    "seal",
]
