"""What the live catalog says about tables, so that a table added later is in every test that asks here."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

KINDS = ("tenant", "person", "directory", "queue", "operator")
SCHEMAS_OF_OTHERS = ("pg_catalog", "information_schema", "pg_toast")


@dataclass(frozen=True)
class Column:
    """One column: its type, its data category (the comment's first word) and the checks that name it."""

    name: str
    type: str
    comment: str | None
    generated: bool
    checks: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """One table. `kind` is the first word of its comment: whose data it holds."""

    name: str
    kind: str | None
    forced: bool
    columns: tuple[Column, ...]

    def __str__(self) -> str:
        return self.name


async def tables(connection: Connection) -> list[Table]:
    """Every table of the database but PostgreSQL's own."""
    found = []
    for row in await connection.fetch(
        """
        SELECT c.oid, format('%I.%I', n.nspname, c.relname) AS name, obj_description(c.oid, 'pg_class') AS comment,
               c.relrowsecurity AND c.relforcerowsecurity AS forced
          FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p') AND n.nspname <> ALL ($1) ORDER BY 2
        """,
        list(SCHEMAS_OF_OTHERS),
    ):
        columns = await connection.fetch(
            """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod) AS type, col_description(a.attrelid, a.attnum),
                   a.attgenerated <> '' OR a.attidentity <> '' AS generated,
                   array(SELECT pg_get_constraintdef(k.oid) FROM pg_constraint k
                          WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND a.attnum = ANY (k.conkey)) AS checks
              FROM pg_attribute a WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
            """,
            row["oid"],
        )
        kind = (row["comment"] or "").partition(":")[0]
        found.append(
            Table(
                row["name"],
                kind if kind in KINDS else None,
                row["forced"],
                tuple(Column(c[0], c[1], c[2], c[3], tuple(c[4])) for c in columns),
            )
        )
    return found


def value_for(column: Column, tenant_id: UUID) -> Any:
    """A value that the column's type and checks take."""
    if column.name == "tenant_id":
        return tenant_id
    checks = " ".join(column.checks)
    match column.type:
        case "uuid":
            return uuid4()
        case "text":
            words = re.findall(r"(?:ARRAY\[|= )'([^']+)'::text", checks)
            return words[0] if words else f"x{uuid4().hex}"
        case "bytea":
            sizes = re.findall(r"octet_length\([^)]*\) = (\d+)", checks)
            return uuid4().bytes * 4 if not sizes else (uuid4().bytes * 8)[: int(sizes[0])]
        case "smallint" | "integer" | "bigint":
            bounds = re.findall(r">= (\d+)", checks)
            return int(bounds[0]) if bounds else 1
        case "double precision":
            return 1.0
        case "boolean":
            return False
        case "bigint[]" | "integer[]":
            return [1, 2]
        case "timestamp with time zone":
            return datetime(2026, 3, 1, tzinfo=UTC)
        case "jsonb":
            return "{}"
        case "date":
            return datetime(2026, 3, 1, tzinfo=UTC).date()
    raise NotImplementedError(f"teach value_for the type {column.type}")


async def fill(connection: Connection, table: Table, tenant_id: UUID) -> None:
    """One row for the tenant, as superuser and without foreign keys: here only whose it is matters."""
    columns = [column for column in table.columns if not column.generated]
    names = ", ".join(f'"{column.name}"' for column in columns)
    marks = ", ".join(f"${i}" for i in range(1, len(columns) + 1))
    async with connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(
            f"INSERT INTO {table.name} ({names}) VALUES ({marks}) ON CONFLICT DO NOTHING",
            *(value_for(column, tenant_id) for column in columns),
        )


async def rows_of(connection: Connection, table: Table, tenant_id: UUID) -> list[str]:
    """The tenant's rows of a table, as text, in order; ask as superuser."""
    rows = await connection.fetch(
        f"SELECT t::text AS row FROM {table.name} t WHERE tenant_id = $1 ORDER BY 1", tenant_id
    )
    return [row["row"] for row in rows]
