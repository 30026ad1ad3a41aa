"""The ledger is only ever added to: by rights for the application, by a trigger for whoever owns the tables."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from mandant.vault.ledger.merkle import leaf_hash
from tests.stack import Stack
from tests.vault.ledger.world import OwnLog


@pytest.fixture
async def log(stack: Stack) -> OwnLog:
    return await OwnLog.open(stack)


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker", "mandant_owner", "mandant_staff"])
@pytest.mark.parametrize("table", ["ledger", "ledger_leaf", "ledger_checkpoint", "ledger_signer"])
@pytest.mark.parametrize(
    "verb", ["UPDATE control.{} SET at = at", "DELETE FROM control.{}", "TRUNCATE control.{} CASCADE"]
)
async def test_nobody_changes_or_removes_what_is_there(log: OwnLog, role: str, table: str, verb: str) -> None:
    connection: Any = await asyncpg.connect(log.stack.control_url(role))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(verb.format(table))
    finally:
        await connection.close()


async def test_postgresql_itself_refuses_a_leaf_that_is_too_large_or_another_than_its_hash(
    log: OwnLog,
) -> None:
    connection: Any = await asyncpg.connect(log.stack.control_url("mandant_app"))
    try:
        for leaf, nodes in ((b"x" * 65_536, leaf_hash(b"x" * 65_536)), (b"{}", bytes(32))):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(
                    "INSERT INTO control.ledger_leaf VALUES ($1, 9, 'day', $2, $3, NULL, $4)",
                    *(log.owner, leaf, nodes, log.stack.clock.now()),
                )
    finally:
        await connection.close()
