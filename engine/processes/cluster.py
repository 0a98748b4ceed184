"""The composition root of a process on Kafka: everything that such a process runs is built here, and nowhere else."""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack, closing
from functools import partial

from engine.bus import snapshot_file
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.kafka.snapshot import Snapshot
from engine.bus.kafka.topics import ensure_topics, existing_topics
from engine.bus.kafka.web.appender import Ingest, LogProgress
from engine.bus.kafka.web.follower import Follower
from engine.bus.kafka.web.view import KafkaView
from engine.bus.kafka.worker.cache import CacheSettings, free_or_fail
from engine.bus.kafka.worker.group import KafkaCluster
from engine.core.errors import BrokenInvariant, StocklineError
from engine.core.values import SECOND
from engine.kafka.connection import Connection
from engine.processes.lifecycle import stop_when_asked
from engine.processes.single import GC_THRESHOLDS, AuditFiles, outcomes_of, rows_from, rules_of
from engine.processes.single import watch as watch_over
from engine.runtime.audit import AuditReport, audit
from engine.runtime.cluster.service import ReaderService
from engine.runtime.cluster.worker import Pacing, Worker
from engine.settings import KafkaSettings, Settings
from engine.telemetry import Figures, Telemetry, WorkerFigures, worker_metrics
from engine.web import server
from engine.web.bodies import Intake, Limits
from engine.web.ports import Context
from engine.web.probes import application

CACHE_RESERVE_MIB = 64


def pacing_of(settings: KafkaSettings) -> Pacing:
    """How a worker commits."""
    return Pacing(
        commit_records=settings.commit_records,
        max_interval=settings.max_commit_interval_ms / 1000,
        fenced_pause=settings.session_timeout_ms / 1000,
        handover=settings.session_timeout_ms / 2000,
    )


def caches_of(settings: Settings, tasks: int) -> CacheSettings:
    """Where the workers of this machine keep their rows; half of the memory is for them, over all tasks."""
    memory_mib = max(8, settings.memory_mib // 2 // tasks)
    return CacheSettings(settings.data, memory_mib, CACHE_RESERVE_MIB, settings.duplicate_days)


async def work(settings: Settings, kafka: KafkaSettings, announce: Callable[[str], None]) -> None:
    """Be one worker until asked to stop; raises what ended it otherwise.

    The order: a full disk and wrong topics are found before the group gives this process anything.
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    asked = stop_when_asked()
    free_or_fail(CacheSettings(settings.data, 0, CACHE_RESERVE_MIB))
    async with AsyncExitStack() as ends:
        bound = server.bind(settings.host, settings.port)
        ends.callback(bound.close)
        connection = Connection(kafka)
        topics = await ensure_topics(connection)
        cluster = KafkaCluster(connection, topics, caches_of(settings, topics.partitions))
        memory = settings.memory_mib // 2 << 20
        worker = Worker(cluster, rules_of(settings, "wall"), memory, pacing_of(kafka))
        metrics = partial(worker_metrics, partial(figures, worker, cluster))
        app = application(worker, metrics, local_only=not settings.insecure)
        url = await ends.enter_async_context(server.serving(app, bound))
        ends.push_async_callback(cluster.stop)
        await cluster.start(worker)
        announce(url)
        await worker.run(asked)


async def serve(settings: Settings, kafka: KafkaSettings, announce: Callable[[str], None]) -> None:
    """Serve HTTP and the live view over a cluster until asked to stop; raises what ended it otherwise."""
    asked = stop_when_asked()
    async with AsyncExitStack() as ends:
        bound = server.bind(settings.host, settings.port)
        ends.callback(bound.close)
        connection = Connection(kafka)
        topics = await ensure_topics(connection)
        view = KafkaView(settings.data / "view", topics, settings.memory_mib // 2)
        ends.callback(view.close)
        ingest, watch = Ingest(connection, topics.partitions), LogProgress(connection, topics.partitions)
        ends.push_async_callback(ingest.close)
        ends.push_async_callback(watch.close)
        follower = Follower(connection, view, lambda outputs: service.publish(outputs))
        service = ReaderService(view, ingest, watch, follower.caught_up, rules_of(settings, "wall"))
        ends.push_async_callback(follower.stop)
        ends.push_async_callback(service.stop)
        await follower.start()
        service.start(lambda: follower.failure)
        telemetry = Telemetry(lambda: reader_figures(service))
        app = server.application(
            Context(service, Intake(Limits(settings.body_limit)), telemetry), local_only=not settings.insecure
        )
        announce(await ends.enter_async_context(server.serving(app, bound)))
        failure = await watch_over(service, asked)
    if failure is not None:
        raise failure if isinstance(failure, StocklineError) else BrokenInvariant(repr(failure)) from failure


def audited(
    settings: Settings, kafka: KafkaSettings, files: AuditFiles, progress: Callable[[int, int | None], None]
) -> AuditReport:
    """Copy the topics into a scratch folder, fold the log again and compare; `progress` is told (done, of if known).

    Workers may be running: what they had committed when this began is compared.
    """
    copied = 0

    def advance(records: int) -> None:
        nonlocal copied
        copied += records
        progress(copied, None)

    async def copy() -> Snapshot:
        connection = Connection(kafka)
        topics = await existing_topics(connection)
        starts = None if files.since is None else snapshot_file.head_of(files.since).log
        return await Snapshot.take(connection, topics, files.scratch / "kept", (starts, advance))

    with (
        closing(asyncio.run(copy())) as kept,
        closing(EmbeddedBus.open(files.scratch / "again", kept.partitions)) as again,
    ):
        since = None if files.since is None else rows_from(files.since, kept, again)
        report = audit(kept, again, progress, since)
        report.since = None if files.since is None else files.since.name
        if files.save is not None and not report.differences:
            snapshot_file.save(files.save, kept.head(), again)
        return report


def reader_figures(service: ReaderService) -> Figures:
    """What the view knows of the workers' counts, for the metrics."""
    rows = service.bus.published.count("positions")
    return Figures(service.progress().lag, rows, outcomes_of(service.counters()), 0.0)


def figures(worker: Worker, cluster: KafkaCluster) -> WorkerFigures:
    """What a worker has done, over the partitions that it owns."""
    tasks = [actor.task for actor in worker.actors.values() if actor.task is not None]
    counters: Counter[str] = Counter()
    for task in tasks:
        counters.update(task.marker.counters)
    lag = sum(max(0, cluster.end_offset(task.partition) - task.marker.next_offset) for task in tasks)
    counts = worker.counts
    return WorkerFigures(
        len(tasks),
        lag,
        outcomes_of(counters),
        counts.commits,
        counts.fenced,
        counts.last_commit_seconds,
        worker.ahead / SECOND,
    )
