"""Key scopes: whose keys they are, and which data categories each kind of scope seals.

A scope's id follows from its owner and kind, so nobody has to look it up before keys can be opened.
"""

from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from mandant.vault.category import Category
from mandant.vault.stored import ScopeKind

CATEGORIES: dict[ScopeKind, tuple[Category, ...]] = {
    ScopeKind.TENANT: (Category.MODULE, Category.BANK),
    ScopeKind.OPERATOR: (
        Category.REGISTRATION,
        Category.CONTRACT,
        Category.TECHNICAL,
        Category.BANK_LOG,
        Category.COMMUNICATION,
        Category.BEHAVIOUR,
        Category.NEWSLETTER,
        Category.ACCOUNTABILITY,
    ),
    ScopeKind.PERSON: (Category.REGISTRATION,),
    ScopeKind.SYSTEM: (Category.DIRECTORY, Category.SERVER_LOG),
}

SYSTEM = UUID(int=0)
"""The owner of the installation's own scope."""


@lru_cache(1 << 16)  # asked for at every statement
def scope_id(owner: UUID, kind: ScopeKind) -> UUID:
    """The id of an owner's scope: 16 bytes of BLAKE2b over owner and kind."""
    return UUID(
        bytes=blake2b(owner.bytes + kind.value.encode(), digest_size=16, person=b"mandant/scope/1").digest()
    )
