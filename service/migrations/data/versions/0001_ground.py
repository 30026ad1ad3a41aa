"""The tenant's row and the door to a tenant's data.

Every statement on a tenant's data runs after `mandant.enter`, in the same transaction. Error codes that
it raises, and that tenants/session.py reads: MT001 no tenant, MT002 another tenant is set already,
MT404 no such tenant, MT409 key state differs (the detail is data's number), MT410 purged, MT412 a fact
is missing before this one, MT423 read-only.
"""

from alembic import op

revision = "0001_ground"
down_revision = None

_STATEMENTS = (
    "REVOKE ALL ON SCHEMA public FROM PUBLIC",
    "GRANT USAGE ON SCHEMA mandant TO mandant_app, mandant_worker, mandant_index",
    """
    CREATE TABLE mandant.tenant (
        tenant_id  uuid PRIMARY KEY,
        state      text NOT NULL CHECK (state IN (
                       'registered', 'trial', 'active', 'past_due', 'cancelling', 'terminated',
                       'purging', 'purged', 'suspended', 'held')),
        key_state  bigint NOT NULL,
        version    integer NOT NULL CHECK (version > 0),
        sealed     bytea NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL
    )
    """,
    "COMMENT ON TABLE mandant.tenant IS 'tenant: one company that uses the software'",
    "COMMENT ON COLUMN mandant.tenant.tenant_id IS 'registration'",
    "COMMENT ON COLUMN mandant.tenant.state IS 'contract'",
    "COMMENT ON COLUMN mandant.tenant.key_state IS 'accountability: the last control fact applied to this data'",
    "COMMENT ON COLUMN mandant.tenant.version IS 'registration'",
    "COMMENT ON COLUMN mandant.tenant.sealed IS 'registration: name, domain, country, head count, time zone'",
    "COMMENT ON COLUMN mandant.tenant.created_at IS 'contract'",
    "COMMENT ON COLUMN mandant.tenant.updated_at IS 'registration'",
    "ALTER TABLE mandant.tenant ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.tenant FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY tenant_isolation ON mandant.tenant FOR ALL TO mandant_app, mandant_worker
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
    """,
    "GRANT SELECT, INSERT ON mandant.tenant TO mandant_app, mandant_worker",
    "GRANT UPDATE (version, sealed, updated_at) ON mandant.tenant TO mandant_app, mandant_worker",
    # The application neither hides a fact nor claims one that has not been carried out.
    "GRANT UPDATE (key_state) ON mandant.tenant TO mandant_worker",
    # SET LOCAL and not set_config(): only the former travels to Citus' workers.
    """
    CREATE FUNCTION mandant.set_tenant(p_tenant uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_set text := current_setting('mandant.tenant', true);
    BEGIN
        IF p_tenant IS NULL THEN
            RAISE EXCEPTION 'no tenant' USING ERRCODE = 'MT001';
        END IF;
        IF v_set = p_tenant::text THEN
            RETURN;
        END IF;
        IF v_set IS NOT NULL AND v_set <> '' THEN
            RAISE EXCEPTION 'this transaction belongs to another tenant' USING ERRCODE = 'MT002';
        END IF;
        EXECUTE 'SET LOCAL mandant.tenant = ' || quote_literal(p_tenant);
    END
    $$
    """,
    # Who writes holds a lock from before the key state is read until the transaction ends: no fact is
    # applied (mandant.applied) while somebody still writes with the keys from before it.
    """
    CREATE FUNCTION mandant.enter(p_tenant uuid, p_key_state bigint, p_write boolean)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_key_state bigint;
        v_state text;
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        IF p_write THEN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended('mandant.keys.' || p_tenant::text, 0));
        END IF;
        SELECT t.key_state, t.state INTO v_key_state, v_state
          FROM mandant.tenant t WHERE t.tenant_id = p_tenant;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such tenant' USING ERRCODE = 'MT404';
        END IF;
        IF v_key_state IS DISTINCT FROM p_key_state THEN
            RAISE EXCEPTION 'key state differs' USING ERRCODE = 'MT409', DETAIL = v_key_state::text;
        END IF;
        IF v_state IN ('purging', 'purged') THEN
            RAISE EXCEPTION 'the tenant has been purged' USING ERRCODE = 'MT410';
        END IF;
        IF p_write AND v_state NOT IN ('registered', 'trial', 'active', 'past_due', 'cancelling') THEN
            RAISE EXCEPTION 'the tenant is read-only' USING ERRCODE = 'MT423';
        END IF;
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.create_tenant(p_tenant uuid, p_sealed bytea, p_at timestamptz)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        INSERT INTO mandant.tenant (tenant_id, state, key_state, version, sealed, created_at, updated_at)
        VALUES (p_tenant, 'active', 0, 1, p_sealed, p_at, p_at);
    END
    $$
    """,
    # Says that control's fact p_to has been carried out on this data. One after the other: a fact that was
    # passed over would never be carried out. Doing it twice does no harm. Works for any state of the tenant.
    # Waits for who writes with older keys: what they write is there for whoever goes through the data next.
    """
    CREATE FUNCTION mandant.applied(p_tenant uuid, p_to bigint, p_at timestamptz)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_tenant(p_tenant);
        PERFORM pg_advisory_xact_lock(hashtextextended('mandant.keys.' || p_tenant::text, 0));
        UPDATE mandant.tenant t SET key_state = p_to, updated_at = p_at
         WHERE t.tenant_id = p_tenant AND t.key_state = p_to - 1;
        IF EXISTS (SELECT FROM mandant.tenant t WHERE t.tenant_id = p_tenant AND t.key_state < p_to) THEN
            RAISE EXCEPTION 'a fact before this one has not been carried out' USING ERRCODE = 'MT412';
        END IF;
    END
    $$
    """,
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA mandant FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION mandant.set_tenant, mandant.enter, mandant.create_tenant"
    " TO mandant_app, mandant_worker",
    "GRANT EXECUTE ON FUNCTION mandant.applied TO mandant_worker",
    "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
