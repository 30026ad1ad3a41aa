"""Fails every test in which something goes over the network while a database transaction is open.

vault/guard.py asks where our code knows that it is about to use the network. This looks at the sockets
themselves, so that no adapter and no library gets by: connecting, sending and resolving names, in the event
loop and in the threads that it starts. PostgreSQL is reached through unix sockets in all tests; whatever
else is spoken to while `transaction_open` says so, or while an asyncpg transaction is running that nobody
announced, is an offence, and fails the test also where the code that offended catches the exception.
"""

import asyncio
import contextvars
import socket
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

import pytest
from asyncpg.transaction import Transaction, TransactionState

from mandant.vault.guard import NetworkInTransaction, transaction_open

__all__ = ["OFFENCES", "no_network_in_transactions"]

OFFENCES: list[str] = []
_started: ContextVar[tuple[Any, ...]] = ContextVar("tests.no_network.started", default=())


@pytest.fixture(autouse=True)
def no_network_in_transactions() -> Iterator[None]:
    """For every test: none of what it started used the network inside a transaction."""
    OFFENCES.clear()
    yield
    assert OFFENCES == []


def _check(what: str, sock: Any, address: Any = None) -> None:
    if not (transaction_open.get() or any(map(_is_open, _started.get()))):
        return
    if getattr(sock, "family", None) == socket.AF_UNIX:
        try:
            name = str(address if address is not None else sock.getpeername())
        except OSError:
            name = ""
        # Without a name it is the event loop's own pair, by which threads wake it.
        if not name or ".s.PGSQL." in name:
            return
    OFFENCES.append(f"{what} {address or ''} inside a database transaction")
    raise NetworkInTransaction(OFFENCES[-1])


def _guarded(original: Callable[..., Any], what: str, *, has_address: bool = False) -> Callable[..., Any]:
    def method(sock: Any, *arguments: Any) -> Any:
        _check(what, sock, arguments[0] if has_address else None)
        return original(sock, *arguments)

    return method


def _resolving(original: Callable[..., Any]) -> Callable[..., Any]:
    def getaddrinfo(host: Any, *arguments: Any, **more: Any) -> Any:
        _check("resolve", None, host)
        return original(host, *arguments, **more)

    return getaddrinfo


def _in_context(original: Callable[..., Any]) -> Callable[..., Any]:
    """Threads of the loop know the transaction of whoever started them."""

    def run_in_executor(loop: Any, executor: Any, function: Any, *arguments: Any) -> Any:
        return original(loop, executor, contextvars.copy_context().run, function, *arguments)

    return run_in_executor


def _remembered(original: Callable[..., Any]) -> Callable[..., Any]:
    async def start(transaction: Any) -> Any:
        answer = await original(transaction)
        _started.set((*filter(_is_open, _started.get()), transaction))
        return answer

    return start


def _is_open(transaction: Any) -> bool:
    connection = transaction._connection
    started = transaction._state is TransactionState.STARTED
    return started and not connection.is_closed() and connection.is_in_transaction()


def _install() -> None:
    patched: Any = socket.socket
    for name in ("connect", "connect_ex"):
        setattr(patched, name, _guarded(getattr(patched, name), name, has_address=True))
    for name in ("send", "sendall", "sendmsg", "sendto"):
        setattr(patched, name, _guarded(getattr(patched, name), name))
    module: Any = socket
    module.getaddrinfo = _resolving(socket.getaddrinfo)
    loop: Any = asyncio.BaseEventLoop
    loop.run_in_executor = _in_context(loop.run_in_executor)
    database: Any = Transaction
    database.start = _remembered(database.start)


_install()
