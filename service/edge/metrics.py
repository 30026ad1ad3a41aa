"""Prometheus metrics of this process, in a registry of its own: routes and statuses, never a tenant.

Each web process counts for itself; with several workers every scrape sees one of them, named by `worker`.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections.abc import Callable, Iterable
from itertools import accumulate

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

PAGE_TYPE = CONTENT_TYPE_LATEST
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
MOST_SERIES = 5000  # routes x methods x statuses; more means that something unbounded became a label


class Series:
    """Answers of one route, method and status: seconds in all, and how many ended in which bucket."""

    __slots__ = ("buckets", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.buckets = [0] * (len(BUCKETS) + 1)

    def observe(self, seconds: float) -> None:
        """Count one answer. Only the event loop's thread calls this, so nothing is locked."""
        self.seconds += seconds
        self.buckets[bisect_left(BUCKETS, seconds)] += 1


class Metrics:
    """The counters of one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry(auto_describe=False)
        self._worker = str(os.getpid())
        self._series: dict[tuple[str, str, int], Series] = {}
        self.registry.register(_Requests(self._worker, self._series))

    def series(self, route: str, method: str, status: int) -> Series:
        """The counters of a route (a template), method and status."""
        found = self._series.get((route, method, status))
        if found is None:
            found = Series()
            if len(self._series) < MOST_SERIES:
                self._series[route, method, status] = found
        return found

    def add_counts(self, name: str, help_text: str, read: Callable[[], Iterable[tuple[str, float]]]) -> None:
        """Show counters that another part keeps: `read` gives (kind, count) at each scrape.

        For the keyring's KMS calls and cache hits and for jobs: the layers below know no Prometheus.
        """
        self.registry.register(_Counts(name, help_text, self._worker, read))

    def page(self) -> bytes:
        """The metrics in OpenMetrics text."""
        return bytes(generate_latest(self.registry))  # type: ignore[no-untyped-call]


class _Requests(Collector):
    def __init__(self, worker: str, series: dict[tuple[str, str, int], Series]) -> None:
        self._worker, self._series = worker, series

    def collect(self) -> Iterable[Metric]:
        """One histogram: its count is the number of requests."""
        family = HistogramMetricFamily(
            "mandant_http_request_seconds",
            "From the request's headers to the end of the answer.",
            labels=("worker", "route", "method", "status"),
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for (route, method, status), series in list(self._series.items()):
            counts = zip(bounds, accumulate(series.buckets), strict=True)
            family.add_metric((self._worker, route, method, str(status)), list(counts), series.seconds)
        yield family


class _Counts(Collector):
    def __init__(
        self, name: str, help_text: str, worker: str, read: Callable[[], Iterable[tuple[str, float]]]
    ) -> None:
        self._name, self._help, self._worker, self._read = name, help_text, worker, read

    def collect(self) -> Iterable[Metric]:
        """The counts now."""
        family = CounterMetricFamily(self._name, self._help, labels=("worker", "kind"))
        for kind, count in self._read():
            family.add_metric((self._worker, kind), count)
        yield family
