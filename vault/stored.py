"""A key scope as the control database holds it: references and wrapped bytes, nothing that opens anything."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from mandant.vault.category import Category
from mandant.vault.wrapping import Purpose

__all__ = ["ScopeKind", "StoredCategoryKey", "StoredScope"]


class ScopeKind(StrEnum):
    """Whose data a scope's keys seal. Part of the KMS's encryption context: the words never change."""

    TENANT = "tenant"
    OPERATOR = "operator"
    PERSON = "person"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class StoredCategoryKey:
    """One category key. `wrapped`: 105 bytes (vault/FORMAT.md), None once shredded."""

    category: Category
    purpose: Purpose
    generation: int
    wrapped: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class StoredScope:
    """One scope and its living generation.

    `wrapped`: the scope key, wrapped by the epoch's KMS key `key_ref`; None once shredded. With
    `byok_key_ref` the tenant's own KMS key wrapped it first. `owner`: the tenant, person or installation.
    `key_state`: number of the owner's last fact in control when this was read.
    """

    scope_id: UUID
    owner: UUID
    kind: ScopeKind
    key_state: int
    generation: int
    key_ref: str
    wrapped: bytes | None = field(repr=False)
    byok_key_ref: str | None = None
    category_keys: tuple[StoredCategoryKey, ...] = ()
