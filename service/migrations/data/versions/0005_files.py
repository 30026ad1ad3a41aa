"""Files of a tenant: what they are, sealed; their bytes, sealed too, lie in the object store.

A row exists before its object and after it: `arriving` until the upload is complete, `leaving` from the
deletion until the object is gone. So every object has a row, and what a crash left over is found by it.
"""

from alembic import op

revision = "0005_files"
down_revision = "0004_jobs"

_STATEMENTS = (
    """
    CREATE TABLE mandant.file (
        tenant_id  uuid NOT NULL REFERENCES mandant.tenant,
        file_id    uuid NOT NULL,
        module     text NOT NULL,
        record_id  uuid,
        state      text NOT NULL CHECK (state IN ('arriving', 'stored', 'leaving')),
        version    integer NOT NULL CHECK (version > 0),
        size       bigint NOT NULL CHECK (size >= 0),
        sealed     bytea NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, file_id)
    )
    """,
    "CREATE INDEX file_record ON mandant.file (tenant_id, module, record_id)",
    "CREATE INDEX file_unfinished ON mandant.file (updated_at) WHERE state <> 'stored'",
    "COMMENT ON TABLE mandant.file IS 'tenant: a file that was uploaded to a module, or is imported from'",
    "COMMENT ON COLUMN mandant.file.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.file.file_id IS 'module: also the name of the object, under the tenant'",
    "COMMENT ON COLUMN mandant.file.module IS 'module'",
    "COMMENT ON COLUMN mandant.file.record_id IS 'module: the record that it belongs to, if any'",
    "COMMENT ON COLUMN mandant.file.state IS 'module'",
    "COMMENT ON COLUMN mandant.file.version IS 'module: of sealed'",
    "COMMENT ON COLUMN mandant.file.size IS 'module: bytes of the file, 0 while it arrives'",
    "COMMENT ON COLUMN mandant.file.sealed IS 'module: file name, media type'",
    "COMMENT ON COLUMN mandant.file.created_at IS 'module'",
    "COMMENT ON COLUMN mandant.file.updated_at IS 'module'",
    "ALTER TABLE mandant.file ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.file FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY tenant_isolation ON mandant.file FOR ALL TO mandant_app, mandant_worker
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
    """,
    "GRANT SELECT, INSERT, DELETE ON mandant.file TO mandant_app, mandant_worker",
    "GRANT UPDATE (state, version, size, sealed, updated_at) ON mandant.file TO mandant_app, mandant_worker",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
