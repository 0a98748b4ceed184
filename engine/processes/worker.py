"""The composition root of `stockline worker`: one worker of a Kafka cluster."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack, closing
from functools import partial

from engine.bus.kafka.topics import ensure_topics
from engine.bus.kafka.worker.cache import CacheSettings, free_or_fail
from engine.bus.kafka.worker.group import KafkaCluster
from engine.core.values import SECOND
from engine.kafka.connection import Connection
from engine.processes.admission import admission_of, is_local_only
from engine.processes.lifecycle import Announce, end_within
from engine.processes.logouts import shared_logouts
from engine.processes.signs import known_to_others
from engine.runtime.cluster.surroundings import Pacing
from engine.runtime.cluster.worker import Worker
from engine.runtime.kpis import outcomes_of
from engine.settings import AccessSettings, KafkaSettings, Settings
from engine.telemetry import WorkerFigures, worker_metrics
from engine.web import server
from engine.web.probes import application
from engine.web.processes import Doing, Itself
from engine.web.tls import certificate_of

CACHE_RESERVE_MIB = 64
LEAVE_SECONDS = 15.0
"""Longer than clients take to give up a request, shorter than a supervisor waits before it kills."""


async def run(
    settings: Settings, access: AccessSettings, kafka: KafkaSettings, announce: Announce, stop: asyncio.Event
) -> None:
    """Be one worker until `stop` is set; raises the error that ended the worker otherwise.

    Args:
        settings: of the process.
        access: who may call it.
        kafka: how to reach the brokers.
        announce: called with the URL of metrics and health once the worker has joined the group.
        stop: set when the process is asked to stop.
    """
    # A full disk and wrong topics are found before the group assigns any partition to this process.
    admission, certificate, connection = admission_of(settings, access), certificate_of(settings), Connection(kafka)
    free_or_fail(CacheSettings(settings.data, 0, CACHE_RESERVE_MIB))
    async with AsyncExitStack() as ends:
        bound = ends.enter_context(closing(server.bind(settings.host, settings.port)))
        cluster = await _cluster(settings, connection)
        await ends.enter_async_context(shared_logouts(admission, access, connection))
        worker = Worker(cluster, settings.rules("wall"), settings.memory_mib // 2 << 20, _pacing(kafka))
        itself = Itself("worker", bound.getsockname()[1], partial(_doing, worker, cluster), settings, kafka)
        metrics = partial(worker_metrics, partial(_figures, settings, worker, cluster))
        app = application(worker, metrics, is_local_only(settings), admission, itself.settings)
        url = await ends.enter_async_context(server.serving(app, bound, certificate))
        await ends.enter_async_context(known_to_others(connection, itself))
        ends.push_async_callback(cluster.stop)
        await cluster.start(worker)
        announce(url)
        await worker.run(stop)
        end_within(LEAVE_SECONDS)


def _pacing(kafka: KafkaSettings) -> Pacing:
    return Pacing(
        commit_records=kafka.commit_records,
        max_interval=kafka.max_commit_interval_ms / 1000,
        fenced_pause=kafka.session_timeout_ms / 1000,
        handover=kafka.session_timeout_ms / 2000,
    )


async def _cluster(settings: Settings, connection: Connection) -> KafkaCluster:
    """The cluster with its topics. Half of this machine's memory is for cached rows, shared by all partitions."""
    topics = await ensure_topics(connection)
    memory_mib = max(8, settings.memory_mib // 2 // topics.partitions)
    caches = CacheSettings(settings.data, memory_mib, CACHE_RESERVE_MIB, settings.duplicate_days)
    return KafkaCluster(connection, topics, caches)


def _doing(worker: Worker, cluster: KafkaCluster) -> Doing:
    """The partitions that the worker owns, and what waits in them."""
    folds = worker.folds()
    lag = sum(max(0, cluster.end_offset(fold.partition) - fold.marker.next_offset) for fold in folds)
    return Doing(sorted(fold.partition for fold in folds), lag)


def _figures(settings: Settings, worker: Worker, cluster: KafkaCluster) -> WorkerFigures:
    """The worker's counts, over the partitions that it owns."""
    folds, counts = worker.folds(), worker.counts
    counters: Counter[str] = Counter()
    for fold in folds:
        counters.update(fold.marker.counters)
    doing = _doing(worker, cluster)
    return WorkerFigures(
        partitions=len(doing.partitions),
        lag=doing.lag,
        outcomes=outcomes_of(counters),
        counters=counters,
        commits=counts.figures(),
        fenced=counts.fenced,
        restores=(counts.restores, counts.restore_seconds),
        data=settings.data,
        clock_ahead_seconds=worker.ahead / SECOND,
    )
