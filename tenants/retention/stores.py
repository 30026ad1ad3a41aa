"""What lies outside the columns of the data database: objects, queues, log streams, the control database.

A column says its category in its comment; these say it here. And rows that go before their category does.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from mandant.vault.category import Category

__all__ = ["EARLIER", "STORES", "Earlier", "Kind", "Store", "control_tables"]

Kind = Literal["object prefix", "queue", "log stream", "control table"]


@dataclass(frozen=True, slots=True)
class Store:
    """One place where data lies. `holds`: what, in a few words."""

    kind: Kind
    name: str
    category: Category
    holds: str


STORES: tuple[Store, ...] = (
    Store("object prefix", "<tenant id>/", Category.MODULE, "sealed files; names are two random ids"),
    Store("queue", "tenant", Category.DIRECTORY, "jobs of tenants: ids, no content"),
    Store("queue", "operator", Category.DIRECTORY, "jobs of the operator: ids, no content"),
    Store("queue", "timers", Category.DIRECTORY, "ticks of the timetable"),
    Store("log stream", "access", Category.SERVER_LOG, "one line a request"),
    Store("log stream", "events", Category.SERVER_LOG, "what the service says about itself"),
    Store("log stream", "traces", Category.SERVER_LOG, "spans, where a collector is set"),
    Store("control table", "control.epoch", Category.DIRECTORY, "KMS keys by reference"),
    Store("control table", "control.scope", Category.DIRECTORY, "whose keys, by opaque id"),
    Store(
        "control table", "control.scope_key", Category.DIRECTORY, "wrapped keys; go when they are shredded"
    ),
    Store("control table", "control.category_key", Category.DIRECTORY, "wrapped keys; go when shredded"),
    Store(
        "control table", "control.fact", Category.ACCOUNTABILITY, "destructions and erasures, by opaque id"
    ),
    Store("control table", "control.ledger", Category.ACCOUNTABILITY, "whose log, by opaque id"),
    Store(
        "control table", "control.ledger_leaf", Category.ACCOUNTABILITY, "accesses, in order; names sealed"
    ),
    Store("control table", "control.ledger_checkpoint", Category.ACCOUNTABILITY, "signed checkpoints"),
    Store("control table", "control.ledger_signer", Category.DIRECTORY, "sealed keys that sign them"),
    Store("control table", "control.key_file", Category.DIRECTORY, "the local key file's counter"),
    Store("control table", "control.schema_version", Category.DIRECTORY, "the revision of the schema"),
)


@dataclass(frozen=True, slots=True)
class Earlier:
    """Rows that go while their category is kept: `after` what, how long. `setting`: what may change it."""

    rows: str
    after: str
    period: timedelta
    setting: str | None = None


EARLIER: tuple[Earlier, ...] = (
    Earlier("mandant.idempotency", "the request", timedelta(hours=24), "MANDANT_IDEMPOTENCY_HOURS"),
    Earlier("mandant.invitation", "it was sent", timedelta(days=7)),
    Earlier("mandant.import_run", "the import's end, with file and report", timedelta(days=30)),
    Earlier("directory.entry", "sign-in, of a session", timedelta(hours=12), "MANDANT_SESSION_HOURS"),
    Earlier("directory.rate_limit", "the last try", timedelta(days=1)),
    Earlier("queue.procrastinate_jobs", "the job's end, unless a person has to see it", timedelta(days=30)),
)


def control_tables() -> dict[str, Store]:
    """The declared tables of the control database, by name."""
    return {store.name: store for store in STORES if store.kind == "control table"}
