"""What the operator's worker may see of all tenants and persons: ids, states and numbers, nothing sealed.

And the right to seal again, under a newer key, what is otherwise never changed.
"""

from alembic import op

revision = "0008_operator"
down_revision = "0007_imports"

_NAMES = ("tenants", "persons", "behind")

_STATEMENTS = (
    "GRANT SELECT (tenant_id, state, key_state) ON mandant.tenant TO mandant_directory",
    "CREATE POLICY directory_functions ON mandant.tenant FOR SELECT TO mandant_directory USING (true)",
    """
    CREATE FUNCTION directory.tenants(p_after uuid, p_limit integer)
    RETURNS TABLE (tenant_id uuid, state text, key_state bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT t.tenant_id, t.state, t.key_state FROM mandant.tenant t
         WHERE t.tenant_id > p_after ORDER BY t.tenant_id LIMIT p_limit
    $$
    """,
    """
    CREATE FUNCTION directory.persons(p_after uuid, p_limit integer)
    RETURNS TABLE (person_id uuid, key_state bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT p.person_id, p.key_state FROM mandant.person p
         WHERE p.person_id > p_after ORDER BY p.person_id LIMIT p_limit
    $$
    """,
    # Of these owners, whose last fact in control has the number beside it: those that data knows and whose
    # number differs there.
    """
    CREATE FUNCTION directory.behind(p_owners uuid[], p_sequences bigint[])
    RETURNS TABLE (owner uuid, kind text, key_state bigint)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
        SELECT u.owner, 'tenant', t.key_state FROM unnest(p_owners, p_sequences) AS u (owner, sequence)
          JOIN mandant.tenant t ON t.tenant_id = u.owner WHERE t.key_state <> u.sequence
        UNION ALL
        SELECT u.owner, 'person', p.key_state FROM unnest(p_owners, p_sequences) AS u (owner, sequence)
          JOIN mandant.person p ON p.person_id = u.owner WHERE p.key_state <> u.sequence
    $$
    """,
    f"REVOKE ALL ON FUNCTION {', '.join('directory.' + name for name in _NAMES)} FROM PUBLIC",
    f"GRANT EXECUTE ON FUNCTION {', '.join('directory.' + name for name in _NAMES)} TO mandant_worker",
    # A new owner needs CREATE on the schema for that moment.
    "GRANT CREATE ON SCHEMA directory TO mandant_directory",
    *(f"ALTER FUNCTION directory.{name} OWNER TO mandant_directory" for name in _NAMES),
    "REVOKE CREATE ON SCHEMA directory FROM mandant_directory",
    # Re-encryption: the same content under a newer key.
    "GRANT UPDATE (sealed) ON mandant.agreement, mandant.invitation, mandant.api_token, mandant.idempotency"
    " TO mandant_worker",
)


def upgrade() -> None:
    for statement in _STATEMENTS:
        op.execute(statement)
