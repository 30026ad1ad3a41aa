"""Files of a tenant: what they are, sealed; their bytes, sealed too, lie in the object store.

One row an object: `arriving` before its object, `stored`, and `leaving` until its object is gone. So every
object has a row, and what a crash left over is found by it. A file has one `stored` row; while it is
re-encrypted there is an arriving one beside it.
"""

from alembic import op

revision = "0005_files"
down_revision = "0004_jobs"

_STATEMENTS = (
    """
    CREATE TABLE mandant.file (
        tenant_id  uuid NOT NULL REFERENCES mandant.tenant,
        object_id  uuid NOT NULL,
        file_id    uuid NOT NULL,
        module     text NOT NULL,
        record_id  uuid,
        state      text NOT NULL CHECK (state IN ('arriving', 'stored', 'leaving')),
        version    integer NOT NULL CHECK (version > 0),
        generation integer NOT NULL CHECK (generation > 0),
        size       bigint NOT NULL CHECK (size >= 0),
        sealed     bytea NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, object_id)
    )
    """,
    "CREATE UNIQUE INDEX file_stored ON mandant.file (tenant_id, file_id) WHERE state = 'stored'",
    "CREATE INDEX file_listed ON mandant.file (tenant_id, module, file_id)",
    "CREATE INDEX file_record ON mandant.file (tenant_id, module, record_id) WHERE record_id IS NOT NULL",
    "CREATE INDEX file_unfinished ON mandant.file (updated_at, object_id) WHERE state <> 'stored'",
    "COMMENT ON TABLE mandant.file IS 'tenant: a file that was uploaded to a module; one row an object'",
    "COMMENT ON COLUMN mandant.file.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.file.object_id IS 'module: the name of the object, under the tenant'",
    "COMMENT ON COLUMN mandant.file.file_id IS 'module'",
    "COMMENT ON COLUMN mandant.file.module IS 'module'",
    "COMMENT ON COLUMN mandant.file.record_id IS 'module: the record that it belongs to, if any'",
    "COMMENT ON COLUMN mandant.file.state IS 'module'",
    "COMMENT ON COLUMN mandant.file.version IS 'module: how often the file was sealed'",
    "COMMENT ON COLUMN mandant.file.generation IS 'module: of the key that sealed row and object'",
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
    "GRANT UPDATE (state, size, updated_at) ON mandant.file TO mandant_app, mandant_worker",
    # The three below need no keys: an object goes also where its tenant has switched the keys off.
    # True when the object may be deleted: nothing stored needs it.
    """
    CREATE FUNCTION mandant.file_leave(p_tenant uuid, p_object uuid)
    RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        UPDATE mandant.file f SET state = 'leaving'
         WHERE f.tenant_id = p_tenant AND f.object_id = p_object AND f.state = 'arriving';
        RETURN NOT EXISTS (SELECT FROM mandant.file f WHERE f.tenant_id = p_tenant
                              AND f.object_id = p_object AND f.state = 'stored');
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.file_left(p_tenant uuid, p_object uuid)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        DELETE FROM mandant.file f
         WHERE f.tenant_id = p_tenant AND f.object_id = p_object AND f.state = 'leaving';
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.files_leaving(p_tenant uuid)
    RETURNS SETOF uuid LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        RETURN QUERY SELECT f.object_id FROM mandant.file f
                      WHERE f.tenant_id = p_tenant AND f.state = 'leaving' ORDER BY f.object_id;
    END
    $$
    """,
    # A record's files leave with it, in its own transaction and round trip.
    """
    CREATE OR REPLACE FUNCTION mandant.record_delete(
        p_tenant uuid, p_key_state bigint, p_module text, p_record uuid, p_version integer)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_version integer;
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, true);
        DELETE FROM mandant.record r
         WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = p_record
           AND (p_version IS NULL OR r.version = p_version);
        IF NOT FOUND THEN
            SELECT r.version INTO v_version FROM mandant.record r
             WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = p_record;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'no such record' USING ERRCODE = 'MR404';
            END IF;
            RAISE EXCEPTION 'stale version' USING ERRCODE = 'MR409', DETAIL = v_version::text;
        END IF;
        UPDATE mandant.file f SET state = 'leaving'
         WHERE f.tenant_id = p_tenant AND f.module = p_module AND f.record_id = p_record
           AND f.state <> 'leaving';
        IF FOUND THEN
            PERFORM queue_api.enqueue(p_tenant, 'remove_files', jsonb_build_object('job_id', p_record));
        END IF;
    END
    $$
    """,
    "GRANT EXECUTE ON FUNCTION mandant.file_leave, mandant.file_left, mandant.files_leaving"
    " TO mandant_app, mandant_worker",
    # The sweep goes through all tenants, and sees of each only which objects are unfinished.
    "GRANT SELECT (tenant_id, object_id, state, updated_at) ON mandant.file TO mandant_index",
    "CREATE POLICY unfinished ON mandant.file FOR SELECT TO mandant_index USING (state <> 'stored')",
    """
    CREATE FUNCTION mandant.files_unfinished(
        p_arriving_before timestamptz, p_after timestamptz, p_after_object uuid, p_limit integer)
    RETURNS TABLE (tenant_id uuid, object_id uuid, updated_at timestamptz) LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
        SELECT f.tenant_id, f.object_id, f.updated_at FROM mandant.file f
         WHERE f.state <> 'stored' AND (f.state = 'leaving' OR f.updated_at < p_arriving_before)
           AND (p_after IS NULL OR (f.updated_at, f.object_id) > (p_after, p_after_object))
         ORDER BY f.updated_at, f.object_id LIMIT p_limit
    $$
    """,
    "REVOKE ALL ON FUNCTION mandant.files_unfinished FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION mandant.files_unfinished TO mandant_worker",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA mandant TO mandant_index",
    "ALTER FUNCTION mandant.files_unfinished OWNER TO mandant_index",
    "REVOKE CREATE ON SCHEMA mandant FROM mandant_index",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
