"""Functions of the data database: what takes a tenant or a person serves only those of the transaction.

The list comes from the live catalog. What runs as another role (SECURITY DEFINER) goes around the policies,
so its own check is all there is.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest

from tests.promises.catalog import Column, value_for
from tests.stack import Stack

REFUSED = {"MT002", "MQ001", "MP001"}  # no tenant or another one; the same of the queue; no person or another
# Told a tenant, they answer about one who signs in, found by a secret: `authenticate` says the role there.
BY_SECRET = {"directory.authenticate"}
# The doors themselves: they enter whoever is named. Their refusal of a second one is asked below.
DOORS = {"mandant.set_tenant", "mandant.set_person"}


@dataclass(frozen=True)
class Function:
    """A function that mandant_app or mandant_worker may call. `definer`: it runs as its owner."""

    name: str
    definer: bool
    arguments: tuple[tuple[str, str], ...]  # (name, type)

    def takes(self, argument: str) -> bool:
        return argument in dict(self.arguments)


@dataclass
class World:
    """Two tenants, two persons, and the functions."""

    stack: Stack
    mine: UUID
    others: UUID
    me: UUID
    somebody: UUID
    functions: list[Function]


@pytest.fixture(scope="module")
async def world(stack: Stack) -> AsyncIterator[World]:
    admin: Any = await stack.connect("postgres")
    mine, others = (await stack.tenant()).tenant_id, (await stack.tenant()).tenant_id
    me, somebody = uuid4(), uuid4()
    for person in (me, somebody):
        await admin.execute(
            "INSERT INTO mandant.person VALUES ($1, 0, 1, 'x', 1, 'x', $2, $2)", person, stack.clock.now()
        )
    rows = await admin.fetch(
        """
        SELECT p.pronamespace::regnamespace || '.' || p.proname AS name, p.prosecdef, p.proargnames, p.pronargs,
               array(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, i) ORDER BY i)
                   AS types
          FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
         WHERE n.nspname IN ('mandant', 'directory', 'queue_api') AND p.prorettype <> 'trigger'::regtype
           AND (has_function_privilege('mandant_app', p.oid, 'EXECUTE')
                OR has_function_privilege('mandant_worker', p.oid, 'EXECUTE'))
         ORDER BY 1
        """
    )
    functions = [
        Function(r["name"], r["prosecdef"], tuple(zip(r["proargnames"] or [], r["types"], strict=False)))
        for r in rows
    ]
    yield World(stack, mine, others, me, somebody, functions)
    await admin.close()


def _argument(name: str, kind: str, tenant: UUID, person: UUID) -> Any:
    if name == "p_tenant":
        return tenant
    if name == "p_person":
        return person
    if kind.endswith("[]") and kind not in ("bigint[]", "integer[]"):
        return []
    match name, kind:
        case "p_task", _:
            return "some_task"
        case "p_kind", _:
            return "session"
        case _, "double precision":
            return 1.0
        case (("p_term" | "p_bucket" | "p_key_term" | "p_request_hash"), "bytea"):
            return uuid4().bytes
    return value_for(Column(name, kind, None, False, ()), tenant)


async def _refusal(connection: Any, function: Function, tenant: UUID, person: UUID) -> str | None:
    """The code of the refusal, None when the function did as it was asked."""
    values = [_argument(name, kind, tenant, person) for name, kind in function.arguments]
    marks = ", ".join(f"${i}::{kind}" for i, (_, kind) in enumerate(function.arguments, 1))
    try:
        async with connection.transaction():
            await connection.fetch(f"SELECT * FROM {function.name}({marks})", *values)
    except asyncpg.PostgresError as error:
        return str(error.sqlstate)
    return None


@pytest.mark.parametrize("entered", ["nobody", "mine"])
async def test_a_definer_function_serves_only_the_tenant_that_was_entered(world: World, entered: str) -> None:
    asked = 0
    connection: Any = await world.stack.connect("mandant_worker")
    for function in world.functions:
        if not (function.definer and function.takes("p_tenant")) or function.name in BY_SECRET:
            continue
        async with connection.transaction():
            if entered == "mine":
                await connection.execute("SELECT mandant.set_tenant($1)", world.mine)
                await connection.execute("SELECT mandant.set_person($1)", world.me)
            code = await _refusal(connection, function, world.others, world.me)
        assert code in REFUSED, function.name
        asked += 1
    await connection.close()
    assert asked >= 4


@pytest.mark.parametrize("entered", ["nobody", "me"])
async def test_a_definer_function_serves_only_the_person_that_was_entered(world: World, entered: str) -> None:
    asked = 0
    connection: Any = await world.stack.connect("mandant_worker")
    for function in world.functions:
        if not (function.definer and function.takes("p_person")) or function.takes("p_tenant"):
            continue
        async with connection.transaction():
            if entered == "me":
                await connection.execute("SELECT mandant.set_person($1)", world.me)
            code = await _refusal(connection, function, world.others, world.somebody)
        assert code in REFUSED, function.name
        asked += 1
    await connection.close()
    assert asked >= 2


async def test_no_function_enters_a_second_tenant(world: World) -> None:
    asked = 0
    connection: Any = await world.stack.connect("mandant_worker")
    for function in world.functions:
        if function.definer or not function.takes("p_tenant"):
            continue
        async with connection.transaction():
            await connection.execute("SELECT mandant.set_tenant($1)", world.mine)
            await connection.execute("SELECT mandant.set_person($1)", world.me)
            code = await _refusal(connection, function, world.others, world.me)
        if code is None or code == "42501":
            # It enters nobody and stands under the policies, as `claim_unique` does: nothing came of it.
            assert function.name not in DOORS, function.name
        else:
            assert code in REFUSED, (function.name, code)
            asked += 1
    await connection.close()
    assert asked >= 10


async def test_a_transaction_serves_one_person(world: World) -> None:
    connection: Any = await world.stack.connect()
    async with connection.transaction():
        await connection.execute("SELECT mandant.set_person($1)", world.me)
        with pytest.raises(asyncpg.PostgresError) as refused:
            async with connection.transaction():
                await connection.execute("SELECT mandant.set_person($1)", world.somebody)
        assert refused.value.sqlstate == "MP001"
    await connection.close()


PERSON_SITUATIONS = {
    "nothing set": "BEGIN",
    "another person": "BEGIN; SELECT mandant.set_person('{me}')",
    "a tenant": "BEGIN; SELECT mandant.set_tenant('{mine}')",
    "a tenant named like the person": "BEGIN; SET LOCAL mandant.tenant = '{somebody}'",
    "after a commit": "BEGIN; SELECT mandant.set_person('{somebody}'); COMMIT; BEGIN",
    "after a rollback": "BEGIN; SELECT mandant.set_person('{somebody}'); ROLLBACK; BEGIN",
    "after a savepoint": "BEGIN; SAVEPOINT a; SELECT mandant.set_person('{somebody}'); ROLLBACK TO SAVEPOINT a",
}
PERSON_VERBS = (
    "SELECT * FROM mandant.person WHERE person_id = '{somebody}'",
    "SELECT * FROM mandant.person WHERE person_id <> '{me}'",
    "SELECT person_id FROM mandant.person WHERE person_id = '{somebody}' FOR UPDATE",
    "UPDATE mandant.person SET sealed = 'y' WHERE person_id = '{somebody}' RETURNING 1",
    "DELETE FROM mandant.person WHERE person_id = '{somebody}' RETURNING 1",
    "INSERT INTO mandant.person VALUES (gen_random_uuid(), 0, 1, 'x', 1, 'x', '2026-03-01', '2026-03-01') RETURNING 1",
    "TRUNCATE mandant.person",
)


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker"])
@pytest.mark.parametrize("situation", PERSON_SITUATIONS)
async def test_no_verb_reaches_another_persons_row(world: World, role: str, situation: str) -> None:
    names = {"me": world.me, "somebody": world.somebody, "mine": world.mine}
    for verb in PERSON_VERBS:
        connection: Any = await world.stack.connect(role)
        try:
            await connection.execute(PERSON_SITUATIONS[situation].format(**names))
            try:
                assert await connection.fetch(verb.format(**names)) == [], verb
            except asyncpg.InsufficientPrivilegeError:
                continue
        finally:
            await connection.close()


async def test_the_person_matrix_can_fail_oneself_one_sees(world: World) -> None:
    connection: Any = await world.stack.connect()
    async with connection.transaction():
        await connection.execute("SELECT mandant.set_person($1)", world.me)
        rows = await connection.fetch("SELECT person_id FROM mandant.person")
    assert [row["person_id"] for row in rows] == [world.me]
    await connection.close()
