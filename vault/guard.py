"""No call over the network while a database transaction is open.

A transaction that waits for the KMS holds its locks, its connection and its snapshot for as long as
somebody else's service likes. The tenant session says that one is open; whoever is about to use the
network asks here first. Always on: it costs one look-up.

Example::

    token = transaction_open.set(True)   # the session, at BEGIN
    forbid_network("kms")                # raises NetworkInTransaction
    transaction_open.reset(token)        # the session, after COMMIT or ROLLBACK
"""

from __future__ import annotations

from contextvars import ContextVar

from mandant.vault.errors import VaultError

__all__ = ["NetworkInTransaction", "forbid_network", "transaction_open"]

transaction_open: ContextVar[bool] = ContextVar("mandant.vault.guard.transaction_open", default=False)


class NetworkInTransaction(VaultError):
    """A bug in the caller: it must fetch what it needs from the network before it opens the transaction."""


def forbid_network(what: str) -> None:
    """Nothing, unless the caller's context has a transaction open. `what` names the service, for the message.

    Call it before a task is made: a task started for several callers runs in a copy of the context of the
    first, which says nothing about the others.

    Raises: NetworkInTransaction.
    """
    if transaction_open.get():
        raise NetworkInTransaction(f"{what} must not be called while a database transaction is open")
