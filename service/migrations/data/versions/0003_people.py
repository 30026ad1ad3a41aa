"""Persons, memberships, agreements, invitations, API tokens, and the directory that finds them.

A person belongs to no tenant: the row is visible to a transaction that has named the person
(`mandant.set_person`), as a tenant's rows are to one that has named the tenant. What has to be found
before either is known stands in `directory.entry`, under keyed terms; nobody reads that table but the
functions below, which belong to mandant_directory and look up by equality only.

Error codes beside those of 0001_ground: MP001 no person, or the wrong one, in this transaction; MP404 no
such person; MP409 the person's key state differs (the detail is data's number); MD409 the term is taken.
"""

from alembic import op

revision = "0003_people"
down_revision = "0002_records"

_ROLES = "mandant_app, mandant_worker"

_OF_TENANT = """
    CREATE POLICY tenant_isolation ON {table} FOR ALL TO mandant_app, mandant_worker
        USING (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
        WITH CHECK (tenant_id = nullif(current_setting('mandant.tenant', true), '')::uuid)
"""
_TENANT_TABLES = ("mandant.membership", "mandant.agreement", "mandant.invitation", "mandant.api_token")

_TABLES = (
    """
    CREATE TABLE mandant.person (
        person_id          uuid PRIMARY KEY,
        key_state          bigint NOT NULL,
        version            integer NOT NULL CHECK (version > 0),
        sealed             bytea NOT NULL,
        credential_version integer NOT NULL CHECK (credential_version > 0),
        sealed_credentials bytea NOT NULL,
        created_at         timestamptz NOT NULL,
        updated_at         timestamptz NOT NULL,
        ends_at            timestamptz
    )
    """,
    "COMMENT ON TABLE mandant.person IS 'person: one human being, in any number of tenants'",
    "COMMENT ON COLUMN mandant.person.person_id IS 'registration'",
    "COMMENT ON COLUMN mandant.person.key_state IS 'accountability: the last control fact applied to this data'",
    "COMMENT ON COLUMN mandant.person.version IS 'registration: of sealed'",
    "COMMENT ON COLUMN mandant.person.sealed IS 'registration: name, e-mail, language'",
    "COMMENT ON COLUMN mandant.person.credential_version IS 'registration: of sealed_credentials'",
    "COMMENT ON COLUMN mandant.person.sealed_credentials IS 'registration: password hash, second factor'",
    "COMMENT ON COLUMN mandant.person.created_at IS 'registration'",
    "COMMENT ON COLUMN mandant.person.updated_at IS 'registration'",
    "COMMENT ON COLUMN mandant.person.ends_at IS 'registration: three months after the last membership ended'",
    """
    CREATE TABLE mandant.membership (
        tenant_id  uuid NOT NULL REFERENCES mandant.tenant,
        person_id  uuid NOT NULL,
        role       text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
        version    integer NOT NULL CHECK (version > 0),
        sealed     bytea NOT NULL,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        ended_at   timestamptz,
        PRIMARY KEY (tenant_id, person_id)
    )
    """,
    "CREATE INDEX membership_person ON mandant.membership (person_id)",
    "COMMENT ON TABLE mandant.membership IS 'tenant: who belongs to it, in which role'",
    "COMMENT ON COLUMN mandant.membership.tenant_id IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.person_id IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.role IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.version IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.sealed IS 'registration: the person''s function in the company'",
    "COMMENT ON COLUMN mandant.membership.created_at IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.updated_at IS 'registration'",
    "COMMENT ON COLUMN mandant.membership.ended_at IS 'registration'",
    """
    CREATE TABLE mandant.agreement (
        tenant_id    uuid NOT NULL,
        agreement_id uuid NOT NULL,
        kind         text NOT NULL CHECK (kind IN ('terms', 'dpa')),
        edition      text NOT NULL CHECK (edition ~ '^[0-9A-Za-z.-]{1,40}$'),
        accepted_by  uuid NOT NULL,
        accepted_at  timestamptz NOT NULL,
        sealed       bytea NOT NULL,
        PRIMARY KEY (tenant_id, agreement_id),
        UNIQUE (tenant_id, kind, edition),
        FOREIGN KEY (tenant_id, accepted_by) REFERENCES mandant.membership (tenant_id, person_id)
    )
    """,
    "CREATE INDEX agreement_accepted_by ON mandant.agreement (tenant_id, accepted_by)",
    "COMMENT ON TABLE mandant.agreement IS 'tenant: acceptance of the terms (AGB) or the data-processing agreement (AVV)'",
    "COMMENT ON COLUMN mandant.agreement.tenant_id IS 'contract'",
    "COMMENT ON COLUMN mandant.agreement.agreement_id IS 'contract'",
    "COMMENT ON COLUMN mandant.agreement.kind IS 'contract'",
    "COMMENT ON COLUMN mandant.agreement.edition IS 'contract: which version of the document'",
    "COMMENT ON COLUMN mandant.agreement.accepted_by IS 'contract'",
    "COMMENT ON COLUMN mandant.agreement.accepted_at IS 'contract'",
    "COMMENT ON COLUMN mandant.agreement.sealed IS 'contract: name and e-mail of who accepted, as of that day'",
    """
    CREATE TABLE mandant.invitation (
        tenant_id     uuid NOT NULL,
        invitation_id uuid NOT NULL,
        role          text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
        email_term    bytea NOT NULL CHECK (octet_length(email_term) = 16),
        sealed        bytea NOT NULL,
        invited_by    uuid NOT NULL,
        created_at    timestamptz NOT NULL,
        expires_at    timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, invitation_id),
        UNIQUE (tenant_id, email_term),
        FOREIGN KEY (tenant_id, invited_by) REFERENCES mandant.membership (tenant_id, person_id)
    )
    """,
    "CREATE INDEX invitation_invited_by ON mandant.invitation (tenant_id, invited_by)",
    "COMMENT ON TABLE mandant.invitation IS 'tenant: who was invited and has not answered'",
    "COMMENT ON COLUMN mandant.invitation.tenant_id IS 'registration'",
    "COMMENT ON COLUMN mandant.invitation.invitation_id IS 'registration'",
    "COMMENT ON COLUMN mandant.invitation.role IS 'registration'",
    "COMMENT ON COLUMN mandant.invitation.email_term IS 'registration: keyed term of the invited address'",
    "COMMENT ON COLUMN mandant.invitation.sealed IS 'registration: e-mail and function'",
    "COMMENT ON COLUMN mandant.invitation.invited_by IS 'registration'",
    "COMMENT ON COLUMN mandant.invitation.created_at IS 'registration'",
    "COMMENT ON COLUMN mandant.invitation.expires_at IS 'registration'",
    """
    CREATE TABLE mandant.api_token (
        tenant_id  uuid NOT NULL,
        token_id   uuid NOT NULL,
        person_id  uuid NOT NULL,
        role       text NOT NULL CHECK (role IN ('admin', 'member')),
        sealed     bytea NOT NULL,
        created_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        PRIMARY KEY (tenant_id, token_id),
        FOREIGN KEY (tenant_id, person_id) REFERENCES mandant.membership (tenant_id, person_id)
    )
    """,
    "CREATE INDEX api_token_person ON mandant.api_token (tenant_id, person_id)",
    "COMMENT ON TABLE mandant.api_token IS 'tenant: a token that acts for a member; lives no longer than the membership'",
    "COMMENT ON COLUMN mandant.api_token.tenant_id IS 'registration'",
    "COMMENT ON COLUMN mandant.api_token.token_id IS 'registration'",
    "COMMENT ON COLUMN mandant.api_token.person_id IS 'registration'",
    "COMMENT ON COLUMN mandant.api_token.role IS 'registration: the most that the token may'",
    "COMMENT ON COLUMN mandant.api_token.sealed IS 'registration: what the token is for'",
    "COMMENT ON COLUMN mandant.api_token.created_at IS 'registration'",
    "COMMENT ON COLUMN mandant.api_token.expires_at IS 'registration'",
    "CREATE SCHEMA directory",
    """
    CREATE TABLE directory.entry (
        kind             text NOT NULL CHECK (kind IN ('email', 'session', 'api_token', 'invitation')),
        term             bytea NOT NULL CHECK (octet_length(term) = 16),
        index_generation integer NOT NULL CHECK (index_generation > 0),
        entry_id         uuid NOT NULL,
        person_id        uuid,
        tenant_id        uuid,
        created_at       timestamptz NOT NULL,
        expires_at       timestamptz,
        idle_until       timestamptz,
        PRIMARY KEY (kind, term),
        CHECK ((kind IN ('email', 'session')) = (tenant_id IS NULL)),
        CHECK ((kind = 'invitation') = (person_id IS NULL)),
        CHECK ((kind = 'email') = (expires_at IS NULL)),
        CHECK ((kind = 'session') = (idle_until IS NOT NULL))
    )
    """,
    "CREATE INDEX entry_person ON directory.entry (person_id, kind)",
    "CREATE INDEX entry_id ON directory.entry (entry_id)",
    "CREATE INDEX entry_expires ON directory.entry (expires_at) WHERE expires_at IS NOT NULL",
    "COMMENT ON TABLE directory.entry IS 'directory: keyed terms that lead to a person or a tenant'",
    "COMMENT ON COLUMN directory.entry.kind IS 'directory'",
    "COMMENT ON COLUMN directory.entry.term IS 'directory: keyed BLAKE2b of an e-mail address or a secret, 16 bytes'",
    "COMMENT ON COLUMN directory.entry.index_generation IS 'directory: of the key that made the term'",
    "COMMENT ON COLUMN directory.entry.entry_id IS 'directory'",
    "COMMENT ON COLUMN directory.entry.person_id IS 'registration'",
    "COMMENT ON COLUMN directory.entry.tenant_id IS 'registration'",
    "COMMENT ON COLUMN directory.entry.created_at IS 'directory'",
    "COMMENT ON COLUMN directory.entry.expires_at IS 'directory'",
    "COMMENT ON COLUMN directory.entry.idle_until IS 'directory: a session that nobody uses ends then'",
)

_RIGHTS = (
    "ALTER TABLE mandant.person ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE mandant.person FORCE ROW LEVEL SECURITY",
    """
    CREATE POLICY person_isolation ON mandant.person FOR ALL TO mandant_app, mandant_worker
        USING (person_id = nullif(current_setting('mandant.person', true), '')::uuid)
        WITH CHECK (person_id = nullif(current_setting('mandant.person', true), '')::uuid)
    """,
    "ALTER TABLE directory.entry ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE directory.entry FORCE ROW LEVEL SECURITY",
    "CREATE POLICY directory_functions ON directory.entry FOR ALL TO mandant_directory USING (true) WITH CHECK (true)",
    f"GRANT SELECT, INSERT ON mandant.person TO {_ROLES}",
    "GRANT UPDATE (version, sealed, credential_version, sealed_credentials, updated_at, ends_at)"
    f" ON mandant.person TO {_ROLES}",
    "GRANT UPDATE (key_state) ON mandant.person TO mandant_worker",
    f"GRANT SELECT, INSERT ON mandant.membership TO {_ROLES}",
    f"GRANT UPDATE (role, version, sealed, updated_at, ended_at) ON mandant.membership TO {_ROLES}",
    f"GRANT SELECT, INSERT ON mandant.agreement TO {_ROLES}",
    f"GRANT SELECT, INSERT, DELETE ON mandant.invitation, mandant.api_token TO {_ROLES}",
    # Re-encryption writes the same content under a newer key, and is the worker's.
    "GRANT UPDATE (sealed) ON mandant.agreement, mandant.invitation, mandant.api_token TO mandant_worker",
    f"GRANT USAGE ON SCHEMA directory TO {_ROLES}, mandant_directory",
    "GRANT USAGE ON SCHEMA mandant TO mandant_directory",
    "GRANT SELECT, INSERT, DELETE ON directory.entry TO mandant_directory",
    "GRANT UPDATE (idle_until) ON directory.entry TO mandant_directory",
    "GRANT SELECT (tenant_id, person_id, role, version, sealed, created_at, ended_at) ON mandant.membership"
    " TO mandant_directory",
    "GRANT SELECT (tenant_id, token_id, role) ON mandant.api_token TO mandant_directory",
    # What a colleague may see: the profile. Never the credentials.
    "GRANT SELECT (person_id, key_state, version, sealed), UPDATE (ends_at) ON mandant.person TO mandant_directory",
    "CREATE POLICY directory_functions ON mandant.membership FOR SELECT TO mandant_directory USING (true)",
    "CREATE POLICY directory_functions ON mandant.api_token FOR SELECT TO mandant_directory USING (true)",
    "CREATE POLICY directory_functions ON mandant.person FOR SELECT TO mandant_directory USING (true)",
    "CREATE POLICY directory_leaving ON mandant.person FOR UPDATE TO mandant_directory USING (true) WITH CHECK (true)",
)

_FUNCTIONS = (
    """
    CREATE FUNCTION mandant.set_person(p_person uuid) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_set text := current_setting('mandant.person', true);
    BEGIN
        IF p_person IS NULL OR (v_set <> '' AND v_set <> p_person::text) THEN
            RAISE EXCEPTION 'no person, or this transaction is another one''s' USING ERRCODE = 'MP001';
        END IF;
        EXECUTE 'SET LOCAL mandant.person = ' || quote_literal(p_person);
    END
    $$
    """,
    """
    CREATE FUNCTION mandant.enter_person(p_person uuid, p_key_state bigint)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        v_key_state bigint;
    BEGIN
        PERFORM mandant.set_person(p_person);
        SELECT p.key_state INTO v_key_state FROM mandant.person p WHERE p.person_id = p_person;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no such person' USING ERRCODE = 'MP404';
        END IF;
        IF v_key_state IS DISTINCT FROM p_key_state THEN
            RAISE EXCEPTION 'key state differs' USING ERRCODE = 'MP409', DETAIL = v_key_state::text;
        END IF;
    END
    $$
    """,
    # As mandant.applied, for a person: control's fact p_to has been carried out on this data.
    """
    CREATE FUNCTION mandant.applied_person(p_person uuid, p_to bigint, p_at timestamptz)
    RETURNS void LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        PERFORM mandant.set_person(p_person);
        UPDATE mandant.person p SET key_state = p_to, updated_at = p_at
         WHERE p.person_id = p_person AND p.key_state = p_to - 1;
        IF EXISTS (SELECT FROM mandant.person p WHERE p.person_id = p_person AND p.key_state < p_to) THEN
            RAISE EXCEPTION 'a fact before this one has not been carried out' USING ERRCODE = 'MT412';
        END IF;
    END
    $$
    """,
)

# Each is SECURITY DEFINER and belongs to mandant_directory.
_DIRECTORY = (
    # The hot path of every signed-in request: who, and in which role. No row: the secret is unknown or over.
    # role NULL: signed in, but no member of p_tenant. role_limit: the most that an API token may. What is
    # returned is proved by the caller (tenants/people/who.py): rows alone let nobody in.
    # A session is written to at most once in five minutes.
    """
    CREATE FUNCTION directory.authenticate(p_kind text, p_term bytea, p_tenant uuid, p_at timestamptz)
    RETURNS TABLE (person_id uuid, entry_id uuid, role text, role_limit text, expires_at timestamptz,
                   version integer, sealed bytea)
    LANGUAGE plpgsql VOLATILE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_entry directory.entry%ROWTYPE;
    BEGIN
        IF p_kind NOT IN ('session', 'api_token') THEN
            RETURN;
        END IF;
        SELECT e.* INTO v_entry FROM directory.entry e
         WHERE e.kind = p_kind AND e.term = p_term AND e.expires_at > p_at
           AND (e.idle_until IS NULL OR e.idle_until > p_at);
        IF NOT FOUND THEN
            RETURN;
        END IF;
        IF v_entry.idle_until < p_at + interval '25 minutes' THEN
            UPDATE directory.entry e SET idle_until = p_at + interval '30 minutes'
             WHERE e.kind = p_kind AND e.term = p_term AND e.idle_until < p_at + interval '25 minutes';
        END IF;
        person_id := v_entry.person_id;
        entry_id := v_entry.entry_id;
        expires_at := v_entry.expires_at;
        IF v_entry.tenant_id IS NULL OR v_entry.tenant_id = p_tenant THEN
            SELECT m.role, m.version, m.sealed INTO role, version, sealed FROM mandant.membership m
             WHERE m.tenant_id = p_tenant AND m.person_id = v_entry.person_id AND m.ended_at IS NULL;
        END IF;
        IF p_kind = 'api_token' THEN
            SELECT t.role INTO role_limit FROM mandant.api_token t
             WHERE t.tenant_id = v_entry.tenant_id AND t.token_id = v_entry.entry_id;
            IF NOT FOUND THEN
                RETURN;
            END IF;
        END IF;
        RETURN NEXT;
    END
    $$
    """,
    """
    CREATE FUNCTION directory.find(p_kind text, p_term bytea, p_at timestamptz)
    RETURNS TABLE (entry_id uuid, person_id uuid, tenant_id uuid)
    LANGUAGE sql STABLE ROWS 1 SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT e.entry_id, e.person_id, e.tenant_id FROM directory.entry e
         WHERE e.kind = p_kind AND e.term = p_term AND (e.expires_at IS NULL OR e.expires_at > p_at)
    $$
    """,
    # p_person or p_tenant is whom the transaction belongs to: nobody makes an entry for somebody else.
    """
    CREATE FUNCTION directory.add(
        p_kind text, p_term bytea, p_generation integer, p_entry uuid, p_person uuid, p_tenant uuid,
        p_at timestamptz, p_expires_at timestamptz)
    RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF p_tenant IS NULL AND p_person::text IS DISTINCT FROM current_setting('mandant.person', true) THEN
            RAISE EXCEPTION 'no person, or another one' USING ERRCODE = 'MP001';
        END IF;
        IF p_tenant IS NOT NULL AND p_tenant::text IS DISTINCT FROM current_setting('mandant.tenant', true) THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MT002';
        END IF;
        INSERT INTO directory.entry (kind, term, index_generation, entry_id, person_id, tenant_id, created_at,
                                     expires_at, idle_until)
        VALUES (p_kind, p_term, p_generation, p_entry, p_person, p_tenant, p_at, p_expires_at,
                CASE WHEN p_kind = 'session' THEN p_at + interval '30 minutes' END);
    EXCEPTION WHEN unique_violation THEN
        RAISE EXCEPTION 'taken' USING ERRCODE = 'MD409';
    END
    $$
    """,
    # Whoever has the term had the secret. True when it was there: a secret for one use is used so.
    """
    CREATE FUNCTION directory.take(p_kind text, p_term bytea)
    RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        DELETE FROM directory.entry e
         WHERE e.kind = p_kind AND e.kind IN ('session', 'invitation') AND e.term = p_term;
        RETURN FOUND;
    END
    $$
    """,
    """
    CREATE FUNCTION directory.end_sessions(p_person uuid, p_but uuid)
    RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_count integer;
    BEGIN
        IF p_person::text IS DISTINCT FROM current_setting('mandant.person', true) THEN
            RAISE EXCEPTION 'no person, or another one' USING ERRCODE = 'MP001';
        END IF;
        DELETE FROM directory.entry e
         WHERE e.person_id = p_person AND e.kind = 'session' AND e.entry_id IS DISTINCT FROM p_but;
        GET DIAGNOSTICS v_count = ROW_COUNT;
        RETURN v_count;
    END
    $$
    """,
    """
    CREATE FUNCTION directory.withdraw(p_tenant uuid, p_kind text, p_entry uuid)
    RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF p_tenant::text IS DISTINCT FROM current_setting('mandant.tenant', true) THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MT002';
        END IF;
        DELETE FROM directory.entry e WHERE e.entry_id = p_entry AND e.kind = p_kind AND e.tenant_id = p_tenant;
        RETURN FOUND;
    END
    $$
    """,
    """
    CREATE FUNCTION directory.members(p_tenant uuid)
    RETURNS TABLE (person_id uuid, role text, version integer, sealed bytea, created_at timestamptz,
                   person_key_state bigint, person_version integer, person_sealed bytea)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF p_tenant::text IS DISTINCT FROM current_setting('mandant.tenant', true) THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MT002';
        END IF;
        RETURN QUERY SELECT m.person_id, m.role, m.version, m.sealed, m.created_at, p.key_state, p.version, p.sealed
                       FROM mandant.membership m JOIN mandant.person p ON p.person_id = m.person_id
                      WHERE m.tenant_id = p_tenant AND m.ended_at IS NULL
                      ORDER BY m.created_at, m.person_id;
    END
    $$
    """,
    """
    CREATE FUNCTION directory.memberships(p_person uuid)
    RETURNS TABLE (tenant_id uuid, role text, created_at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF p_person::text IS DISTINCT FROM current_setting('mandant.person', true) THEN
            RAISE EXCEPTION 'no person, or another one' USING ERRCODE = 'MP001';
        END IF;
        RETURN QUERY SELECT m.tenant_id, m.role, m.created_at FROM mandant.membership m
                      WHERE m.person_id = p_person AND m.ended_at IS NULL
                      ORDER BY m.created_at, m.tenant_id;
    END
    $$
    """,
    # After the membership in p_tenant has ended: the date on which the person's own keys end, unless the
    # person belongs to another tenant. The row is locked first: whoever joins or leaves another tenant at
    # that moment has then committed, and the UPDATE sees it.
    """
    CREATE FUNCTION directory.left_tenant(p_tenant uuid, p_person uuid, p_ends_at timestamptz)
    RETURNS boolean LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    BEGIN
        IF p_tenant::text IS DISTINCT FROM current_setting('mandant.tenant', true) THEN
            RAISE EXCEPTION 'no tenant, or another one' USING ERRCODE = 'MT002';
        END IF;
        PERFORM 1 FROM mandant.person p WHERE p.person_id = p_person FOR NO KEY UPDATE;
        UPDATE mandant.person p SET ends_at = p_ends_at
         WHERE p.person_id = p_person
           AND EXISTS (SELECT 1 FROM mandant.membership m
                        WHERE m.tenant_id = p_tenant AND m.person_id = p_person AND m.ended_at IS NOT NULL)
           AND NOT EXISTS (SELECT 1 FROM mandant.membership m
                            WHERE m.person_id = p_person AND m.ended_at IS NULL);
        RETURN FOUND;
    END
    $$
    """,
    # What is over is removed; at most p_limit rows a call. An operator's job.
    """
    CREATE FUNCTION directory.sweep(p_at timestamptz, p_limit integer)
    RETURNS integer LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        v_count integer;
    BEGIN
        DELETE FROM directory.entry e
         WHERE (e.kind, e.term) IN (
               SELECT o.kind, o.term FROM directory.entry o
                WHERE o.expires_at <= p_at ORDER BY o.expires_at LIMIT p_limit FOR UPDATE SKIP LOCKED);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        RETURN v_count;
    END
    $$
    """,
)

_NAMES = (
    "authenticate", "find", "add", "take", "end_sessions", "withdraw", "members", "memberships", "left_tenant",
    "sweep",
)  # fmt: skip

_GRANTS = (
    "REVOKE ALL ON ALL FUNCTIONS IN SCHEMA directory FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION mandant.set_person, mandant.enter_person TO {_ROLES}",
    "GRANT EXECUTE ON FUNCTION mandant.applied_person TO mandant_worker",
    f"GRANT EXECUTE ON FUNCTION {', '.join('directory.' + name for name in _NAMES if name != 'sweep')} TO {_ROLES}",
    "GRANT EXECUTE ON FUNCTION directory.sweep TO mandant_worker",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA directory TO mandant_directory",
    *(f"ALTER FUNCTION directory.{name} OWNER TO mandant_directory" for name in _NAMES),
    "REVOKE CREATE ON SCHEMA directory FROM mandant_directory",
)


def upgrade() -> None:
    for statement in (*_TABLES, *_RIGHTS):
        op.execute(statement)
    for table in _TENANT_TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(_OF_TENANT.format(table=table))
    for statement in (*_FUNCTIONS, *_DIRECTORY, *_GRANTS):
        op.execute(statement)
