"""One owner's log on a real control database, and the story of a support access to fill it with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.envelope import DataKey
from mandant.vault.ledger import (
    Appended,
    Checkpoint,
    Entry,
    Signers,
    append,
    ensure_signer,
    open_ledger,
    read_bundle,
    sign_checkpoint,
    verify_bundle,
    write_bundle,
)
from mandant.vault.ledger.canonical import Json
from mandant.vault.ledger.leaf import time_text
from mandant.vault.ledger.verdict import Verdict
from mandant.vault.open_scope import OpenScope
from mandant.vault.scopes import SYSTEM, scope_id
from mandant.vault.stored import ScopeKind
from tests.stack import Stack

AGENT, REVIEWER, TENANT = (UUID(int=number) for number in (1, 2, 3))


@dataclass
class OwnLog:
    """A log and what appends to it and signs it."""

    stack: Stack
    owner: UUID
    scope: OpenScope
    key: DataKey
    signers: Signers
    origin: str

    @classmethod
    async def open(cls, stack: Stack) -> OwnLog:
        owner = (await stack.tenant()).tenant_id
        system = await stack.keyring.open(scope_id(SYSTEM, ScopeKind.SYSTEM))
        signers = await ensure_signer(stack.control, system, stack.clock.now())
        scope = await stack.keyring.open(scope_id(owner, ScopeKind.OPERATOR))
        async with stack.control.transaction() as connection:
            origin = await open_ledger(connection, owner, signers.newest, stack.clock.now())
        return cls(stack, owner, scope, scope.seal_key(Category.ACCOUNTABILITY), signers, origin)

    async def append(self, *entries: Entry) -> Appended:
        self.stack.clock.advance(timedelta(seconds=1))
        async with self.stack.control.transaction() as connection:
            return await append(connection, self.owner, self.key, entries, self.stack.clock.now())

    async def days(self, count: int) -> None:
        for _ in range(count):
            await self.append(Entry("day", {}))

    async def sign(self) -> Checkpoint:
        return await sign_checkpoint(self.stack.control, self.signers, self.owner, self.stack.clock.now())

    async def bundle(self) -> bytes:
        return b"".join([piece async for piece in write_bundle(self.stack.control, self.scope, self.owner)])

    async def verify(self, since: Sequence[bytes] = ()) -> Verdict:
        return verified(await self.bundle(), since=since)

    async def look(self) -> list[Entry]:
        """A whole, rightful access, one checkpoint after each step. Returns its entries."""
        story = access_story(time_text(self.stack.clock.now()), time_text(self.stack.clock.now() + HOUR))
        for entry in story:
            await self.append(entry)
            await self.sign()
        return story

    async def elsewhere(self, database: str) -> OwnLog:
        """The same log on a copy of the control database; its pool is the caller's to close."""
        url = self.stack.server.dsn("mandant_app", database)
        return replace(self, stack=replace(self.stack, control=await ControlDatabase.open(url, size=2)))

    async def tamper(self, *statements: str) -> None:
        """As a database administrator, who is stopped neither by rights nor by triggers nor by checks."""
        connection: Any = await asyncpg.connect(self.stack.control_url("postgres"))
        try:
            await connection.execute("SET session_replication_role = replica")
            await connection.execute("ALTER TABLE control.ledger_leaf DROP CONSTRAINT IF EXISTS leaf_hash")
            for statement in statements:
                await connection.execute(statement.format(owner=f"'{self.owner}'"))
        finally:
            await connection.close()


HOUR = timedelta(hours=1)


def verified(bundle: bytes, *, since: Sequence[bytes] = (), key: str | None = None) -> Verdict:
    return verify_bundle(read_bundle(bundle.splitlines(keepends=True)), since=since, key=key)


def codes(verdict: Verdict) -> list[str]:
    return [one.code for one in verdict.findings]


def access_story(start: str, until: str, **changes: dict[str, Json]) -> list[Entry]:
    """Request to end, in order. `changes`: kind -> fields that are said differently."""
    request, grant, access = (str(uuid4()) for _ in range(3))

    def entry(kind: str, said: dict[str, Json], **hidden: Json) -> Entry:
        return Entry(kind, {**said, **changes.get(kind, {})}, hidden)

    def notice(of: str, about: str) -> Entry:
        return Entry("notice", {"notice": str(uuid4()), "of": of, "about": about, "channels": ["account"]})

    asked: dict[str, Json] = {
        "request": request,
        "agent": str(AGENT),
        "mode": "ordinary",
        "access": "read",
        "modules": ["customers"],
        "records": "named",
        "seconds": 3600,
    }
    looked: dict[str, Json] = {
        "access": access,
        "grant": grant,
        "agent": str(AGENT),
        "action": "read",
        "module": "customers",
        "count": 1,
    }
    return [
        entry(
            "request", asked, name="Änne Müller", reason="«ticket» 4711: \u2028 list is empty", ticket="4711"
        ),
        notice(request, "request"),
        entry("approve", {"request": request, "by": str(REVIEWER), "as": "staff"}, name="R. Viewer"),
        entry("approve", {"request": request, "by": str(TENANT), "as": "tenant"}),
        entry("grant", {"grant": grant, "request": request, "from": start, "until": until}),
        entry("access", looked, records=[str(uuid4())], reason="look"),
        notice(access, "access"),
        entry("result", {"access": access, "outcome": "done", "count": 1}, kms=["req-1"]),
        entry("end", {"grant": grant, "why": "early"}),
        notice(grant, "end"),
    ]
