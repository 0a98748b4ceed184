"""The metrics of what was folded: events, dead letters, commits, what is open, and the business figures."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from resource import getpagesize
from typing import NamedTuple

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

OUTCOMES = {"events": "applied", "repeats": "duplicate", "rejected": "refused"}
"""What a counter's name begins with, before the event's type -> the outcome that it counts."""


COMMIT_BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""The bounds of the histogram of commits, in seconds: from a sync of a fast disk to a broker that hardly answers."""


class Sum(NamedTuple):
    """A sum of the business figures: the metric's name without `stockline_`, what it says, its amount by location."""

    name: str
    what: str
    amounts: Mapping[str, int]


class Open(NamedTuple):
    """What is open now: amounts by (location, kind or disposition)."""

    signals: Mapping[tuple[str, str], int]
    alerts: Mapping[tuple[str, str], int]


class Business(NamedTuple):
    """The business figures as of a scrape."""

    open: Open
    sums: Sequence[Sum]


class Commits(NamedTuple):
    """What a process has committed since it began.

    Attributes:
        buckets: how many commits took at most each of `COMMIT_BOUNDS` and more than the bound before it; then, how
            many took longer than all of them.
        seconds: how long all commits took.
        last_seconds: how long the last one took.
    """

    buckets: Sequence[int]
    seconds: float
    last_seconds: float


def of_counters(counters: Mapping[str, int]) -> Iterable[Metric]:
    """Events by type and outcome, and dead letters by reason, since the log began."""
    events = CounterMetricFamily("stockline_typed_events", "By type and outcome", labels=["type", "outcome"])
    letters = CounterMetricFamily("stockline_dead_letters", "Dead letters by reason", labels=["reason"])
    for name, count in sorted(counters.items()):
        kind, _, of = name.partition(":")
        if kind in OUTCOMES and of:
            events.add_metric([of, OUTCOMES[kind]], count)
        elif kind == "dead_letters":
            letters.add_metric([of], count)
    return events, letters


def of_commits(commits: Commits) -> Iterable[Metric]:
    """Commits and the time that they took."""
    reached = list(accumulate(commits.buckets))
    yield CounterMetricFamily("stockline_commits", "Commits of this process", reached[-1])
    seconds = HistogramMetricFamily("stockline_commit_seconds", "Time of a commit")
    bounds = [*(repr(bound) for bound in COMMIT_BOUNDS), "+Inf"]
    seconds.add_metric([], list(zip(bounds, reached, strict=True)), commits.seconds)
    yield seconds
    yield GaugeMetricFamily("stockline_last_commit_seconds", "Time of the last commit", commits.last_seconds)


def of_business(business: Business) -> Iterable[Metric]:
    """What is open now, and the sums of the business figures by location. Corrections lower a sum: they are gauges."""
    signals = GaugeMetricFamily("stockline_open_signals", "By disposition", labels=["location", "disposition"])
    alerts = GaugeMetricFamily("stockline_open_alerts", "By kind", labels=["location", "kind"])
    for family, amounts in ((signals, business.open.signals), (alerts, business.open.alerts)):
        for labels, amount in sorted(amounts.items()):
            family.add_metric(labels, amount)
        yield family
    for one in business.sums:
        family = GaugeMetricFamily(f"stockline_{one.name}", one.what, labels=["location"])
        for location, amount in sorted(one.amounts.items()):
            family.add_metric([location], amount)
        yield family


def of_process(version: str, data: Path | None) -> Iterable[Metric]:
    """The version, the memory in use, and the room that is left where the process keeps its files."""
    info = GaugeMetricFamily("stockline_build_info", "Version", labels=["version"])
    info.add_metric([version], 1)
    yield info
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    yield GaugeMetricFamily("stockline_memory_bytes", "Resident memory of the process", pages * getpagesize())
    if data is not None:
        free = shutil.disk_usage(data).free
        yield GaugeMetricFamily("stockline_disk_free_bytes", "Free where the process keeps its files", free)
