"""Every column of sealed bytes beside records and files of modules: where it stands, what its context is.

Whoever goes through all sealed bytes (verify, re-encrypt) goes through this list. tests/tenants compares it
with the live catalog, so that a column added later is in it. The same as the table in vault/FORMAT.md.
"""

from dataclasses import dataclass

from mandant.vault.category import Category
from mandant.vault.envelope import Place
from mandant.vault.stored import ScopeKind

__all__ = ["PERSON_COLUMNS", "SEALED_COLUMNS", "TENANT_COLUMNS", "SealedColumn"]


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """One column. `id`: the column of the record id, a UUID or 16 bytes; `version`: its column, None for 1.

    `kind` and the row's owner name the scope.
    """

    table: str
    sealed: str
    id: str
    version: str | None
    place: Place
    kind: ScopeKind
    category: Category

    def __str__(self) -> str:
        return f"{self.table}.{self.sealed}"


TENANT_COLUMNS = (
    SealedColumn(
        "tenant",
        "sealed",
        "tenant_id",
        "version",
        Place("tenant", "record"),
        ScopeKind.OPERATOR,
        Category.REGISTRATION,
    ),
    SealedColumn(
        "membership",
        "sealed",
        "person_id",
        "version",
        Place("membership", "function"),
        ScopeKind.OPERATOR,
        Category.REGISTRATION,
    ),
    SealedColumn(
        "agreement",
        "sealed",
        "agreement_id",
        None,
        Place("agreement", "evidence"),
        ScopeKind.OPERATOR,
        Category.CONTRACT,
    ),
    SealedColumn(
        "invitation",
        "sealed",
        "invitation_id",
        None,
        Place("invitation", "invited"),
        ScopeKind.OPERATOR,
        Category.REGISTRATION,
    ),
    SealedColumn(
        "api_token",
        "sealed",
        "token_id",
        None,
        Place("api_token", "purpose"),
        ScopeKind.OPERATOR,
        Category.REGISTRATION,
    ),
    SealedColumn(
        "idempotency",
        "sealed",
        "key_term",
        None,
        Place("idempotency", "response"),
        ScopeKind.TENANT,
        Category.MODULE,
    ),
    SealedColumn(
        "import_run",
        "sealed",
        "import_id",
        "version",
        Place("imports", "facts"),
        ScopeKind.TENANT,
        Category.MODULE,
    ),
    SealedColumn(
        "import_refused",
        "sealed",
        "part_id",
        None,
        Place("imports", "refused"),
        ScopeKind.TENANT,
        Category.MODULE,
    ),
    SealedColumn(
        "import_key",
        "sealed",
        "tenant_id",
        None,
        Place("imports", "key"),
        ScopeKind.TENANT,
        Category.MODULE,
    ),
)

PERSON_COLUMNS = (
    SealedColumn(
        "person",
        "sealed",
        "person_id",
        "version",
        Place("person", "profile"),
        ScopeKind.PERSON,
        Category.REGISTRATION,
    ),
    SealedColumn(
        "person",
        "sealed_credentials",
        "person_id",
        "credential_version",
        Place("person", "credentials"),
        ScopeKind.PERSON,
        Category.REGISTRATION,
    ),
)

SEALED_COLUMNS = (*TENANT_COLUMNS, *PERSON_COLUMNS)
