"""Imports: how far each is, what it refused, and by what a row is known that was imported before.

What an import did and how far it got change in one transaction with the records, so a crash at any point
leaves both or neither.
"""

from alembic import op

revision = "0007_imports"
down_revision = "0006_edge"

_ROLES = "mandant_app, mandant_worker"
_TABLES = ("import_run", "import_row", "import_refused", "import_key")

_RUN = (
    """
    CREATE TABLE mandant.import_run (
        tenant_id  uuid NOT NULL REFERENCES mandant.tenant,
        import_id  uuid NOT NULL,
        module     text NOT NULL,
        file_id    uuid NOT NULL,
        state      text NOT NULL CHECK (state IN ('uploaded', 'running', 'done', 'failed', 'cancelled')),
        version    integer NOT NULL CHECK (version > 0),
        sealed     bytea NOT NULL,
        size       bigint NOT NULL CHECK (size >= 0),
        bytes_read bigint NOT NULL CHECK (bytes_read >= 0),
        position   bigint NOT NULL CHECK (position >= 0),
        created    bigint NOT NULL CHECK (created >= 0),
        present    bigint NOT NULL CHECK (present >= 0),
        refused    bigint NOT NULL CHECK (refused >= 0),
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        started_at timestamptz,
        ended_at   timestamptz,
        PRIMARY KEY (tenant_id, import_id)
    )
    """,
    "CREATE INDEX import_run_module ON mandant.import_run (tenant_id, module, import_id)",
    "CREATE INDEX import_run_over ON mandant.import_run (updated_at) WHERE state <> 'running'",
    "COMMENT ON TABLE mandant.import_run IS 'tenant: an import of a file into a module'",
    "COMMENT ON COLUMN mandant.import_run.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.import_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.module IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.file_id IS 'module: the file that is read'",
    "COMMENT ON COLUMN mandant.import_run.state IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.version IS 'module: of sealed'",
    "COMMENT ON COLUMN mandant.import_run.sealed IS 'module: file name, format, mapping, why it failed'",
    "COMMENT ON COLUMN mandant.import_run.size IS 'module: bytes of the file'",
    "COMMENT ON COLUMN mandant.import_run.bytes_read IS 'module: of these, read'",
    "COMMENT ON COLUMN mandant.import_run.position IS 'module: rows that are dealt with'",
    "COMMENT ON COLUMN mandant.import_run.created IS 'module: of these, records made'",
    "COMMENT ON COLUMN mandant.import_run.present IS 'module: of these, there already'",
    "COMMENT ON COLUMN mandant.import_run.refused IS 'module: of these, refused'",
    "COMMENT ON COLUMN mandant.import_run.created_at IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.updated_at IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.started_at IS 'module'",
    "COMMENT ON COLUMN mandant.import_run.ended_at IS 'module'",
)

_ROW = (
    # Deleted with its record: imported again, the row then makes a record again.
    """
    CREATE TABLE mandant.import_row (
        tenant_id uuid NOT NULL,
        module    text NOT NULL,
        term      bytea NOT NULL CHECK (octet_length(term) = 16),
        record_id uuid NOT NULL,
        PRIMARY KEY (tenant_id, module, term),
        FOREIGN KEY (tenant_id, module, record_id)
            REFERENCES mandant.record (tenant_id, module, record_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX import_row_record ON mandant.import_row (tenant_id, module, record_id)",
    "COMMENT ON TABLE mandant.import_row IS 'tenant: by what a row that was imported is known again'",
    "COMMENT ON COLUMN mandant.import_row.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_row.module IS 'module'",
    "COMMENT ON COLUMN mandant.import_row.term IS 'module: keyed BLAKE2b of the row, 16 bytes'",
    "COMMENT ON COLUMN mandant.import_row.record_id IS 'module'",
)

_REFUSED = (
    """
    CREATE TABLE mandant.import_refused (
        tenant_id uuid NOT NULL,
        part_id   uuid NOT NULL,
        import_id uuid NOT NULL,
        position  bigint NOT NULL CHECK (position >= 0),
        sealed    bytea NOT NULL,
        PRIMARY KEY (tenant_id, part_id),
        FOREIGN KEY (tenant_id, import_id)
            REFERENCES mandant.import_run (tenant_id, import_id) ON DELETE CASCADE
    )
    """,
    "ALTER TABLE mandant.import_refused ALTER COLUMN sealed SET STORAGE EXTERNAL",
    "CREATE INDEX import_refused_run ON mandant.import_refused (tenant_id, import_id, position)",
    "COMMENT ON TABLE mandant.import_refused IS 'tenant: the report on refused rows, in parts'",
    "COMMENT ON COLUMN mandant.import_refused.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_refused.part_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_refused.import_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_refused.position IS 'module: rows of the file before this part'",
    "COMMENT ON COLUMN mandant.import_refused.sealed IS 'module: lines of CSV'",
)

_KEY = (
    # Not the index key, which a reindex replaces: rows have to be known again for as long as there are
    # records, and what was in the file is not kept. Sealed, it follows every rotation of the seal key.
    """
    CREATE TABLE mandant.import_key (
        tenant_id uuid PRIMARY KEY REFERENCES mandant.tenant,
        sealed    bytea NOT NULL
    )
    """,
    "COMMENT ON TABLE mandant.import_key IS 'tenant: the key of import_row.term'",
    "COMMENT ON COLUMN mandant.import_key.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.import_key.sealed IS 'module: 32 random bytes'",
)

_ACCESS = (
    f"GRANT SELECT, INSERT, DELETE ON mandant.import_run, mandant.import_row, mandant.import_refused TO {_ROLES}",
    "GRANT UPDATE (state, version, sealed, bytes_read, position, created, present, refused, updated_at,"
    f" started_at, ended_at) ON mandant.import_run TO {_ROLES}",
    f"GRANT UPDATE (sealed) ON mandant.import_refused, mandant.import_key TO {_ROLES}",
    f"GRANT SELECT, INSERT ON mandant.import_key TO {_ROLES}",
    # The timer goes through all tenants, and sees of each only which imports are over.
    "GRANT SELECT (tenant_id, import_id, state, updated_at) ON mandant.import_run TO mandant_index",
    "CREATE POLICY over ON mandant.import_run FOR SELECT TO mandant_index USING (state <> 'running')",
    """
    CREATE FUNCTION mandant.imports_over(p_before timestamptz, p_limit integer)
    RETURNS TABLE (tenant_id uuid, import_id uuid) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
        SELECT r.tenant_id, r.import_id FROM mandant.import_run r
         WHERE r.state <> 'running' AND r.updated_at < p_before ORDER BY r.updated_at LIMIT p_limit
    $$
    """,
    # Needs no keys: what is over goes also where the tenant has switched them off.
    """
    CREATE FUNCTION mandant.import_forget(p_tenant uuid, p_import uuid, p_before timestamptz)
    RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_file uuid;
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        DELETE FROM mandant.import_run r
         WHERE r.tenant_id = p_tenant AND r.import_id = p_import AND r.state <> 'running'
           AND r.updated_at < p_before
        RETURNING r.file_id INTO v_file;
        IF NOT FOUND THEN
            RETURN false;
        END IF;
        UPDATE mandant.file f SET state = 'leaving'
         WHERE f.tenant_id = p_tenant AND f.file_id = v_file AND f.state <> 'leaving';
        RETURN true;
    END
    $$
    """,
    "REVOKE ALL ON FUNCTION mandant.imports_over, mandant.import_forget FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION mandant.imports_over, mandant.import_forget TO mandant_worker",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA mandant TO mandant_index",
    "ALTER FUNCTION mandant.imports_over OWNER TO mandant_index",
    "REVOKE CREATE ON SCHEMA mandant FROM mandant_index",
)


def _isolation(table: str) -> tuple[str, ...]:
    return (
        f"ALTER TABLE mandant.{table} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE mandant.{table} FORCE ROW LEVEL SECURITY",
        f"""
        CREATE POLICY tenant_isolation ON mandant.{table} FOR ALL TO {_ROLES}
            USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
            WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        """,
    )


def upgrade() -> None:
    for statement in (*_RUN, *_ROW, *_REFUSED, *_KEY, *(s for t in _TABLES for s in _isolation(t)), *_ACCESS):
        op.execute(statement)
