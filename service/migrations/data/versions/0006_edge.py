"""Idempotency keys of a tenant, and the buckets that limit how often somebody may try.

Both hold keyed terms only. Buckets belong to nobody that is known yet, so they stand in the directory's
schema and are reached through functions of mandant_directory.
"""

from alembic import op

revision = "0006_edge"
down_revision = "0005_files"

_ROLES = "mandant_app, mandant_worker"

_IDEMPOTENCY = (
    """
    CREATE TABLE mandant.idempotency (
        tenant_id    uuid NOT NULL REFERENCES mandant.tenant,
        key_term     bytea NOT NULL CHECK (octet_length(key_term) = 16),
        request_hash bytea NOT NULL CHECK (octet_length(request_hash) = 16),
        status       integer NOT NULL CHECK (status BETWEEN 200 AND 299),
        sealed       bytea NOT NULL,
        created_at   timestamptz NOT NULL,
        expires_at   timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, key_term)
    )
    """,
    "CREATE INDEX idempotency_expires ON mandant.idempotency (tenant_id, expires_at)",
    "COMMENT ON TABLE mandant.idempotency IS 'tenant: answers kept for a request that is sent again'",
    "COMMENT ON COLUMN mandant.idempotency.tenant_id IS 'module'",
    "COMMENT ON COLUMN mandant.idempotency.key_term IS 'module: keyed BLAKE2b of address and key, 16 bytes'",
    "COMMENT ON COLUMN mandant.idempotency.request_hash IS 'module: keyed BLAKE2b of the body, 16 bytes'",
    "COMMENT ON COLUMN mandant.idempotency.status IS 'module'",
    "COMMENT ON COLUMN mandant.idempotency.sealed IS 'module: the answer'",
    "COMMENT ON COLUMN mandant.idempotency.created_at IS 'module'",
    "COMMENT ON COLUMN mandant.idempotency.expires_at IS 'module'",
    "ALTER TABLE mandant.idempotency ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.idempotency FORCE ROW LEVEL SECURITY",
    f"""
    CREATE POLICY tenant_isolation ON mandant.idempotency FOR ALL TO {_ROLES}
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
    """,
    f"GRANT SELECT, INSERT, DELETE ON mandant.idempotency TO {_ROLES}",
)

_RATE_LIMIT = (
    """
    CREATE TABLE directory.rate_limit (
        bucket     bytea PRIMARY KEY CHECK (octet_length(bucket) = 16),
        tokens     double precision NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX rate_limit_updated ON directory.rate_limit (updated_at)",
    "COMMENT ON TABLE directory.rate_limit IS 'directory: how many tries are left'",
    "COMMENT ON COLUMN directory.rate_limit.bucket IS 'directory: keyed BLAKE2b of what is limited, 16 bytes'",
    "COMMENT ON COLUMN directory.rate_limit.tokens IS 'directory'",
    "COMMENT ON COLUMN directory.rate_limit.updated_at IS 'directory'",
    "ALTER TABLE directory.rate_limit ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE directory.rate_limit FORCE ROW LEVEL SECURITY",
    "CREATE POLICY directory_functions ON directory.rate_limit FOR ALL TO mandant_directory"
    " USING (true) WITH CHECK (true)",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON directory.rate_limit TO mandant_directory",
    # Takes one token and returns 0, or returns the seconds until there is one. A clock that was set back
    # gives no tokens and takes none.
    """
    CREATE FUNCTION directory.take_token(
        p_bucket bytea, p_size double precision, p_per_second double precision, p_at timestamptz)
    RETURNS double precision
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_tokens double precision;
    BEGIN
        INSERT INTO directory.rate_limit AS r (bucket, tokens, updated_at) VALUES (p_bucket, p_size, p_at)
        ON CONFLICT (bucket) DO UPDATE
           SET tokens = least(p_size, r.tokens + p_per_second
                        * greatest(0, extract(epoch FROM p_at - r.updated_at)::double precision)),
               updated_at = greatest(r.updated_at, p_at)
        RETURNING r.tokens INTO v_tokens;
        IF v_tokens < 1 THEN
            RETURN (1 - v_tokens) / p_per_second;
        END IF;
        UPDATE directory.rate_limit r SET tokens = r.tokens - 1 WHERE r.bucket = p_bucket;
        RETURN 0;
    END
    $$
    """,
    # Buckets that nobody has touched since are full again: the same as none.
    """
    CREATE FUNCTION directory.forget_rate_limits(p_before timestamptz)
    RETURNS bigint LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        WITH gone AS (DELETE FROM directory.rate_limit r WHERE r.updated_at < p_before RETURNING 1)
        SELECT count(*) FROM gone
    $$
    """,
    "REVOKE ALL ON FUNCTION directory.take_token, directory.forget_rate_limits FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION directory.take_token TO {_ROLES}",
    "GRANT EXECUTE ON FUNCTION directory.forget_rate_limits TO mandant_worker",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA directory TO mandant_directory",
    "ALTER FUNCTION directory.take_token OWNER TO mandant_directory",
    "ALTER FUNCTION directory.forget_rate_limits OWNER TO mandant_directory",
    "REVOKE CREATE ON SCHEMA directory FROM mandant_directory",
)


def upgrade() -> None:
    for statement in (*_IDEMPOTENCY, *_RATE_LIMIT):
        op.execute(statement)
