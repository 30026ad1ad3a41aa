"""A failure gets a number: outside only the number is seen, inside class and place are logged under it."""

from __future__ import annotations

import os

from mandant.service.edge.logs import get_logger
from mandant.vault.errors import Unopenable

_log = get_logger("mandant.incident")


def record_incident(error: BaseException) -> str:
    """Log the failure without its message and return its number (16 hex digits).

    Ciphertext that does not open is an alert of its own kind: somebody changed or moved stored bytes.
    """
    incident = os.urandom(8).hex()
    kind = "ciphertext does not open" if isinstance(error, Unopenable) else "request failed"
    _log.error(kind, incident_id=incident, exc_info=error)
    return incident
