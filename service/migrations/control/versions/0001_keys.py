"""Epochs, scopes, wrapped keys and the facts that say what was done to them.

Nothing here is a tenant's plaintext, and nothing here is ever restored to an earlier day.
"""

from alembic import op

revision = "0001_keys"
down_revision = None

_STATEMENTS = (
    """
    CREATE TABLE control.epoch (
        epoch      integer PRIMARY KEY,
        provider   text NOT NULL CHECK (provider IN ('local', 'aws')),
        key_ref    text NOT NULL,
        state      text NOT NULL CHECK (state IN ('intended', 'current', 'retiring', 'disabled', 'scheduled', 'gone')),
        created_at timestamptz NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX one_current_epoch ON control.epoch ((true)) WHERE state = 'current'",
    """
    CREATE TABLE control.scope (
        scope_id   uuid PRIMARY KEY,
        owner      uuid NOT NULL,
        kind       text NOT NULL CHECK (kind IN ('tenant', 'operator', 'person', 'system')),
        created_at timestamptz NOT NULL,
        UNIQUE (owner, kind)
    )
    """,
    """
    CREATE TABLE control.scope_key (
        scope_id     uuid NOT NULL REFERENCES control.scope,
        generation   integer NOT NULL CHECK (generation > 0),
        epoch        integer NOT NULL REFERENCES control.epoch,
        byok_key_ref text,
        wrapped      bytea NOT NULL,
        created_at   timestamptz NOT NULL,
        PRIMARY KEY (scope_id, generation)
    )
    """,
    "CREATE INDEX scope_key_epoch ON control.scope_key (epoch)",
    """
    CREATE TABLE control.category_key (
        scope_id         uuid NOT NULL,
        category         smallint NOT NULL,
        purpose          smallint NOT NULL CHECK (purpose IN (1, 2)),
        generation       integer NOT NULL CHECK (generation > 0),
        scope_generation integer NOT NULL,
        wrapped          bytea,
        created_at       timestamptz NOT NULL,
        shredded_at      timestamptz,
        PRIMARY KEY (scope_id, category, purpose, generation),
        FOREIGN KEY (scope_id) REFERENCES control.scope,
        CHECK ((wrapped IS NULL) = (shredded_at IS NOT NULL))
    )
    """,
    """
    CREATE TABLE control.fact (
        owner    uuid NOT NULL,
        sequence bigint NOT NULL CHECK (sequence > 0),
        kind     text NOT NULL,
        detail   jsonb NOT NULL,
        at       timestamptz NOT NULL,
        PRIMARY KEY (owner, sequence)
    )
    """,
    # The local key file's counter: an older copy of that file is refused (DESIGN.md, Keys).
    """
    CREATE TABLE control.key_file (
        single  boolean PRIMARY KEY DEFAULT true CHECK (single),
        counter bigint NOT NULL
    )
    """,
    "COMMENT ON TABLE control.epoch IS 'operator: one KMS key'",
    "COMMENT ON TABLE control.scope IS 'operator: whose keys, by opaque id'",
    "COMMENT ON TABLE control.scope_key IS 'operator: wrapped keys'",
    "COMMENT ON TABLE control.category_key IS 'operator: wrapped keys'",
    "COMMENT ON TABLE control.fact IS 'operator: what was done to an owner''s keys and data, in order; no names, no content'",
    "COMMENT ON TABLE control.key_file IS 'operator: the local key file''s counter'",
    "GRANT USAGE ON SCHEMA control TO mandant_app, mandant_worker",
    "GRANT SELECT ON ALL TABLES IN SCHEMA control TO mandant_app, mandant_worker",
    "GRANT INSERT ON control.epoch, control.scope, control.scope_key, control.category_key, control.fact, control.key_file"
    " TO mandant_app, mandant_worker",
    "GRANT UPDATE (key_ref, state) ON control.epoch TO mandant_app, mandant_worker",
    # An epoch's KMS key is written down once, when it has been made: nobody points an epoch at another key.
    "ALTER TABLE control.epoch ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY everybody_reads ON control.epoch FOR SELECT TO mandant_app, mandant_worker USING (true)",
    "CREATE POLICY begun_as_intended ON control.epoch FOR INSERT TO mandant_app, mandant_worker"
    " WITH CHECK (state = 'intended')",
    "CREATE POLICY completed_once ON control.epoch FOR UPDATE TO mandant_app, mandant_worker"
    " USING (state = 'intended') WITH CHECK (true)",
    "GRANT UPDATE (counter) ON control.key_file TO mandant_app, mandant_worker",
    # A shredded key loses its bytes and says when; a re-wrapped one gets other bytes. No row is ever deleted
    # but a scope key that another has taken the place of.
    "GRANT UPDATE (wrapped, scope_generation, shredded_at) ON control.category_key TO mandant_worker",
    "GRANT DELETE ON control.scope_key TO mandant_worker",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
