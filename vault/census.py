"""What the control database holds, counted: epochs, scopes, generations. No ids, no secrets."""

from dataclasses import dataclass
from datetime import datetime

from mandant.vault.category import Category
from mandant.vault.control import ControlDatabase
from mandant.vault.wrapping import Purpose

__all__ = ["Census", "EpochCount", "KeyCount", "take_census"]


@dataclass(frozen=True, slots=True)
class EpochCount:
    """One epoch and the scope keys that its KMS key wraps."""

    epoch: int
    provider: str
    key_ref: str
    state: str
    created_at: datetime
    scope_keys: int
    byok: int


@dataclass(frozen=True, slots=True)
class KeyCount:
    """Category keys of one kind of scope. `newest`: the highest generation of any scope."""

    kind: str
    category: Category
    purpose: Purpose
    living: int
    shredded: int
    newest: int


@dataclass(frozen=True, slots=True)
class Census:
    """`scopes`: kind -> how many. `facts`: kind -> how many."""

    epochs: tuple[EpochCount, ...]
    scopes: dict[str, int]
    keys: tuple[KeyCount, ...]
    facts: dict[str, int]


async def take_census(control: ControlDatabase) -> Census:
    """Count everything, in one transaction. Raises: ControlUnavailable."""
    async with control.transaction() as connection:
        epochs = await connection.fetch(
            "SELECT e.epoch, e.provider, e.key_ref, e.state, e.created_at, count(k.scope_id) AS scope_keys,"
            " count(k.byok_key_ref) AS byok FROM control.epoch e"
            " LEFT JOIN control.scope_key k ON k.epoch = e.epoch GROUP BY e.epoch ORDER BY e.epoch"
        )
        scopes = await connection.fetch(
            "SELECT s.kind, count(*) AS many FROM control.scope s GROUP BY s.kind ORDER BY s.kind"
        )
        keys = await connection.fetch(
            "SELECT s.kind, c.category, c.purpose, count(c.wrapped) AS living,"
            " count(c.shredded_at) AS shredded, max(c.generation) AS newest"
            " FROM control.category_key c JOIN control.scope s ON s.scope_id = c.scope_id"
            " GROUP BY s.kind, c.category, c.purpose ORDER BY s.kind, c.category, c.purpose"
        )
        facts = await connection.fetch(
            "SELECT f.kind, count(*) AS many FROM control.fact f GROUP BY f.kind ORDER BY f.kind"
        )
    return Census(
        tuple(EpochCount(*row) for row in epochs),
        {row["kind"]: row["many"] for row in scopes},
        tuple(KeyCount(row[0], Category(row[1]), Purpose(row[2]), *row[3:]) for row in keys),
        {row["kind"]: row["many"] for row in facts},
    )
