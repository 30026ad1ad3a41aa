"""The epoch's KMS key is written down once: whoever speaks to control as the application cannot change it."""

import asyncpg
import pytest

from tests.stack import Stack


@pytest.mark.parametrize("role", ["mandant_app", "mandant_worker"])
async def test_a_current_epoch_is_changed_by_no_process(stack: Stack, role: str) -> None:
    connection = await asyncpg.connect(stack.server.dsn(role, stack.control_name))
    before = await connection.fetch("SELECT * FROM control.epoch")
    assert [row["state"] for row in before] == ["current"]
    for change in ("state = 'gone'", "key_ref = 'another'"):
        assert await connection.execute(f"UPDATE control.epoch SET {change}") == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(
            "INSERT INTO control.epoch (epoch, provider, key_ref, state, created_at)"
            " SELECT 2, provider, 'another', 'retiring', created_at FROM control.epoch"
        )
    assert await connection.fetch("SELECT * FROM control.epoch") == before
    await connection.close()
