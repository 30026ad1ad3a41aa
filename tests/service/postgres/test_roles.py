"""The roles and databases of docs/DESIGN.md."""

import asyncpg
import pytest

from mandant.service.postgres import CONTROL_DATABASE, DATA_DATABASE, EmbeddedPostgres
from mandant.service.postgres.roles import FUNCTION_ROLES, LOGIN_ROLES, ensure_roles, passwords_in


@pytest.mark.parametrize("database", [DATA_DATABASE, CONTROL_DATABASE])
@pytest.mark.parametrize("role", LOGIN_ROLES)
async def test_each_role_signs_in_to_both_databases(
    postgres: EmbeddedPostgres, role: str, database: str
) -> None:
    connection = await asyncpg.connect(postgres.dsn(role, database))
    assert await connection.fetchval("SELECT current_user") == role
    await connection.close()


async def test_a_wrong_password_does_not_sign_in(postgres: EmbeddedPostgres) -> None:
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(postgres.dsn("mandant_app", DATA_DATABASE), password="guess")


async def test_no_role_is_more_than_it_must_be(postgres: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    rows = await admin.fetch("SELECT * FROM pg_roles WHERE rolname LIKE 'mandant%'")
    assert {row["rolname"] for row in rows} == {*LOGIN_ROLES, *FUNCTION_ROLES}
    for row in rows:
        assert not any(
            row[f"rol{may}"] for may in ("super", "bypassrls", "createdb", "createrole", "replication")
        )
        assert row["rolcanlogin"] == (row["rolname"] in LOGIN_ROLES)
    await admin.close()


async def test_rights_that_a_role_was_given_by_mistake_are_taken_away(postgres: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute("ALTER ROLE mandant_staff BYPASSRLS CREATEDB")
    await ensure_roles(admin, {})
    row = await admin.fetchrow(
        "SELECT rolbypassrls, rolcreatedb FROM pg_roles WHERE rolname = 'mandant_staff'"
    )
    assert row is not None
    assert tuple(row) == (False, False)
    await admin.close()


async def test_the_owner_hands_a_function_over_and_has_no_right_of_its_new_owner(
    postgres: EmbeddedPostgres,
) -> None:
    owner = await asyncpg.connect(postgres.dsn("mandant_owner", DATA_DATABASE))
    transaction = owner.transaction()
    await transaction.start()
    await owner.execute(
        """
        CREATE SCHEMA handed;
        GRANT USAGE, CREATE ON SCHEMA handed TO mandant_index;
        CREATE FUNCTION handed.who() RETURNS name LANGUAGE sql SECURITY DEFINER
            SET search_path = '' AS 'SELECT current_user';
        ALTER FUNCTION handed.who() OWNER TO mandant_index;
        SET LOCAL ROLE mandant_index;
        CREATE TABLE handed.its_own (id int);
        RESET ROLE;
        """
    )
    assert await owner.fetchval("SELECT handed.who()") == "mandant_index"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await owner.fetch("SELECT * FROM handed.its_own")
    await transaction.rollback()
    await owner.close()


async def test_a_role_of_somebody_else_may_not_connect(postgres: EmbeddedPostgres) -> None:
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute("CREATE ROLE stranger LOGIN PASSWORD 'known'")
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(postgres.dsn("postgres", DATA_DATABASE), user="stranger", password="known")
    finally:
        await admin.execute("DROP ROLE stranger")
        await admin.close()


async def test_an_administrator_of_a_cloud_who_is_no_superuser_is_enough(postgres: EmbeddedPostgres) -> None:
    """RDS and its like give CREATEROLE and CREATEDB only."""
    admin = await asyncpg.connect(postgres.dsn("postgres", "postgres"))
    await admin.execute("CREATE ROLE cloud LOGIN CREATEROLE CREATEDB PASSWORD 'known'")
    for role in (*LOGIN_ROLES, *FUNCTION_ROLES):
        await admin.execute(f"GRANT {role} TO cloud WITH ADMIN TRUE, INHERIT FALSE, SET FALSE")
    cloud = await asyncpg.connect(postgres.dsn("postgres", "postgres"), user="cloud", password="known")
    try:
        await ensure_roles(cloud, {"mandant_staff": "new"})
        staff = await asyncpg.connect(postgres.dsn("mandant_staff", DATA_DATABASE), password="new")
        await staff.close()
    finally:
        await cloud.close()
        await admin.execute("DROP OWNED BY cloud")
        await admin.execute("DROP ROLE cloud")
        await ensure_roles(admin, passwords_in([postgres.dsn("mandant_staff", DATA_DATABASE)]))
        await admin.close()


def test_passwords_come_from_the_configured_urls() -> None:
    urls = ["postgresql://mandant_app:a%40b@db/mandant", None, "postgresql://mandant_owner:c@db/mandant"]
    assert passwords_in(urls) == {"mandant_app": "a@b", "mandant_owner": "c"}


def test_two_passwords_for_one_role_are_refused() -> None:
    with pytest.raises(ValueError, match="different passwords for mandant_app"):
        passwords_in(["postgresql://mandant_app:a@one/x", "postgresql://mandant_app:b@two/y"])
    with pytest.raises(ValueError, match="not 'root'"):
        passwords_in(["postgresql://root:a@one/x"])
