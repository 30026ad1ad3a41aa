"""The hook of tests/no_network.py goes red for an offender: each of these offends on purpose."""

import asyncio
import contextlib
import smtplib
import socket
from collections.abc import Callable, Iterator

import boto3
import httpx
import pytest

from mandant.tenants.session import open_session
from mandant.vault.guard import NetworkInTransaction, transaction_open
from tests.no_network import OFFENCES
from tests.stack import Stack


@pytest.fixture
def port() -> Iterator[int]:
    """Somebody who listens and never answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield int(server.getsockname()[1])


def by_socket(port: int) -> None:
    socket.create_connection(("127.0.0.1", port), timeout=1).close()


def by_httpx(port: int) -> None:
    httpx.get(f"http://127.0.0.1:{port}", timeout=1)


def by_smtp(port: int) -> None:
    smtplib.SMTP("127.0.0.1", port, timeout=1)


def by_boto(port: int) -> None:
    client = boto3.client(
        "kms",
        region_name="eu-central-2",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    client.list_keys()


def _named_offences() -> list[str]:
    """What was noticed; forgotten, so that the test which offended on purpose is green."""
    found = list(OFFENCES)
    OFFENCES.clear()
    return found


@pytest.mark.parametrize("offend", [by_socket, by_httpx, by_smtp, by_boto])
@pytest.mark.parametrize("in_thread", [False, True], ids=["in the loop", "in a thread"])
async def test_a_call_inside_a_session_is_noticed(
    stack: Stack, port: int, offend: Callable[[int], None], in_thread: bool
) -> None:
    tenant = await stack.tenant()
    async with open_session(tenant.data, tenant.keyring, tenant.tenant_id):
        with contextlib.suppress(Exception):  # also where the offender swallows it
            await asyncio.to_thread(offend, port) if in_thread else offend(port)
    assert _named_offences() != []


async def test_a_coroutine_that_connects_is_noticed(stack: Stack, port: int) -> None:
    tenant = await stack.tenant()
    async with open_session(tenant.data, tenant.keyring, tenant.tenant_id):
        with pytest.raises(NetworkInTransaction):
            await asyncio.open_connection("127.0.0.1", port)
    assert _named_offences() != []


async def test_a_connection_that_was_open_before_is_noticed_when_it_sends(stack: Stack, port: int) -> None:
    tenant = await stack.tenant()
    with socket.create_connection(("127.0.0.1", port)) as before:
        async with open_session(tenant.data, tenant.keyring, tenant.tenant_id):
            with pytest.raises(NetworkInTransaction):
                before.sendall(b"GET / HTTP/1.0\r\n\r\n")
    assert _named_offences() != []


async def test_a_transaction_that_nobody_announced_is_noticed(stack: Stack, port: int) -> None:
    async with stack.data.pool.acquire() as connection, connection.transaction():
        with pytest.raises(NetworkInTransaction):
            by_socket(port)
    assert _named_offences() != []


async def test_before_and_after_a_transaction_the_network_is_free(stack: Stack, port: int) -> None:
    tenant = await stack.tenant()
    by_socket(port)
    async with open_session(tenant.data, tenant.keyring, tenant.tenant_id) as session:
        await session.connection.fetchval("SELECT 1")
    by_socket(port)
    async with stack.control.transaction() as connection:
        await connection.fetchval("SELECT 1")
    by_socket(port)
    assert OFFENCES == []


async def test_a_session_and_a_control_transaction_say_that_they_are_open(stack: Stack) -> None:
    """What vault/guard.py goes by, in production too."""
    tenant = await stack.tenant()
    async with open_session(tenant.data, tenant.keyring, tenant.tenant_id):
        assert transaction_open.get()
    async with stack.control.transaction():
        assert transaction_open.get()
    assert not transaction_open.get()
