"""The ledger: one append-only log an owner, its checkpoints, and the keys that sign them.

Nothing here is updated, deleted or truncated, by nobody: the application's roles have no right to, and a
trigger refuses the owner of the tables too.
"""

from alembic import op

revision = "0002_ledger"
down_revision = "0001_keys"

_TABLES = ("ledger", "ledger_leaf", "ledger_checkpoint", "ledger_signer")

_STATEMENTS = (
    """
    CREATE TABLE control.ledger (
        owner  uuid PRIMARY KEY,
        origin text NOT NULL UNIQUE CHECK (origin ~ '^[a-z0-9./-]{1,128}$'),
        at     timestamptz NOT NULL
    )
    """,
    # `nodes`: hashes of the subtrees that this leaf completes, smallest first; the first is the leaf's own.
    # The subtree number k of level h is thus found in row (k + 1) * 2^h - 1, at 32 * h (FORMAT.md, Ledger).
    """
    CREATE TABLE control.ledger_leaf (
        owner  uuid NOT NULL REFERENCES control.ledger,
        index  bigint NOT NULL CHECK (index >= 0),
        kind   text NOT NULL,
        leaf   bytea NOT NULL CHECK (octet_length(leaf) BETWEEN 2 AND 65535),
        nodes  bytea NOT NULL CONSTRAINT leaf_hash CHECK (substring(nodes FROM 1 FOR 32) = sha256('\\x00'::bytea || leaf)
                                     AND octet_length(nodes) % 32 = 0),
        sealed bytea,
        at     timestamptz NOT NULL,
        PRIMARY KEY (owner, index)
    )
    """,
    "CREATE INDEX ledger_leaf_key ON control.ledger_leaf (owner, index) WHERE kind IN ('start', 'key')",
    """
    CREATE TABLE control.ledger_checkpoint (
        owner uuid NOT NULL REFERENCES control.ledger,
        size  bigint NOT NULL CHECK (size > 0),
        root  bytea NOT NULL CHECK (octet_length(root) = 32),
        note  bytea NOT NULL,
        at    timestamptz NOT NULL,
        PRIMARY KEY (owner, size)
    )
    """,
    """
    CREATE TABLE control.ledger_signer (
        signer_id  uuid PRIMARY KEY,
        number     integer NOT NULL UNIQUE CHECK (number > 0),
        public_key bytea NOT NULL UNIQUE CHECK (octet_length(public_key) = 32),
        sealed     bytea NOT NULL,
        at         timestamptz NOT NULL
    )
    """,
    """
    CREATE FUNCTION control.refuse_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog AS $$
    BEGIN
        RAISE EXCEPTION 'the ledger is only ever added to' USING ERRCODE = 'insufficient_privilege';
    END $$
    """,
    # One turn of an owner's log, until the caller's transaction ends. What is read after the lock was taken
    # is what is committed then: each statement of a volatile function has a snapshot of its own.
    # Returns the size, the last entry's time, and the subtrees that `p_count` more leaves are joined with.
    """
    CREATE FUNCTION control.ledger_turn(p_owner uuid, p_count integer)
    RETURNS TABLE (size bigint, at timestamptz, peaks bytea)
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog AS $$
    DECLARE
        v_level integer := 0;
    BEGIN
        PERFORM pg_advisory_xact_lock(3, hashtext(p_owner::text));
        SELECT l.index + 1, l.at INTO size, at
          FROM control.ledger_leaf l WHERE l.owner = p_owner ORDER BY l.index DESC LIMIT 1;
        size := coalesce(size, 0);
        peaks := '';
        WHILE size >> v_level <> (size + p_count) >> v_level LOOP
            IF (size >> v_level) & 1 = 1 THEN
                peaks := (SELECT substring(l.nodes FROM 32 * v_level + 1 FOR 32) FROM control.ledger_leaf l
                           WHERE l.owner = p_owner AND l.index = ((size >> v_level) << v_level) - 1) || peaks;
            END IF;
            v_level := v_level + 1;
        END LOOP;
        RETURN NEXT;
    END $$
    """,
    *(
        f"CREATE TRIGGER refuse_change BEFORE UPDATE OR DELETE OR TRUNCATE ON control.{table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION control.refuse_change()"
        for table in _TABLES
    ),
    "COMMENT ON TABLE control.ledger IS 'operator: whose log, and the name that it signs under'",
    "COMMENT ON TABLE control.ledger_leaf IS 'operator: entries, in order; names and reasons only as commitments, their openings sealed'",
    "COMMENT ON TABLE control.ledger_checkpoint IS 'operator: signed checkpoints, one a size'",
    "COMMENT ON TABLE control.ledger_signer IS 'operator: the keys that sign checkpoints, sealed'",
    "REVOKE ALL ON FUNCTION control.ledger_turn(uuid, integer), control.refuse_change() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION control.ledger_turn(uuid, integer) TO mandant_app, mandant_worker",
    *(f"GRANT SELECT, INSERT ON control.{table} TO mandant_app, mandant_worker" for table in _TABLES),
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
