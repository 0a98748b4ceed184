"""The composition root of a process on Kafka: everything that such a process runs is built here, and nowhere else."""

import asyncio
import gc
import signal
from contextlib import AsyncExitStack

from engine.app import GC_THRESHOLDS, rules_of
from engine.bus.kafka.app import KafkaCluster
from engine.bus.kafka.cache import CacheSettings, free_or_fail
from engine.bus.kafka.connection import Connection
from engine.bus.kafka.topics import ensure_topics
from engine.runtime.worker import Pacing, Worker
from engine.settings import KafkaSettings, Settings

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
    return CacheSettings(settings.data, max(8, settings.memory_mib // 2 // tasks), CACHE_RESERVE_MIB)


async def work(settings: Settings, kafka: KafkaSettings) -> None:
    """Be one worker until SIGTERM or SIGINT; raises what ended it otherwise."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    free_or_fail(CacheSettings(settings.data, 0, CACHE_RESERVE_MIB))
    connection = Connection(kafka)
    topics = await ensure_topics(connection)
    async with AsyncExitStack() as ends:
        cluster = KafkaCluster(connection, topics, caches_of(settings, topics.partitions))
        worker = Worker(cluster, rules_of(settings, "wall"), settings.memory_mib // 2 << 20, pacing_of(kafka))
        ends.push_async_callback(cluster.stop)
        await cluster.start(worker)
        await worker.run(asked)
