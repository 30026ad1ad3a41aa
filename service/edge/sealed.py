"""What a log line may hold: named fields of plain types. Everything else prints as `<sealed>`.

An allow list, not a search for secrets: a field that nobody thought about does not get out.
Source: promise 1; C5.4.
"""

from __future__ import annotations

import datetime
import enum
import uuid
from collections.abc import MutableMapping
from typing import Any

from mandant.service.edge.where import location_of

SEALED = "<sealed>"
LONGEST_TEXT = 200  # characters: enough for a message of ours, too short for a record

ALLOWED = frozenset(
    [
        "attempt",
        "at",
        "attempts",
        "bytes",
        "category",
        "causes",
        "client",
        "count",
        "database",
        "detail_type",
        "duration_ms",
        "epoch",
        "error",
        "event",
        "failed",
        "function",
        "generation",
        "host",
        "incident_id",
        "job",
        "kind",
        "kms_request_id",
        "level",
        "logger",
        "method",
        "metric",
        "migration",
        "module",
        "name",
        "part",
        "person_id",
        "pid",
        "port",
        "provider",
        "queue",
        "reason",
        "records",
        "request_id",
        "retry_after",
        "revision",
        "role",
        "route",
        "rows",
        "scope_id",
        "seconds",
        "setting",
        "signal",
        "state",
        "status",
        "task",
        "tenant_id",
        "time",
        "total",
        "version",
        "withheld",
        "worker",
    ]
)


def plain(value: Any) -> Any:
    """The value itself if its type cannot hold a tenant's data by accident, else `<sealed>`.

    Text passes (cut at 200 characters): which texts are logged is what the allow list of fields decides.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    if type(value) is str:
        return value if len(value) <= LONGEST_TEXT else value[:LONGEST_TEXT] + "..."
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    return SEALED


def only_allowed(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep allowed fields with plain values, name the others under `withheld`, place the exception.

    structlog processor.
    """
    kept: dict[str, Any] = {}
    withheld: list[str] = []
    for field, value in event.items():
        if field == "exc_info":
            kept.update(location_of(value))
        elif field in ALLOWED:
            kept[field] = plain(value)
        else:
            withheld.append(field)
    if withheld:
        kept["withheld"] = withheld
    return kept
