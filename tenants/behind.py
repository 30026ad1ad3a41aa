"""Whose data has not seen its last control fact, and carrying that out for everybody.

    async for difference in differences(control, data): ...
    replayed = await replay_all(control, data, clock.now())

Asked from control's side: only owners with a fact can be behind, and most persons never have one. The
databases have to be connected to as mandant_worker.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from mandant.tenants.database import DataDatabase
from mandant.tenants.errors import NotFound
from mandant.tenants.replay import UnknownFact, replay, replay_person
from mandant.vault.control import ControlDatabase

PAGE = 1000


@dataclass(frozen=True, slots=True)
class Difference:
    """An owner whose number differs. `data` under `control`: behind; above: control was restored."""

    owner: UUID
    kind: Literal["tenant", "person"]
    data: int
    control: int

    @property
    def behind(self) -> bool:
        """Whether replaying mends it."""
        return self.data < self.control


@dataclass(frozen=True, slots=True)
class Replayed:
    """`owners` were brought up to control. `stuck` have a fact that this version cannot carry out."""

    owners: int
    stuck: tuple[UUID, ...]


async def differences(control: ControlDatabase, data: DataDatabase) -> AsyncIterator[Difference]:
    """Every tenant and person whose number in data is not control's. Raises: ControlUnavailable."""
    after = UUID(int=0)
    while True:
        async with control.transaction() as connection:
            facts = await connection.fetch(
                "SELECT f.owner, max(f.sequence) AS sequence FROM control.fact f WHERE f.owner > $1"
                " GROUP BY f.owner ORDER BY f.owner LIMIT $2",
                after,
                PAGE,
            )
        last = {fact["owner"]: fact["sequence"] for fact in facts}
        rows = await data.pool.fetch(
            "SELECT * FROM directory.behind($1, $2)", list(last), list(last.values())
        )
        for row in rows:
            yield Difference(row["owner"], row["kind"], row["key_state"], last[row["owner"]])
        if len(facts) < PAGE:
            return
        after = facts[-1]["owner"]


async def replay_all(control: ControlDatabase, data: DataDatabase, at: datetime) -> Replayed:
    """Carry out every missing fact. One owner that cannot be helped does not keep the others waiting."""
    owners = 0
    stuck: list[UUID] = []
    async for difference in differences(control, data):
        if not difference.behind:
            continue
        try:
            if difference.kind == "tenant":
                await replay(control, data, difference.owner, at)
            else:
                await replay_person(control, data, difference.owner, at)
        except UnknownFact:
            stuck.append(difference.owner)
        except NotFound:
            continue  # gone since it was listed
        else:
            owners += 1
    return Replayed(owners, tuple(stuck))
