"""Scopes made in memory, wrapped by a real provider: what control's rows would hold."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from secrets import token_bytes
from uuid import UUID, uuid4

from mandant.vault.category import Category
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.scope_key import wrap_scope_key
from mandant.vault.stored import ScopeKind, StoredCategoryKey, StoredScope
from mandant.vault.wrapping import Purpose, WrapContext, wrap

__all__ = ["Shelf", "category_key"]


class Shelf:
    """`load` for a keyring: counts, waits at a gate, fails on demand."""

    def __init__(self, provider: KeyProvider, key_ref: str) -> None:
        self.provider = provider
        self.key_ref = key_ref
        self.scopes: dict[UUID, StoredScope] = {}
        self.scope_keys: dict[UUID, bytes] = {}
        self.loads = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.error: Exception | None = None

    async def load(self, scope_id: UUID) -> StoredScope:
        self.loads += 1
        stored = self.scopes[scope_id]  # read, then wait: what comes back may be from before a change
        await self.gate.wait()
        if self.error is not None:
            raise self.error
        return stored

    async def add(self, kind: ScopeKind = ScopeKind.TENANT, byok: str | None = None) -> StoredScope:
        """A scope with a seal key and an index key for MODULE."""
        scope_id, scope_key = uuid4(), token_bytes(32)
        wrapped = await wrap_scope_key(
            self.provider,
            scope_key,
            scope_id=scope_id,
            kind=kind,
            generation=1,
            key_ref=self.key_ref,
            byok_key_ref=byok,
        )
        keys = tuple(
            category_key(scope_id, scope_key, Category.MODULE, purpose, 1)
            for purpose in (Purpose.SEAL, Purpose.INDEX)
        )
        stored = StoredScope(scope_id, uuid4(), kind, 5, 1, self.key_ref, wrapped, byok, keys)
        self.scopes[scope_id] = stored
        self.scope_keys[scope_id] = scope_key
        return stored

    def fact(self, scope_id: UUID) -> int:
        """Something happened to the owner: the next key state."""
        stored = self.scopes[scope_id]
        self.scopes[scope_id] = replace(stored, key_state=stored.key_state + 1)
        return stored.key_state + 1


def category_key(
    scope_id: UUID, scope_key: bytes, category: Category, purpose: Purpose, generation: int
) -> StoredCategoryKey:
    """A new key, wrapped under generation 1 of the scope key."""
    context = WrapContext(scope_id, category, purpose, generation, 1)
    return StoredCategoryKey(category, purpose, generation, wrap(scope_key, context, token_bytes(32)))
