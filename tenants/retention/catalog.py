"""What the live database says: each column's data category, the first word of its comment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mandant.tenants.errors import TenantsError
from mandant.vault.category import Category

__all__ = ["Classified", "Unclassified", "check_classified", "classified_columns", "tables_of"]

# Queue, system and operator tables hold what the directory does: ids and keyed terms (vault/category.py).
_WORDS = {category.name.lower(): category for category in Category} | {
    "queue": Category.DIRECTORY,
    "operator": Category.DIRECTORY,
}


class Connection(Protocol):
    """A connection or a pool of asyncpg's."""

    async def fetch(self, query: str, *args: Any) -> Sequence[Any]: ...


class Unclassified(TenantsError):
    """Columns without a data category: nobody could say when what stands in them goes."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        first = self.names[0]
        super().__init__(
            f"no data category is declared for {', '.join(self.names)}. Say it in the migration that makes "
            f"it: COMMENT ON COLUMN {first} IS '<category>', one of {', '.join(_WORDS)}"
        )


@dataclass(frozen=True, slots=True)
class Classified:
    """One column. `category` is None where its comment names none."""

    table: str
    column: str
    category: Category | None

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"


async def classified_columns(connection: Connection) -> list[Classified]:
    """Every column of every table of ours, by table and position. Any role may ask. Raises: asyncpg's."""
    return [
        Classified(row["table"], row["column"], _WORDS.get((row["said"] or "").partition(":")[0].strip()))
        for row in await connection.fetch(_COLUMNS)
    ]


async def check_classified(connection: Connection) -> None:
    """Whether every column names its category; asked before anything is served. Raises: Unclassified."""
    names = [str(column) for column in await classified_columns(connection) if column.category is None]
    if names:
        raise Unclassified(names)


async def tables_of(connection: Connection) -> list[str]:
    """The names of our tables in a database, in order."""
    return [
        row["table"]
        for row in await connection.fetch(f"SELECT DISTINCT t.name AS table FROM {_TABLES} ORDER BY 1")
    ]


# Ours is what mandant_owner owns, and whatever stands in a schema of its. Tables of an extension or of
# somebody who shares the server with us are not.
_TABLES = """
(SELECT c.oid, n.nspname || '.' || c.relname AS name
   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
   JOIN pg_roles o ON o.rolname = 'mandant_owner' AND o.oid IN (c.relowner, n.nspowner)
  WHERE c.relkind IN ('r', 'p', 'm', 'f') AND n.nspname !~ '^pg_'
    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid
                       AND d.deptype = 'e')) AS t
"""

_COLUMNS = f"""
SELECT t.name AS table, a.attname AS column, col_description(a.attrelid, a.attnum) AS said
  FROM {_TABLES} JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
 ORDER BY t.name, a.attnum
"""
