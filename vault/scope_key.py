"""Wrap and unwrap a scope key: one KMS call, two with a tenant's own key (BYOK).

    key, tenant's KMS key wraps it, epoch's KMS key wraps the result   ->   stored in control

The encryption context names the scope, so wrapped bytes moved to another scope's row do not open.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from mandant.vault.errors import KeyShredded, Unopenable
from mandant.vault.kms.provider import KeyProvider
from mandant.vault.stored import ScopeKind, StoredScope

__all__ = ["encryption_context", "unwrap_scope_key", "wrap_scope_key"]


def encryption_context(scope_id: UUID, kind: ScopeKind, generation: int) -> dict[str, str]:
    """What a scope key is bound to at the KMS. Key policies in infra/ require the first name."""
    return {
        "mandant:scope": str(scope_id),
        "mandant:kind": kind.value,
        "mandant:generation": str(generation),
    }


async def wrap_scope_key(
    provider: KeyProvider,
    scope_key: bytes,
    *,
    scope_id: UUID,
    kind: ScopeKind,
    generation: int,
    key_ref: str,
    byok_key_ref: str | None = None,
) -> bytes:
    """`scope_key` (32 bytes) as StoredScope.wrapped holds it.

    Raises: KmsError (of the tenant's key or of the epoch's), NetworkInTransaction.
    """
    context = encryption_context(scope_id, kind, generation)
    wrapped = scope_key
    if byok_key_ref is not None:
        wrapped = (await provider.encrypt(byok_key_ref, wrapped, context)).value
    return (await provider.encrypt(key_ref, wrapped, context)).value


async def unwrap_scope_key(
    provider: KeyProvider, stored: StoredScope, called: Callable[[], None] = lambda: None
) -> bytes:
    """The scope key, 32 bytes. Must stay secret. `called` is called before each KMS call, to count it.

    Raises: KeyShredded, Unopenable, KmsError, NetworkInTransaction.
    """
    if stored.wrapped is None:
        raise KeyShredded("the scope's key was destroyed")
    context = encryption_context(stored.scope_id, stored.kind, stored.generation)
    called()
    unwrapped = (await provider.decrypt(stored.key_ref, stored.wrapped, context)).value
    if stored.byok_key_ref is not None:
        called()
        unwrapped = (await provider.decrypt(stored.byok_key_ref, unwrapped, context)).value
    if len(unwrapped) != 32:
        raise Unopenable("a scope key does not have 32 bytes")
    return unwrapped
