"""Plain tables for the peers, in the same database: no row-level security, no function, no key state."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

__all__ = ["COLUMNS", "CREATE", "CUSTOMER_COLUMNS", "SELECT_ONE", "Row"]

# The columns and the key of mandant.record, without what only sealing needs.
CREATE = """
CREATE SCHEMA plain;
CREATE TABLE plain.record (
    tenant_id uuid NOT NULL, module text NOT NULL, record_id uuid NOT NULL, version integer NOT NULL,
    content bytea NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, module, record_id));
ALTER TABLE plain.record ALTER COLUMN content SET STORAGE EXTERNAL;
CREATE TABLE plain.bulk (LIKE plain.record INCLUDING ALL);
CREATE TABLE plain.customer (
    tenant_id uuid NOT NULL, record_id uuid NOT NULL, version integer NOT NULL, email text NOT NULL,
    content bytea NOT NULL, created_at timestamptz NOT NULL, updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, record_id));
GRANT USAGE ON SCHEMA plain TO mandant_app;
GRANT ALL ON ALL TABLES IN SCHEMA plain TO mandant_app;
"""

Row = tuple[UUID, str, UUID, int, bytes, datetime, datetime]
COLUMNS = ("tenant_id", "module", "record_id", "version", "content", "created_at", "updated_at")
CUSTOMER_COLUMNS = ("tenant_id", "record_id", "version", "email", "content", "created_at", "updated_at")

SELECT_ONE = (
    "SELECT version, content, created_at, updated_at FROM plain.record"
    " WHERE tenant_id = $1 AND module = $2 AND record_id = $3"
)
