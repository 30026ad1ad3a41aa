"""Sealed records, their blind-index terms, and one function a statement shape.

Each function enters the tenant and does its work in one round trip. Error codes beside those of
0001_ground: MR404 no such record, MR409 stale version (the detail is the present one), MR410 not
unique (the detail is the field).
"""

from alembic import op

revision = "0002_records"
down_revision = "0001_ground"

_STATEMENTS = (
    """
    CREATE TABLE mandant.record (
        tenant_id        uuid NOT NULL REFERENCES mandant.tenant,
        module           text NOT NULL,
        record_id        uuid NOT NULL,
        version          integer NOT NULL CHECK (version > 0),
        generation       integer NOT NULL CHECK (generation > 0),
        index_generation integer NOT NULL CHECK (index_generation > 0),
        terms            bigint[] NOT NULL,
        sealed           bytea NOT NULL,
        created_at       timestamptz NOT NULL,
        updated_at       timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, module, record_id)
    )
    """,
    # Ciphertext does not compress: do not try.
    "ALTER TABLE mandant.record ALTER COLUMN sealed SET STORAGE EXTERNAL",
    # A plan must hold for the largest tenant: by the mean of thousands of small ones, the planner would read
    # all records of a tenant instead of asking the index of terms (measured: 1,340 us instead of 64).
    "ALTER TABLE mandant.record ALTER COLUMN tenant_id SET (n_distinct = 1)",
    # No pending list: look-ups would depend on when it was last flushed.
    "CREATE INDEX record_terms ON mandant.record USING gin (terms) WITH (fastupdate = off)",
    """
    CREATE TABLE mandant.unique_term (
        tenant_id uuid NOT NULL,
        module    text NOT NULL,
        field     text NOT NULL,
        term      bytea NOT NULL CHECK (octet_length(term) = 16),
        index_generation integer NOT NULL,
        record_id uuid NOT NULL,
        PRIMARY KEY (tenant_id, module, field, term),
        FOREIGN KEY (tenant_id, module, record_id)
            REFERENCES mandant.record (tenant_id, module, record_id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX unique_term_record ON mandant.unique_term (tenant_id, module, record_id)",
    "COMMENT ON TABLE mandant.record IS 'tenant: one sealed record of a module'",
    "COMMENT ON COLUMN mandant.record.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.record.module IS 'module'",
    "COMMENT ON COLUMN mandant.record.record_id IS 'module'",
    "COMMENT ON COLUMN mandant.record.version IS 'module'",
    "COMMENT ON COLUMN mandant.record.generation IS 'module: of the key that sealed it'",
    "COMMENT ON COLUMN mandant.record.index_generation IS 'module: of the key that made the terms'",
    "COMMENT ON COLUMN mandant.record.terms IS 'module: blind-index terms, 64 bits each'",
    "COMMENT ON COLUMN mandant.record.sealed IS 'module'",
    "COMMENT ON COLUMN mandant.record.created_at IS 'module'",
    "COMMENT ON COLUMN mandant.record.updated_at IS 'module'",
    "COMMENT ON TABLE mandant.unique_term IS 'tenant: what may stand once in a tenant''s module'",
    "COMMENT ON COLUMN mandant.unique_term.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.unique_term.module IS 'module'",
    "COMMENT ON COLUMN mandant.unique_term.field IS 'module'",
    "COMMENT ON COLUMN mandant.unique_term.term IS 'module: blind-index term, 16 bytes'",
    "COMMENT ON COLUMN mandant.unique_term.index_generation IS 'module: of the key that made the term'",
    "COMMENT ON COLUMN mandant.unique_term.record_id IS 'module'",
    "ALTER TABLE mandant.record ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.record FORCE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.unique_term ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.unique_term FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY tenant_isolation ON mandant.record FOR ALL TO mandant_app, mandant_worker
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
    """,
    """
    CREATE POLICY tenant_isolation ON mandant.unique_term FOR ALL TO mandant_app, mandant_worker
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
    """,
    "GRANT SELECT, INSERT, DELETE ON mandant.record TO mandant_app, mandant_worker",
    "GRANT UPDATE (version, generation, index_generation, terms, sealed, updated_at) ON mandant.record"
    " TO mandant_app, mandant_worker",
    "GRANT SELECT, INSERT, DELETE ON mandant.unique_term TO mandant_app, mandant_worker",
    # The look-up by term runs as a role that sees terms and ids only and has no row policy to wait for:
    # array operators are not leakproof, so under a policy PostgreSQL would not use the index for them.
    "GRANT SELECT (tenant_id, module, record_id, terms) ON mandant.record TO mandant_index",
    "CREATE POLICY index_lookup ON mandant.record FOR SELECT TO mandant_index USING (true)",
    """
    CREATE FUNCTION mandant.find_terms(p_tenant uuid, p_module text, p_terms bigint[])
    RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF nullif(current_setting('mandant.tenant', true), '')::uuid IS DISTINCT FROM p_tenant THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MT002';
        END IF;
        RETURN QUERY SELECT r.record_id FROM mandant.record r
                      WHERE r.terms @> p_terms AND r.tenant_id = p_tenant AND r.module = p_module;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_get(p_tenant uuid, p_key_state bigint, p_module text, p_record uuid)
    RETURNS TABLE (version integer, sealed bytea, created_at timestamptz, updated_at timestamptz)
    LANGUAGE plpgsql VOLATILE ROWS 1 AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        RETURN QUERY SELECT r.version, r.sealed, r.created_at, r.updated_at FROM mandant.record r
                      WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = p_record;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_page(
        p_tenant uuid, p_key_state bigint, p_module text, p_before uuid, p_limit integer)
    RETURNS TABLE (record_id uuid, version integer, sealed bytea, created_at timestamptz, updated_at timestamptz)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        RETURN QUERY SELECT r.record_id, r.version, r.sealed, r.created_at, r.updated_at FROM mandant.record r
                      WHERE r.tenant_id = p_tenant AND r.module = p_module
                        AND r.record_id < coalesce(p_before, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                      ORDER BY r.record_id DESC LIMIT p_limit;
    END
    $$
    """,
    # An array as a parameter makes PostgreSQL plan anew at each call, which takes as long as the search.
    """
    CREATE FUNCTION mandant.record_search(
        p_tenant uuid, p_key_state bigint, p_module text, p_terms bigint[], p_before uuid, p_limit integer)
    RETURNS TABLE (record_id uuid, version integer, sealed bytea, created_at timestamptz, updated_at timestamptz)
    LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        RETURN QUERY SELECT r.record_id, r.version, r.sealed, r.created_at, r.updated_at FROM mandant.record r
                      WHERE r.tenant_id = p_tenant AND r.module = p_module
                        AND r.record_id = ANY (ARRAY(
                            SELECT f FROM mandant.find_terms(p_tenant, p_module, p_terms) f
                             WHERE f < coalesce(p_before, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                             ORDER BY f DESC LIMIT p_limit))
                      ORDER BY r.record_id DESC;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_count(p_tenant uuid, p_key_state bigint, p_module text)
    RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        RETURN (SELECT count(*) FROM mandant.record r WHERE r.tenant_id = p_tenant AND r.module = p_module);
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.claim_unique(
        p_tenant uuid, p_module text, p_record uuid, p_fields text[], p_terms bytea[], p_generations integer[])
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        i integer;
    BEGIN
        FOR i IN 1 .. coalesce(cardinality(p_fields), 0) LOOP
            BEGIN
                INSERT INTO mandant.unique_term (tenant_id, module, field, term, index_generation, record_id)
                VALUES (p_tenant, p_module, p_fields[i], p_terms[i], p_generations[i], p_record);
            EXCEPTION WHEN unique_violation THEN
                RAISE EXCEPTION 'not unique' USING ERRCODE = 'MR410', DETAIL = p_fields[i];
            END;
        END LOOP;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_insert(
        p_tenant uuid, p_key_state bigint, p_module text, p_record uuid, p_generation integer,
        p_index_generation integer, p_terms bigint[], p_sealed bytea, p_at timestamptz,
        p_unique_fields text[], p_unique_terms bytea[], p_unique_generations integer[])
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, true);
        INSERT INTO mandant.record (tenant_id, module, record_id, version, generation, index_generation, terms,
                                    sealed, created_at, updated_at)
        VALUES (p_tenant, p_module, p_record, 1, p_generation, p_index_generation, p_terms, p_sealed, p_at, p_at);
        IF cardinality(p_unique_fields) > 0 THEN
            PERFORM mandant.claim_unique(
                p_tenant, p_module, p_record, p_unique_fields, p_unique_terms, p_unique_generations);
        END IF;
    END
    $$
    """,
    # All rows or none. p_unique_rows[i] is the 1-based position of the record that unique term i belongs to.
    """
    CREATE FUNCTION mandant.record_insert_many(
        p_tenant uuid, p_key_state bigint, p_module text, p_records uuid[], p_generation integer,
        p_index_generation integer, p_terms bigint[], p_terms_each integer[], p_sealed bytea[], p_at timestamptz,
        p_unique_rows integer[], p_unique_fields text[], p_unique_terms bytea[], p_unique_generations integer[])
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_field text;
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, true);
        -- The handler looks as the tenant: what enter() set would be undone with a block that it is in.
        BEGIN
            INSERT INTO mandant.record (tenant_id, module, record_id, version, generation, index_generation, terms,
                                        sealed, created_at, updated_at)
            SELECT p_tenant, p_module, u.record_id, 1, p_generation, p_index_generation,
                   p_terms[u.ends - u.each + 1 : u.ends], u.sealed, p_at, p_at
              FROM (SELECT a.record_id, a.sealed, a.each, sum(a.each) OVER (ORDER BY a.position)::integer AS ends
                      FROM unnest(p_records, p_sealed, p_terms_each) WITH ORDINALITY
                           AS a (record_id, sealed, each, position)) u;
            IF cardinality(p_unique_rows) > 0 THEN
                SELECT u.field INTO v_field
                  FROM unnest(p_unique_fields, p_unique_terms) AS u (field, term)
                 GROUP BY u.field, u.term HAVING count(*) > 1 LIMIT 1;
                IF FOUND THEN
                    RAISE EXCEPTION 'not unique' USING ERRCODE = 'MR410', DETAIL = v_field;
                END IF;
                INSERT INTO mandant.unique_term (tenant_id, module, field, term, index_generation, record_id)
                SELECT p_tenant, p_module, u.field, u.term, u.generation, p_records[u.position]
                  FROM unnest(p_unique_rows, p_unique_fields, p_unique_terms, p_unique_generations)
                       AS u (position, field, term, generation);
            END IF;
        EXCEPTION WHEN unique_violation THEN
            SELECT u.field INTO v_field
              FROM unnest(p_unique_fields, p_unique_terms) AS u (field, term)
              JOIN mandant.unique_term t ON t.tenant_id = p_tenant AND t.module = p_module
                   AND t.field = u.field AND t.term = u.term LIMIT 1;
            RAISE EXCEPTION 'not unique' USING ERRCODE = 'MR410', DETAIL = coalesce(v_field, 'id');
        END;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_update(
        p_tenant uuid, p_key_state bigint, p_module text, p_record uuid, p_version integer, p_generation integer,
        p_index_generation integer, p_terms bigint[], p_sealed bytea, p_at timestamptz,
        p_unique_fields text[], p_unique_terms bytea[], p_unique_generations integer[])
    RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_created timestamptz;
        v_version integer;
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, true);
        UPDATE mandant.record r
           SET version = p_version + 1, generation = p_generation, index_generation = p_index_generation,
               terms = p_terms, sealed = p_sealed, updated_at = p_at
         WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = p_record AND r.version = p_version
        RETURNING r.created_at INTO v_created;
        IF NOT FOUND THEN
            SELECT r.version INTO v_version FROM mandant.record r
             WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = p_record;
            IF NOT FOUND THEN
                RAISE EXCEPTION 'no such record' USING ERRCODE = 'MR404';
            END IF;
            RAISE EXCEPTION 'stale version' USING ERRCODE = 'MR409', DETAIL = v_version::text;
        END IF;
        DELETE FROM mandant.unique_term t
         WHERE t.tenant_id = p_tenant AND t.module = p_module AND t.record_id = p_record;
        PERFORM mandant.claim_unique(
            p_tenant, p_module, p_record, p_unique_fields, p_unique_terms, p_unique_generations);
        RETURN v_created;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.record_delete(
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
    END
    $$
    """,
    "GRANT EXECUTE ON FUNCTION mandant.find_terms, mandant.record_get, mandant.record_page, mandant.record_search,"
    " mandant.record_count, mandant.claim_unique, mandant.record_insert, mandant.record_insert_many,"
    " mandant.record_update, mandant.record_delete TO mandant_app, mandant_worker",
    # Oldest first, for whoever goes through all records: re-encrypt, reindex, export, sort by opening.
    """
    CREATE FUNCTION mandant.record_scan(
        p_tenant uuid, p_key_state bigint, p_module text, p_after uuid, p_limit integer)
    RETURNS TABLE (record_id uuid, version integer, sealed bytea, created_at timestamptz, updated_at timestamptz,
                   generation integer, index_generation integer)
    LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        RETURN QUERY SELECT r.record_id, r.version, r.sealed, r.created_at, r.updated_at,
                            r.generation, r.index_generation
                       FROM mandant.record r
                      WHERE r.tenant_id = p_tenant AND r.module = p_module
                        AND r.record_id > coalesce(p_after, '00000000-0000-0000-0000-000000000000')
                      ORDER BY r.record_id LIMIT p_limit;
    END
    $$
    """,
    # The same records under newer keys: version and times stay, and a row that has changed since is left
    # alone (its writer used the newest keys). Not a tenant's write: allowed while the tenant is read-only,
    # and so it holds the lock of a writer (0001_ground) itself.
    """
    CREATE FUNCTION mandant.record_reseal(
        p_tenant uuid, p_key_state bigint, p_module text, p_records uuid[], p_versions integer[],
        p_generation integer, p_index_generation integer, p_terms bigint[], p_terms_each integer[], p_sealed bytea[],
        p_unique_rows integer[], p_unique_fields text[], p_unique_terms bytea[], p_unique_generations integer[])
    RETURNS integer LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_done uuid[];
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('mandant.keys.' || p_tenant::text, 0));
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        WITH resealed AS (
            UPDATE mandant.record r
               SET generation = p_generation, index_generation = p_index_generation,
                   terms = p_terms[u.ends - u.each + 1 : u.ends], sealed = u.sealed
              FROM (SELECT a.record_id, a.version, a.sealed, a.each,
                           sum(a.each) OVER (ORDER BY a.position)::integer AS ends
                      FROM unnest(p_records, p_versions, p_sealed, p_terms_each) WITH ORDINALITY
                           AS a (record_id, version, sealed, each, position)) u
             WHERE r.tenant_id = p_tenant AND r.module = p_module AND r.record_id = u.record_id
               AND r.version = u.version
            RETURNING r.record_id)
        SELECT coalesce(array_agg(d.record_id), '{}') INTO v_done FROM resealed d;
        INSERT INTO mandant.unique_term (tenant_id, module, field, term, index_generation, record_id)
        SELECT p_tenant, p_module, u.field, u.term, u.generation, p_records[u.position]
          FROM unnest(p_unique_rows, p_unique_fields, p_unique_terms, p_unique_generations)
               AS u (position, field, term, generation)
         WHERE p_records[u.position] = ANY (v_done)
            ON CONFLICT (tenant_id, module, field, term) DO NOTHING;
        RETURN cardinality(v_done);
    END
    $$
    """,
    # After a reindex: nobody asks for terms of older generations any more.
    """
    CREATE FUNCTION mandant.drop_unique_terms(
        p_tenant uuid, p_key_state bigint, p_module text, p_below integer)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(hashtextextended('mandant.keys.' || p_tenant::text, 0));
        PERFORM mandant.enter(p_tenant, p_key_state, false);
        DELETE FROM mandant.unique_term t
         WHERE t.tenant_id = p_tenant AND t.module = p_module AND t.index_generation < p_below;
    END
    $$
    """,
    "GRANT EXECUTE ON FUNCTION mandant.record_scan, mandant.record_reseal, mandant.drop_unique_terms"
    " TO mandant_app, mandant_worker",
    # The definer function belongs to mandant_index; a new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA mandant TO mandant_index",
    "ALTER FUNCTION mandant.find_terms OWNER TO mandant_index",
    "REVOKE CREATE ON SCHEMA mandant FROM mandant_index",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
