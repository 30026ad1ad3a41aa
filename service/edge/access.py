"""One line and one count for every answered request: the route's template, never the address itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mandant.service.edge.logs import pipe

if TYPE_CHECKING:
    from mandant.service.edge.metrics import Metrics, Series

NO_ROUTE = "(none)"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """Counts and logs answers. What is the same for each answer of a route is encoded once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._pipe = pipe()
        self._known: dict[tuple[str | None, str, int], tuple[Series, str]] = {}

    def record(self, route: str | None, method: str, status: int, seconds: float, request_id: str) -> None:
        """Note one answer. `route` is a template, None where no handler was found."""
        known = self._known.get((route, method, status)) or self._learn(route, method, status)
        series, fixed = known
        series.observe(seconds)
        self._pipe.access(f'{fixed},"duration_ms":{seconds * 1000:.2f},"request_id":"{request_id}"')

    def _learn(self, route: str | None, method: str, status: int) -> tuple[Series, str]:
        named = {
            "event": "request",
            "level": "info",
            "method": method if method in METHODS else "(other)",
            "route": route or NO_ROUTE,
            "status": status,
        }
        series = self._metrics.series(str(named["route"]), str(named["method"]), status)
        learned = (series, msgspec.json.encode(named).decode()[1:-1])
        # A made-up method is not remembered: there is no end to them.
        if method in METHODS:
            self._known[route, method, status] = learned
        return learned
