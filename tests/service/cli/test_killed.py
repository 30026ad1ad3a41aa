"""kill -9 in the middle of a re-encryption or a reindex: run it again, and nothing is lost or doubled."""

import signal
from collections.abc import AsyncIterator
from uuid import UUID

import pytest
import pytest_asyncio

from mandant.tenants.errors import NotUnique
from mandant.tenants.modules import store
from mandant.tenants.modules.customers import Customer, customers
from mandant.tenants.session import Tenant
from mandant.vault.envelope import generation_of
from tests.service.cli.command import begin, environment, mandant
from tests.stack import Stack

MANY = 20_000


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tenant(stack: Stack) -> AsyncIterator[Tenant]:
    tenant = await stack.tenant()
    for start in range(0, MANY, 5000):
        batch = [Customer(number=f"K{n}", last_name=f"Muster{n}") for n in range(start, start + 5000)]
        await store.create_many(tenant, customers, batch, at=stack.clock.now())
    yield tenant


async def spread(stack: Stack, tenant_id: UUID) -> dict[tuple[int, int], int]:
    """How many records stand at which (seal generation, index generation)."""
    connection = await stack.connect("postgres")
    try:
        rows = await connection.fetch(
            "SELECT sealed, index_generation FROM mandant.record WHERE tenant_id = $1", tenant_id
        )
    finally:
        await connection.close()
    found: dict[tuple[int, int], int] = {}
    for row in rows:
        at = (generation_of(row["sealed"]), row["index_generation"])
        found[at] = found.get(at, 0) + 1
    return found


async def killed_in_the_middle(stack: Stack, tenant_id: UUID, command: str) -> None:
    """Start the command, wait until some records are done, kill it."""
    before = set(await spread(stack, tenant_id))
    process = await begin(environment(stack), "vault", command, "--tenant", str(tenant_id))
    while not set(await spread(stack, tenant_id)) - before:
        assert process.returncode is None
    process.send_signal(signal.SIGKILL)
    assert await process.wait() == -signal.SIGKILL
    assert len(await spread(stack, tenant_id)) == 2, "some are done and some are not"


@pytest.mark.parametrize("command", ["re-encrypt", "reindex"])
async def test_a_killed_run_is_taken_up_again(stack: Stack, tenant: Tenant, command: str) -> None:
    target = ("--tenant", str(tenant.tenant_id))
    assert (await mandant(environment(stack), "vault", "rotate", *target, "--category", "module")).code == 0
    await killed_in_the_middle(stack, tenant.tenant_id, command)
    found = await store.search(tenant, customers, [customers.look("number", "K19999")])
    assert len(found) == 1, "searched while half of it is done"
    again = await mandant(environment(stack), "vault", command, *target)
    assert again.code == 0, again.said
    where = await spread(stack, tenant.tenant_id)
    assert sum(where.values()) == MANY
    assert len(where) == 1, where
    verified = await mandant(environment(stack), "vault", "verify", *target)
    assert verified.code == 0, verified.said
    for number in (0, 7777, MANY - 1):
        found = await store.search(tenant, customers, [customers.look("last_name", f"Muster{number}")])
        assert [one.record.number for one in found] == [f"K{number}"]
        assert found[0].version == 1
        with pytest.raises(NotUnique):
            await store.create(
                tenant, customers, Customer(number=f"K{number}", last_name="x"), at=stack.clock.now()
            )
