"""A POST that is sent twice is done once: the answer is kept with the change and given again.

    async with open_session(..., write=True) as session:
        attempt = await begin(session, request, clock)
        if attempt.replay is not None:
            return attempt.replay
        created = await store.create(session, ...)
        return await attempt.keep(201, created, {"Location": ...})

Without the header Idempotency-Key nothing is kept. The row commits with the change or not at all. Two
requests with one key at once: one is done, the other gets 409 and may come again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response

from mandant.service.edge.own_path import own_path
from mandant.service.errors import IdempotencyBusy, IdempotencyMismatch
from mandant.tenants.errors import Invalid
from mandant.tenants.modules.importing import known
from mandant.tenants.session import TenantSession
from mandant.vault.category import Category
from mandant.vault.clock import Clock
from mandant.vault.envelope import Place, generation_of
from mandant.vault.index import unique_term

HEADER = "idempotency-key"
KEPT = timedelta(hours=24)

_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_PLACE = Place("idempotency", "response")


class Kept(msgspec.Struct, frozen=True):
    """What is sealed: body and headers of the answer."""

    body: bytes
    media_type: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request. `replay` is the answer of the first one with this key, None when this is the first."""

    session: TenantSession
    key_term: bytes | None
    request_hash: bytes
    now: datetime
    kept_for: timedelta
    replay: Response[bytes] | None = None

    async def keep(
        self, status: int, content: Any, headers: Mapping[str, str] | None = None
    ) -> Response[bytes]:
        """The answer to give, kept under the key if there is one; `content` is encoded as JSON."""
        kept = Kept(msgspec.json.encode(content), "application/json", dict(headers or {}))
        if self.key_term is not None:
            await self._store(self.key_term, status, kept)
        return Response(kept.body, status_code=status, headers=kept.headers, media_type=kept.media_type)

    async def _store(self, key_term: bytes, status: int, kept: Kept) -> None:
        key = self.session.keys().seal_key(Category.MODULE)
        sealed = key.sealer(_PLACE).seal(UUID(bytes=key_term), 1, msgspec.msgpack.encode(kept))
        await self.session.connection.execute(
            "INSERT INTO mandant.idempotency"
            " (tenant_id, key_term, request_hash, status, sealed, created_at, expires_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            self.session.tenant_id,
            key_term,
            self.request_hash,
            status,
            sealed,
            self.now,
            self.now + self.kept_for,
        )


async def begin(
    session: TenantSession,
    request: Request[Any, Any, Any],
    clock: Clock,
    *,
    caller: str = "",
    digest: bytes | None = None,
    kept_for: timedelta = KEPT,
) -> Attempt:
    """Look whether this request was done already. `caller` separates the keys of different persons.

    Read the body (`await request.body()`) before the session is opened: here it is only looked at again;
    or give the `digest` of one that went by in pieces.
    Raises: IdempotencyBusy, IdempotencyMismatch, Invalid for a key that is none.
    """
    key = request.headers.get(HEADER)
    now = clock.now()
    if key is None:
        return Attempt(session, None, b"", now, kept_for)
    if _KEY.fullmatch(key) is None:
        raise Invalid([("Idempotency-Key", "1 to 255 visible ASCII characters")])
    # Not the index key: a reindex replaces it, and what was done before would be done again.
    term_key = await known.term_key(session)
    key_term = unique_term(
        term_key, "idempotency", "key", f"{request.method} {own_path(request)} {caller} {key}"
    )
    if digest is None:
        digest = hashlib.blake2b(await request.body(), digest_size=32).digest()
    request_hash = unique_term(term_key, "idempotency", "request", f"{request.url.query} {digest.hex()}")
    if not await _alone(session, key_term):
        raise IdempotencyBusy
    await session.connection.execute(
        "DELETE FROM mandant.idempotency WHERE tenant_id = $1 AND expires_at <= $2", session.tenant_id, now
    )
    row = await session.connection.fetchrow(
        "SELECT request_hash, status, sealed FROM mandant.idempotency WHERE tenant_id = $1 AND key_term = $2",
        session.tenant_id,
        key_term,
    )
    if row is None:
        return Attempt(session, key_term, request_hash, now, kept_for)
    if row["request_hash"] != request_hash:
        raise IdempotencyMismatch
    return Attempt(session, key_term, request_hash, now, kept_for, _opened(session, key_term, row))


async def _alone(session: TenantSession, key_term: bytes) -> bool:
    """Whether no other open transaction works on this key; holds until this transaction ends."""
    number = int.from_bytes(key_term[:8], "big", signed=True)
    return bool(await session.connection.fetchval("SELECT pg_try_advisory_xact_lock($1::bigint)", number))


def _opened(session: TenantSession, key_term: bytes, row: Any) -> Response[bytes]:
    sealed: bytes = row["sealed"]
    key = session.keys().open_key(Category.MODULE, generation_of(sealed))
    plain = key.sealer(_PLACE).open(UUID(bytes=key_term), 1, sealed)
    kept = msgspec.msgpack.decode(plain, type=Kept)
    return Response(
        kept.body,
        status_code=row["status"],
        headers={**kept.headers, "Idempotent-Replayed": "true"},
        media_type=kept.media_type,
    )
