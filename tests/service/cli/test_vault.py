"""`mandant vault`: everything opens, or the command says which row does not; and new keys reach everything."""

from uuid import UUID, uuid4

import pytest

from mandant.tenants.errors import DataOlderThanControl, NotUnique
from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.people import People
from mandant.tenants.session import Tenant
from mandant.vault.category import Category
from mandant.vault.envelope import generation_of
from mandant.vault.rotation import rotate
from mandant.vault.scopes import scope_id
from mandant.vault.stored import ScopeKind
from mandant.vault.wrapping import Purpose
from tests.service.cli.command import environment, mandant
from tests.stack import Stack
from tests.tenants.people.support import Newcomer, a_newcomer

TABLES = ("record", "tenant", "membership", "agreement")


@pytest.fixture
async def newcomer(people: People) -> Newcomer:
    """A company with a person and three customers."""
    made = await a_newcomer(people)
    tenant = Tenant(people.data, people.keyring, made.ids.tenant_id)
    await store.create_many(tenant, customers, [a_customer(n) for n in range(3)], at=people.clock.now())
    return made


def a_customer(number: int) -> Customer:
    return Customer(number=f"K{number}", last_name=f"Muster{number}", first_name="Anna")


async def run_sql(stack: Stack, statement: str, *values: object) -> None:
    connection = await stack.connect("postgres")
    try:
        await connection.execute(statement, *values)
    finally:
        await connection.close()


async def generations(stack: Stack, table: str, column: str, owner: UUID, sealed: str = "sealed") -> set[int]:
    connection = await stack.connect("postgres")
    try:
        rows = await connection.fetch(f"SELECT {sealed} FROM mandant.{table} WHERE {column} = $1", owner)
    finally:
        await connection.close()
    return {generation_of(row[0]) for row in rows}


async def test_status_counts_keys_and_shows_the_kms_keys_state_and_no_secret(
    stack: Stack, newcomer: Newcomer
) -> None:
    shown = await mandant(environment(stack), "vault", "status")
    assert shown.code == 0, shown.said
    for word in ("current", "enabled", "tenant", "operator", "person", "system", "behind control: 0"):
        assert word in shown.output
    assert newcomer.email not in shown.said


async def test_verify_opens_everything_of_everybody(stack: Stack, newcomer: Newcomer) -> None:
    for words in ((), ("--tenant", str(newcomer.ids.tenant_id))):
        verified = await mandant(environment(stack), "vault", "verify", *words)
        assert verified.code == 0, verified.said
        assert "all is well" in verified.output


@pytest.mark.parametrize(
    ("damage", "shown"),
    [
        ("UPDATE mandant.record SET sealed = sealed || '\\x00' WHERE tenant_id = $1", "Unopenable"),
        ("UPDATE mandant.record SET version = 2 WHERE tenant_id = $1", "Unopenable"),
        ("UPDATE mandant.record SET terms = '{7}' WHERE tenant_id = $1", "its terms are not those"),
        ("DELETE FROM mandant.unique_term WHERE tenant_id = $1", "a unique term is missing"),
        (
            "UPDATE mandant.unique_term SET term = reverse(term) WHERE tenant_id = $1",
            "a unique term is not of its values",
        ),
        ("UPDATE mandant.tenant SET sealed = sealed || '\\x00' WHERE tenant_id = $1", "tenant.sealed"),
        ("UPDATE mandant.membership SET version = version + 1 WHERE tenant_id = $1", "membership.sealed"),
        ("UPDATE mandant.agreement SET sealed = sealed || '\\x00' WHERE tenant_id = $1", "agreement.sealed"),
        ("UPDATE mandant.tenant SET key_state = 3 WHERE tenant_id = $1", "control is older than data"),
    ],
)
async def test_verify_names_the_row_that_is_wrong(
    stack: Stack, newcomer: Newcomer, damage: str, shown: str
) -> None:
    tenant_id = newcomer.ids.tenant_id
    statement = damage.replace("reverse(term)", "substr(term, 9) || substr(term, 1, 8)")
    await run_sql(stack, statement, tenant_id)
    verified = await mandant(environment(stack), "vault", "verify", "--tenant", str(tenant_id))
    assert verified.code == 1
    assert shown in verified.output
    assert str(tenant_id) in verified.output
    assert "Muster" not in verified.said
    assert "Traceback" not in verified.said
    await run_sql(stack, "DELETE FROM mandant.record WHERE tenant_id = $1", tenant_id)


async def test_rotate_then_re_encrypt_brings_all_tables_and_persons_to_the_newest_key(
    stack: Stack, newcomer: Newcomer
) -> None:
    tenant_id, person_id = newcomer.ids.tenant_id, newcomer.ids.person_id
    for words in (("rotate",), ("re-encrypt",)):
        done = await mandant(environment(stack), "vault", *words, "--all")
        # Tenants that another test damaged are named, and do not keep this one waiting.
        assert "Traceback" not in done.said
        assert str(tenant_id) not in done.said, done.said
    for table in TABLES:
        assert await generations(stack, table, "tenant_id", tenant_id) == {2}, table
    for column in ("sealed", "sealed_credentials"):
        assert await generations(stack, "person", "person_id", person_id, column) == {2}
    verified = await mandant(environment(stack), "vault", "verify", "--tenant", str(tenant_id))
    assert verified.code == 0, verified.said


async def test_rotate_of_one_category_leaves_the_others(stack: Stack, newcomer: Newcomer) -> None:
    tenant_id = newcomer.ids.tenant_id
    target = ("--tenant", str(tenant_id))
    done = await mandant(environment(stack), "vault", "rotate", *target, "--category", "module")
    assert done.code == 0, done.said
    assert (await mandant(environment(stack), "vault", "re-encrypt", *target)).code == 0
    assert await generations(stack, "record", "tenant_id", tenant_id) == {2}
    assert await generations(stack, "tenant", "tenant_id", tenant_id) == {1}


async def test_reindex_keeps_searches_and_uniqueness(stack: Stack, newcomer: Newcomer) -> None:
    tenant = Tenant(stack.data, stack.keyring, newcomer.ids.tenant_id)
    done = await mandant(
        environment(stack), "vault", "reindex", "--tenant", str(tenant.tenant_id), "--module", "customers"
    )
    assert done.code == 0, done.said
    found = await store.search(tenant, customers, [customers.look("last_name", "Muster1")])
    assert [one.record.number for one in found] == ["K1"]
    with pytest.raises(NotUnique):
        await store.create(tenant, customers, a_customer(1), at=stack.clock.now())
    verified = await mandant(environment(stack), "vault", "verify", "--tenant", str(tenant.tenant_id))
    assert verified.code == 0, verified.said


async def test_records_of_a_module_that_is_not_declared_stop_a_reindex_before_it_begins(
    stack: Stack, newcomer: Newcomer
) -> None:
    tenant_id = newcomer.ids.tenant_id
    await run_sql(
        stack,
        "INSERT INTO mandant.record SELECT tenant_id, 'boats', $2, version, generation, index_generation,"
        " terms, sealed, created_at, updated_at FROM mandant.record WHERE tenant_id = $1 LIMIT 1",
        tenant_id,
        uuid4(),
    )
    for command in ("reindex", "re-encrypt"):
        done = await mandant(environment(stack), "vault", command, "--tenant", str(tenant_id))
        assert done.code == 1
        assert "not declared here: boats" in done.said
    assert await generations(stack, "record", "tenant_id", tenant_id) == {1}


async def test_a_crash_between_fact_and_data_is_mended_by_the_next_command(
    stack: Stack, newcomer: Newcomer
) -> None:
    tenant_id = newcomer.ids.tenant_id
    scope = scope_id(tenant_id, ScopeKind.TENANT)
    await rotate(stack.control, stack.provider, scope, Category.MODULE, Purpose.SEAL, stack.clock.now())
    stack.keyring.evict(scope)  # as a process that starts now
    tenant = Tenant(stack.data, stack.keyring, tenant_id)
    with pytest.raises(DataOlderThanControl):
        await store.page(tenant, customers)
    verified = await mandant(environment(stack), "vault", "verify", "--tenant", str(tenant_id))
    assert "the worker replays it" in verified.output
    done = await mandant(environment(stack), "vault", "re-encrypt", "--tenant", str(tenant_id))
    assert done.code == 0, done.said
    assert await generations(stack, "record", "tenant_id", tenant_id) == {2}
    assert len(await store.page(tenant, customers)) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verify", "--tenant", str(uuid4())), "no tenant"),
        (("verify", "--tenant", "muster"), "not a valid UUID"),
        (("rotate",), "--tenant ID, or --all"),
        (("rotate", "--all", "--category", "bread"), "'bread' is not one of"),
        (("reindex", "--all", "--module", "boats"), "no module 'boats'"),
    ],
)
async def test_a_wrong_use_gets_one_sentence(stack: Stack, words: tuple[str, ...], said: str) -> None:
    ended = await mandant(environment(stack), "vault", *words)
    assert ended.code != 0
    assert said in " ".join(ended.said.replace("│", " ").split())
    assert "Traceback" not in ended.said


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("MANDANT_CONTROL_WORKER_URL", "postgresql://mandant_worker@127.0.0.1:9/x", "control database"),
        ("MANDANT_DATABASE_WORKER_URL", "postgresql://mandant_worker@127.0.0.1:9/x", "does not answer"),
        ("MANDANT_DATABASE_WORKER_URL", "", "no database URL is set for mandant_worker"),
        ("MANDANT_KEY_FILE", "/nowhere/keys.json", "missing"),
        ("MANDANT_KMS", "bank", "MANDANT_KMS"),
    ],
)
async def test_an_installation_that_does_not_answer_gets_one_sentence(
    stack: Stack, newcomer: Newcomer, variable: str, value: str, said: str
) -> None:
    ended = await mandant(environment(stack, **{variable: value}), "vault", "status")
    assert ended.code == 1
    assert said in ended.said
    assert "Traceback" not in ended.said


async def test_re_wrap_takes_a_tenants_own_key_and_gives_it_back(stack: Stack, newcomer: Newcomer) -> None:
    tenant_id = newcomer.ids.tenant_id
    own = await stack.provider.create_key({"owner": str(tenant_id)}, "a tenant's own")
    for options in (("--byok", own), ("--no-byok",)):
        said = await mandant(environment(stack), "vault", "re-wrap", "--tenant", str(tenant_id), *options)
        assert said.code == 0, said.said
        page = await store.page(Tenant(stack.data, stack.keyring, tenant_id), customers)
        assert len(page) == 3
    said = await mandant(
        environment(stack), "vault", "re-wrap", "--tenant", str(tenant_id), "--byok", "local:none"
    )
    assert said.code == 1
    assert "Traceback" not in said.said
    assert len(await store.page(Tenant(stack.data, stack.keyring, tenant_id), customers)) == 3
