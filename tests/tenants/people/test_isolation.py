"""What the application's role cannot do, and what a stolen database does not show (promises 1 and 2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import TypeAlias
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from mandant.service.postgres.binaries import wheel_binaries
from mandant.tenants.people import People, current_member, register, sign_in
from mandant.tenants.people.invitations import invite
from mandant.tenants.people.registration import Registration
from mandant.tenants.people.roles import Role
from mandant.tenants.people.tokens import create_token
from tests.stack import Stack
from tests.tenants.people.support import a_newcomer, a_registration

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@pytest_asyncio.fixture
async def app(stack: Stack) -> AsyncIterator["Connection"]:
    connection = await stack.connect()
    yield connection
    await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT 1 FROM directory.entry",
        "INSERT INTO directory.entry (kind) VALUES ('session')",
        "UPDATE directory.entry SET idle_until = NULL",
        "DELETE FROM directory.entry",
        "SELECT directory.sweep('2099-01-01Z', 1000)",
        "DELETE FROM mandant.person",
        "DELETE FROM mandant.membership",
        "UPDATE mandant.agreement SET edition = 'x'",
        "DELETE FROM mandant.agreement",
        "TRUNCATE mandant.person",
        "SET ROLE mandant_directory",
    ],
)
async def test_the_application_may_not(app: "Connection", statement: str) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await app.execute(statement)


async def test_without_naming_a_person_nobody_is_seen(people: People, app: "Connection") -> None:
    await a_newcomer(people)
    assert await app.fetchval("SELECT count(*) FROM mandant.person") == 0


async def test_a_transaction_sees_the_person_it_names_and_no_other(people: People, app: "Connection") -> None:
    one, other = await a_newcomer(people), await a_newcomer(people)
    async with app.transaction():
        await app.execute("SELECT mandant.set_person($1)", one.ids.person_id)
        assert await app.fetchval("SELECT array_agg(person_id) FROM mandant.person") == [one.ids.person_id]
        changed = await app.execute(
            "UPDATE mandant.person SET updated_at = updated_at WHERE person_id = $1", other.ids.person_id
        )
        assert changed == "UPDATE 0"
    assert await app.fetchval("SELECT count(*) FROM mandant.person") == 0


async def test_a_transaction_is_one_persons_to_its_end(people: People, app: "Connection") -> None:
    one, other = await a_newcomer(people), await a_newcomer(people)
    with pytest.raises(asyncpg.PostgresError) as refused:
        async with app.transaction():
            await app.execute("SELECT mandant.set_person($1)", one.ids.person_id)
            await app.execute("SELECT mandant.set_person($1)", other.ids.person_id)
    assert refused.value.sqlstate == "MP001"


async def test_the_directory_answers_for_the_tenant_or_person_of_the_transaction_only(
    people: People, app: "Connection"
) -> None:
    one, other = await a_newcomer(people), await a_newcomer(people)
    at = people.clock.now()
    for statement, values in (
        ("SELECT * FROM directory.members($1)", (other.ids.tenant_id,)),
        ("SELECT * FROM directory.memberships($1)", (other.ids.person_id,)),
        ("SELECT directory.end_sessions($1, NULL)", (other.ids.person_id,)),
        ("SELECT directory.withdraw($1, 'api_token', $2)", (other.ids.tenant_id, uuid4())),
        ("SELECT directory.left_tenant($1, $2, $3)", (other.ids.tenant_id, other.ids.person_id, at)),
        (
            "SELECT directory.add('session', $1, 1, $2, $3, NULL, $4, $4)",
            (b"x" * 16, uuid4(), other.ids.person_id, at),
        ),
    ):
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with app.transaction():
                await app.execute("SELECT mandant.set_tenant($1)", one.ids.tenant_id)
                await app.execute("SELECT mandant.set_person($1)", one.ids.person_id)
                await app.fetch(statement, *values)
        assert refused.value.sqlstate in ("MP001", "MT002"), statement


async def test_the_directory_shows_colleagues_no_credentials(people: People, app: "Connection") -> None:
    owner = await a_newcomer(people)
    async with app.transaction():
        await app.execute("SELECT mandant.set_tenant($1)", owner.ids.tenant_id)
        rows = await app.fetch("SELECT * FROM directory.members($1)", owner.ids.tenant_id)
    assert [row["person_id"] for row in rows] == [owner.ids.person_id]
    assert not any("credential" in name for name in rows[0].keys())  # noqa: SIM118 - a Record iterates values


async def test_the_directorys_functions_name_their_search_path_and_owner(stack: Stack) -> None:
    connection = await stack.connect("postgres")
    try:
        rows = await connection.fetch(
            "SELECT p.proname, p.prosecdef, p.proconfig, p.proowner::regrole::text AS owner FROM pg_proc p"
            " WHERE p.pronamespace = 'directory'::regnamespace AND p.prosecdef"
        )
    finally:
        await connection.close()
    assert len(rows) >= 10
    for row in rows:
        assert row["owner"] == "mandant_directory", row["proname"]
        assert "search_path=pg_catalog, pg_temp" in row["proconfig"], row["proname"]


async def test_no_address_and_no_name_stands_readable_in_a_dump(people: People, stack: Stack) -> None:
    canary = "kanarienvogel"
    email = f"{canary}.mail@example.ch"
    wanted = a_registration(email, name=f"{canary} name", company=f"{canary} company")
    wanted = Registration(
        wanted.profile, f"{canary} password", wanted.company, f"{canary} function", wanted.accepts
    )
    ids = await register(people, wanted)
    token = (await sign_in(people, email, f"{canary} password")).token

    member = await current_member(people, token, ids.tenant_id)
    _, invitation = await invite(people, member, f"{canary}.two@example.ch", Role.MEMBER, f"{canary} two")
    _, api_token = await create_token(people, member, f"{canary} token", Role.MEMBER, 1)

    dumped = await dump(stack)

    assert str(ids.person_id).encode() in dumped, "the dump has the rows"
    for secret in (canary, "argon2id", token[4:], invitation[4:], api_token[4:]):
        assert secret.encode() not in dumped
        assert secret.encode().hex().encode() not in dumped


async def dump(stack: Stack) -> bytes:
    process = await asyncio.create_subprocess_exec(
        str(wheel_binaries() / "pg_dump"), stack.data_url("postgres"), stdout=asyncio.subprocess.PIPE
    )
    written, _ = await process.communicate()
    assert process.returncode == 0
    return written
