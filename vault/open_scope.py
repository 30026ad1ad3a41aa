"""The keys of one scope, unwrapped: what the tenant session and the record store seal and open with."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn, SupportsIndex
from uuid import UUID

from mandant.vault.category import Category
from mandant.vault.envelope import DataKey
from mandant.vault.errors import KeyDenied, KeyShredded, KeyUnavailable, VaultError
from mandant.vault.index_key import IndexKey
from mandant.vault.stored import ScopeKind, StoredCategoryKey, StoredScope
from mandant.vault.wrapping import Purpose, WrapContext, unwrap

__all__ = ["Lease", "OpenScope", "UnknownGeneration"]


class UnknownGeneration(VaultError):
    """No key of this generation was loaded: it was made since (reload the scope), or never."""


class Lease:
    """How long keys may be used: shared by all OpenScopes that one cache entry has handed out.

    `good_until` is in the keyring's monotonic seconds. It moves on when the KMS confirms the keys again and
    stops at once when the KMS denies them, also for whoever still holds an OpenScope.
    """

    __slots__ = ("_denied", "_monotonic", "good_until")

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._denied: str | None = None
        self.good_until = float("-inf")

    def deny(self, reason: str) -> None:
        """End it for good."""
        self._denied = reason

    def check(self) -> None:
        """Raises: KeyDenied once denied, KeyUnavailable once over."""
        if self._denied is not None:
            raise KeyDenied(self._denied)
        if self._monotonic() >= self.good_until:
            raise KeyUnavailable(1)


class OpenScope:
    """The category keys of one scope. Ask the keyring for it before each piece of work; do not keep it.

    Not a dataclass, and never pickled or copied: whoever walks a dataclass's fields would find keys.
    """

    __slots__ = (
        "_index",
        "_lease",
        "_newest_index",
        "_newest_seal",
        "_seal",
        "_shredded",
        "key_state",
        "kind",
        "owner",
        "scope_id",
    )

    def __init__(self, stored: StoredScope, scope_key: bytes, lease: Lease) -> None:
        """Unwraps every category key of `stored`. Raises: Unopenable."""
        self.scope_id: UUID = stored.scope_id
        self.owner: UUID = stored.owner
        self.kind: ScopeKind = stored.kind
        self.key_state: int = stored.key_state
        self._lease = lease
        # By category number, then generation: a list takes an enum's number, a dict would hash its name.
        self._seal: list[dict[int, DataKey]] = [{} for _ in range(max(Category) + 1)]
        self._newest_seal = [0] * (max(Category) + 1)
        self._index: dict[Category, tuple[IndexKey, ...]] = {}
        self._newest_index: dict[Category, int] = {}
        self._shredded: set[tuple[Purpose, Category, int]] = set()
        for item in sorted(stored.category_keys, key=lambda item: item.generation):
            if item.purpose is Purpose.SEAL:
                self._newest_seal[item.category] = item.generation
            else:
                self._newest_index[item.category] = item.generation
            if item.wrapped is None:
                self._shredded.add((item.purpose, item.category, item.generation))
            else:
                self._unwrap(item, item.wrapped, scope_key, stored.generation)

    def seal_key(self, category: Category) -> DataKey:
        """The key for new writes: the newest generation.

        Raises: KeyShredded when that one was destroyed (never an older one instead), UnknownGeneration when
        the scope has no such category, KeyDenied and KeyUnavailable when the keys have ended.
        """
        return self.open_key(category, self._newest_seal[category])

    def open_key(self, category: Category, generation: int) -> DataKey:
        """The key for reading what `generation` sealed. Raises: as seal_key."""
        self._lease.check()
        key = self._seal[category].get(generation)
        if key is None:
            self._refuse(Purpose.SEAL, category, generation)
        return key

    def index_key(self, category: Category) -> IndexKey:
        """The index key that new terms are made with: the newest generation. Raises: as seal_key."""
        return self.index_keys(category)[0]

    def index_keys(self, category: Category) -> tuple[IndexKey, ...]:
        """The living index keys, newest first: more than one while a reindex runs. Raises: as seal_key."""
        self._lease.check()
        found = self._index.get(category)
        if found is None:
            self._refuse(Purpose.INDEX, category, self._newest_index.get(category, 0))
        return found

    def _unwrap(
        self, item: StoredCategoryKey, wrapped: bytes, scope_key: bytes, scope_generation: int
    ) -> None:
        context = WrapContext(self.scope_id, item.category, item.purpose, item.generation, scope_generation)
        key = unwrap(scope_key, context, wrapped)
        if item.purpose is Purpose.SEAL:
            data_key = DataKey(self.scope_id, item.category, item.generation, key)
            self._seal[item.category][item.generation] = data_key
        else:
            older = self._index.get(item.category, ())
            self._index[item.category] = (IndexKey(item.generation, key), *older)

    def _refuse(self, purpose: Purpose, category: Category, generation: int) -> NoReturn:
        words = f"{category.name.lower()} {purpose.name.lower()} key of generation {generation}"
        if (purpose, category, generation) in self._shredded:
            raise KeyShredded(f"the {words} was destroyed")
        raise UnknownGeneration(f"no {words} is loaded")

    def __repr__(self) -> str:
        return f"<open {self.kind} scope {self.scope_id} at key state {self.key_state}>"

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("an open scope is neither pickled nor copied")
