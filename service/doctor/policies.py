"""Row-level security: on, forced, and a policy that names the tenant, on every table that is a tenant's."""

from collections.abc import AsyncIterator

from mandant.service.doctor.line import Line, ok, wrong
from mandant.service.doctor.patient import Patient

PART = "row-level security"
_SETTING = {"tenant": "mandant.tenant", "person": "mandant.person"}
_UPGRADE = "somebody changed the schema by hand: take the change back, or restore it from the migrations"


async def check_policies(patient: Patient) -> AsyncIterator[Line]:
    """What a table is, its comment says; whoever has a tenant_id is a tenant's table whatever it says."""
    rows = await patient.connection("data").fetch(_TABLES)
    wrongs = 0
    for row in rows:
        kind = "tenant" if row["has_tenant"] and row["kind"] != "directory" else row["kind"]
        for said, todo in _faults(kind, row):
            wrongs += 1
            yield wrong(PART, row["name"], said, todo)
    if not rows:
        yield wrong(PART, "tables", "there are none", "mandant database upgrade")
    elif not wrongs:
        yield ok(PART, "tables", f"on and forced on all {len(rows)} tables, each with its policy")


def _faults(kind: str, row: dict[str, object]) -> list[tuple[str, str]]:
    name = row["name"]
    if not row["enabled"]:
        return [("row-level security is off", f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY")]
    if not row["forced"]:
        return [("its owner goes around the policies", f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY")]
    policies: list[str] = row["policies"]  # type: ignore[assignment]
    setting = _SETTING.get(kind)
    if setting is None:
        return [("the application has a policy on it", _UPGRADE)] if policies else []
    if not policies:
        return [("no policy lets the application in", _UPGRADE)]
    return [
        ("a policy shows rows of others", _UPGRADE) for policy in policies if f"'{setting}'" not in policy
    ]


_TABLES = """
SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
       split_part(coalesce(obj_description(c.oid, 'pg_class'), ''), ':', 1) AS kind,
       EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id'
                  AND NOT a.attisdropped) AS has_tenant,
       array(SELECT coalesce(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid),
                             'true') FROM pg_policy p
              WHERE p.polrelid = c.oid AND p.polpermissive
                AND (p.polroles = '{0}' OR EXISTS (
                     SELECT FROM pg_roles r WHERE r.oid = ANY (p.polroles)
                        AND r.rolname IN ('mandant_app', 'mandant_worker', 'mandant_staff')))) AS policies
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname IN ('mandant', 'directory')
   AND c.relname <> 'schema_version' ORDER BY 1
"""
