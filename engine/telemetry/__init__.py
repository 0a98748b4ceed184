"""The log lines and metrics of a process: each method of `Telemetry` is a named fact that writes both in one place.

The engine's own counts are not counted a second time here: a scrape of the metrics reads them from it (`Figures`).
"""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from engine import __version__
from engine.telemetry.fold import Business, Commits, of_business, of_commits, of_counters, of_process

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

log = logging.getLogger("stockline")


class Figures(NamedTuple):
    """The engine's own counts.

    Attributes:
        lag: how many records of the log are not yet folded.
        rows: how many rows (sku, location) there are.
        outcomes: how many events were applied, duplicates, refused.
        counters: the counters of the folds, added up.
        business: the business figures.
        commits: what this process has committed; None if it commits nothing.
        clock_ahead_seconds: by how much the clock has jumped ahead; 0 while it agrees.
        disk_bytes: the size of the engine's files; None if it keeps none of its own.
        data: where the process keeps its files.
    """

    lag: int
    rows: int
    outcomes: Mapping[str, int]
    counters: Mapping[str, int]
    business: Business
    commits: Commits | None = None
    clock_ahead_seconds: float = 0.0
    disk_bytes: int | None = None
    data: Path | None = None


class WorkerFigures(NamedTuple):
    """The counts of a worker of a cluster, over the partitions that it owns.

    Attributes:
        partitions: how many partitions the worker owns.
        lag: how many events in their logs are not yet folded.
        outcomes: how many events were applied, duplicates, refused.
        counters: the counters of these partitions, added up.
        commits: the transactions that the worker has committed.
        fenced: how many commits were refused because another process had taken over.
        restores: how often the worker has brought the rows of a partition up to date, and how long all of that took.
        clock_ahead_seconds: by how much this machine's clock, or a broker's, has jumped ahead; 0 while they agree.
    """

    partitions: int
    lag: int
    outcomes: Mapping[str, int]
    counters: Mapping[str, int]
    commits: Commits
    fenced: int
    restores: tuple[int, float]
    clock_ahead_seconds: float
    data: Path | None = None


class PartFigures(NamedTuple):
    """The counts of a source or sink of a connector since its process began.

    Attributes:
        part: its name.
        outcomes: how many events were accepted, duplicates, rejected, and how many records untranslated.
        failures: how many rounds have failed in a row.
        lag_seconds: by how much the other system is ahead; None where that is not known.
        last_success: when a round last succeeded, in seconds of the Unix epoch; None for never.
    """

    part: str
    outcomes: Mapping[str, int]
    failures: int
    lag_seconds: float | None
    last_success: float | None


class ConnectorFigures(NamedTuple):
    """How a connector is: its kind, its status in a word, and its sources and sinks."""

    name: str
    kind: str
    status: str
    parts: Sequence[PartFigures]


class _WorkerCollector:
    def __init__(self, figures: Callable[[], WorkerFigures]):
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        figures = self._figures()
        yield GaugeMetricFamily("stockline_partitions", "Partitions that this worker owns", figures.partitions)
        yield GaugeMetricFamily("stockline_lag_events", "In the log, not yet folded", figures.lag)
        yield _outcomes(figures.outcomes)
        yield from of_counters(figures.counters)
        yield from of_commits(figures.commits)
        yield CounterMetricFamily("stockline_fenced", "Commits refused, another owner had taken over", figures.fenced)
        restores, seconds = figures.restores
        yield CounterMetricFamily("stockline_restores", "Partitions whose rows were brought up to date", restores)
        yield CounterMetricFamily("stockline_restore_seconds", "Time of all these restores", seconds)
        yield _clock_ahead(figures.clock_ahead_seconds)
        yield from of_process(__version__, figures.data)


def _outcomes(outcomes: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily("stockline_events", "Events by what became of them", labels=["outcome"])
    for outcome, count in outcomes.items():
        family.add_metric([outcome], count)
    return family


def worker_metrics(figures: Callable[[], WorkerFigures]) -> bytes:
    """A worker's metrics in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(_WorkerCollector(figures))
    return generate_latest(registry)


class _EngineCollector:
    def __init__(self, figures: Callable[[], Figures]):
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        figures = self._figures()
        applied = figures.outcomes.get("applied", 0)
        accepted = applied + figures.outcomes.get("duplicate", 0)
        yield CounterMetricFamily("stockline_events_accepted", "Events accepted and folded, repeats too", accepted)
        yield CounterMetricFamily("stockline_events_applied", "Events folded into the rows", applied)
        yield GaugeMetricFamily("stockline_lag_events", "In the log, not yet applied", figures.lag)
        yield GaugeMetricFamily("stockline_rows", "Rows of (sku, location)", figures.rows)
        yield _outcomes(figures.outcomes)
        yield from of_counters(figures.counters)
        yield from of_business(figures.business)
        if figures.commits is not None:
            yield from of_commits(figures.commits)
        yield from of_process(__version__, figures.data)
        yield _clock_ahead(figures.clock_ahead_seconds)
        if figures.disk_bytes is not None:
            yield GaugeMetricFamily("stockline_disk_bytes", "Bytes of the data directory's files", figures.disk_bytes)


class _ConnectorCollector:
    def __init__(self) -> None:
        self.read: Callable[[], Iterable[ConnectorFigures]] = list

    def collect(self) -> Iterable[Metric]:
        part = ["connector", "part"]
        status = GaugeMetricFamily(
            "stockline_connector_status", "1 for its status", labels=["connector", "kind", "status"]
        )
        events = CounterMetricFamily("stockline_connector_events", "By what became of them", labels=[*part, "outcome"])
        failures = GaugeMetricFamily("stockline_connector_failures", "Rounds that failed in a row", labels=part)
        lag = GaugeMetricFamily("stockline_connector_lag_seconds", "What the other system is ahead by", labels=part)
        success = GaugeMetricFamily("stockline_connector_last_success_seconds", "The Unix time of it", labels=part)
        for connector in self.read():
            status.add_metric([connector.name, connector.kind, connector.status], 1)
            for each in connector.parts:
                labels = [connector.name, each.part]
                for outcome, count in each.outcomes.items():
                    events.add_metric([*labels, outcome], count)
                failures.add_metric(labels, each.failures)
                for family, value in ((lag, each.lag_seconds), (success, each.last_success)):
                    if value is not None:
                        family.add_metric(labels, value)
        return status, events, failures, lag, success


def _clock_ahead(seconds: float) -> Metric:
    what = "By how much the clock has jumped ahead, 0 while it agrees; nothing is taken meanwhile"
    return GaugeMetricFamily("stockline_clock_ahead_seconds", what, seconds)


class Telemetry:
    """The catalogue of facts. Each object has a registry of its own, so no metric is global to the process."""

    def __init__(self, figures: Callable[[], Figures]):
        self._registry = CollectorRegistry()
        self._registry.register(_EngineCollector(figures))
        self._connectors = _ConnectorCollector()
        self._registry.register(self._connectors)
        self._requests = Counter(
            "stockline_http_requests", "HTTP calls answered", ["route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "stockline_http_request_seconds", "Time to answer an HTTP call", ["route"], registry=self._registry
        )
        self._streams = Gauge("stockline_streams", "Open readers of /v1/stream", registry=self._registry)
        self._cut_off = Counter("stockline_streams_cut_off", "Readers that were too slow", registry=self._registry)
        self._pages = Gauge("stockline_live_clients", "Open sockets of /v1/live", registry=self._registry)
        self._frames = Counter("stockline_live_frames", "Frames sent to pages", registry=self._registry)
        self._left_out = Counter(
            "stockline_live_frames_left_out",
            "Frames that were due while an earlier one was made",
            registry=self._registry,
        )
        self._questions = Histogram(
            "stockline_view_query_seconds", "Time to read the window of a page", registry=self._registry
        )

    def follow_connectors(self, read: Callable[[], Iterable[ConnectorFigures]]) -> None:
        """Expose how connectors are, as `read` tells at each scrape."""
        self._connectors.read = read

    def expose(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def started(self, address: str, data: str) -> None:
        """The process serves `address` from the data directory `data`."""
        log.info("serving %s from %s", address, data)

    def stopping(self, why: str) -> None:
        """The process begins its orderly end."""
        log.info("stopping: %s", why)

    def engine_failed(self, failure: BaseException) -> None:
        """The engine's thread has failed, which ends the process."""
        log.critical("the engine has stopped: %s", failure)

    def answered(self, route: str, status: int, seconds: float) -> None:
        """An HTTP call to `route` was answered after so many seconds."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)
        log.debug("%s answered %d in %.1f ms", route, status, seconds * 1000)

    def stream_opened(self, reader: str) -> None:
        """A reader has begun to follow /v1/stream."""
        self._streams.inc()
        log.debug("%s follows the stream", reader)

    def stream_closed(self, reader: str) -> None:
        """A stream reader disconnected or was disconnected."""
        self._streams.dec()
        log.debug("%s no longer follows the stream", reader)

    def stream_cut_off(self, reader: str, why: BaseException) -> None:
        """A reader was disconnected because it was too slow."""
        self._cut_off.inc()
        log.warning("%s was cut off from the stream: %s", reader, why)

    def page_opened(self) -> None:
        """A page has opened its live socket."""
        self._pages.inc()

    def page_closed(self) -> None:
        """A page's live socket has ended."""
        self._pages.dec()

    def page_cut_off(self, seconds: float) -> None:
        """A page's live socket was closed because the page took nothing for so many seconds."""
        log.warning("a page was cut off from /v1/live: it took nothing for %g seconds", seconds)

    def frame_sent(self) -> None:
        """A page was sent the latest state of a window."""
        self._frames.inc()

    def frames_left_out(self, count: int) -> None:
        """So many frames were due while an earlier one was made or sent."""
        self._left_out.inc(count)

    def window_read(self, seconds: float) -> None:
        """The state of a window was read."""
        self._questions.observe(seconds)
