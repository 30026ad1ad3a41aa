"""The port to the job queue: a job is enqueued in the transaction of the change that causes it.

    await jobs.enqueue(session, "import_rows", job_id=import_id)

A job carries ids, never content: what it works on lies sealed in a tenant's table. So an argument is a
UUID, a small whole number, or a word under one of the keys of `WORD_KEYS`; anything else is refused,
here and once more by PostgreSQL (`queue_api.enqueue`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from mandant.tenants.errors import TenantsError

if TYPE_CHECKING:
    from mandant.tenants.session import TenantSession

__all__ = ["MAX_ARGUMENTS", "MAX_NUMBER", "WORD_KEYS", "Jobs", "NotAnId", "job_arguments"]

# Under these keys stands a word that the code chose, never one that a person typed.
WORD_KEYS = frozenset({"category", "format", "mode", "module", "step"})
MAX_ARGUMENTS = 8
# Telephone numbers, AHV numbers and IBAN digits do not fit.
MAX_NUMBER = 2**31 - 1

_KEY = re.compile(r"[a-z][a-z0-9_]{0,39}")
_WORD = re.compile(r"[a-z][a-z0-9_]{0,31}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
# Set by the queue itself.
_RESERVED = frozenset({"tenant_id", "timestamp"})


class NotAnId(TenantsError):
    """A job's argument is not an id. The message names the key and never the value."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(f"job argument {key!r} is no id; store the content sealed and pass its id")


class Jobs(Protocol):
    """The queue, as the code of a tenant sees it."""

    async def enqueue(
        self, session: TenantSession, task: str, job_id: UUID | None = None, **ids: str | int | UUID
    ) -> int:
        """Put a job of the session's tenant into the queue; it exists once the session commits.

        `job_id` names the tenant's own row that the job works on: while a job of the same task and
        `job_id` waits, the same job is returned and no second one made, and two of them never run at once.
        Returns the queue's number of the job. Raises: NotAnId.
        """
        ...


def job_arguments(job_id: UUID | None, ids: Mapping[str, str | int | UUID]) -> dict[str, str | int]:
    """What goes into the queue's row. Raises: NotAnId for whatever is not an id."""
    arguments = {key: _argument(key, value) for key, value in ids.items()}
    if job_id is not None:
        arguments["job_id"] = str(job_id)
    if len(arguments) > MAX_ARGUMENTS:
        raise NotAnId(max(arguments))
    return arguments


def _argument(key: str, value: str | int | UUID) -> str | int:
    if key in _RESERVED or not _KEY.fullmatch(key):
        raise NotAnId(key[:40])
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_NUMBER:
        return int(value)
    if isinstance(value, str) and _UUID.fullmatch(value):
        return str(value)
    if isinstance(value, str) and key in WORD_KEYS and _WORD.fullmatch(value):
        return str(value)
    raise NotAnId(key)
