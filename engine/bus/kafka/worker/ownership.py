"""One partition as its owner has it: rows restored from the changelog, and commits in transactions."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.bus.cluster import LogBounds
from engine.bus.kafka.changelog import LogMarker, Pair, change_of
from engine.bus.kafka.codec import messages_of
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.worker.cache import Cache, CacheSettings
from engine.bus.kafka.worker.failpoints import passed
from engine.bus.kafka.worker.transaction import TransactionalProducer
from engine.bus.single import Commit, Record, StateReader
from engine.core.errors import Corrupt, UsageError
from engine.kafka.connection import Connection, group_offsets, stopped
from engine.kafka.topic_names import EVENTS, STATE

FETCH_SECONDS = 1.0
RESTORE_FETCH_BYTES = 8 << 20


class KafkaOwnership:
    """A partition that this process owns. Use `KafkaOwnership.own`."""

    @classmethod
    async def own(
        cls, connection: Connection, topics: Topics, caches: CacheSettings, partition: int
    ) -> "KafkaOwnership":
        """Own a partition, in the one order that is safe.

        1. fence     the former owner's open transaction is aborted, its next one is refused
        2. end       only now is the end of the changelog final
        3. restore   by position up to that end: a transaction's mark may be the last offset, so no record is awaited
        4. check     the marker against the log that is there
        """
        producer = TransactionalProducer(connection, f"{connection.settings.group}-{partition}")
        cache = await asyncio.to_thread(Cache.open, caches, partition, topics.id_of(STATE))
        passed("own.begun")
        try:
            await producer.start()
            passed("own.fenced")
            await _restored(connection, topics, cache, partition)
            passed("own.restored")
            return cls(producer, cache, topics, partition)
        except BaseException as error:
            await producer.stop()
            if isinstance(error, Corrupt):
                cache.discard()
            cache.close()
            raise

    def __init__(self, producer: TransactionalProducer, cache: Cache, topics: Topics, partition: int) -> None:
        self.partition = partition
        self._producer = producer
        self._cache = cache
        self._topics = topics
        marker = cache.marker(partition)
        self.marker: bytes | None = None if marker is None else marker.marker
        self.next_offset = 0 if marker is None else marker.next_offset

    @property
    def state(self) -> StateReader:
        """Committed rows."""
        return self._cache.state

    async def commit(self, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Commit, in numbered steps.

        1. write     changelog, outputs and broadcast copies in one transaction
        2. cache     the local rows, after the commit: they may be behind the changelog, never ahead
        """
        change = change_of(commit, self._topics.id_of(EVENTS))
        expired = self._cache.expired(change.newest)
        state = TopicPartition(STATE, commit.partition)
        messages = messages_of(commit, broadcast)
        messages[state] = change.records(expired)
        ends = await self._producer.write(messages)
        self._cache.apply(change, expired, ends[state])
        self.marker, self.next_offset = commit.marker, commit.next_offset
        passed("commit.cached")

    async def close(self) -> None:
        """Let go of the partition."""
        await self._producer.stop()
        self._cache.close()

    async def discard(self) -> None:
        """Let go of the partition and delete its local rows; the next owner here restores them from the changelog."""
        await self._producer.stop()
        self._cache.discard()
        self._cache.close()


async def _restored(connection: Connection, topics: Topics, cache: Cache, partition: int) -> None:
    """Bring the cache up to the end of the changelog, and check it against the log."""
    consumer = connection.consumer(max_partition_fetch_bytes=RESTORE_FETCH_BYTES)
    try:
        with connection.translated(f"partition {partition} cannot be restored"):
            await consumer.start()
            await _restore(consumer, cache, partition)
            bounds = await _bounds(consumer, EVENTS, partition)
            marker = cache.marker(partition)
            _check(marker, bounds, topics, partition)
            if marker is None and await _group_offset(connection, partition):
                raise UsageError(_changelog_lost(connection.settings.group, partition))
    finally:
        await stopped(consumer)


def _check(marker: LogMarker | None, bounds: LogBounds, topics: Topics, partition: int) -> None:
    """Compare the marker with the log; raises UsageError where the two do not belong together."""
    where = f"{EVENTS}, partition {partition}"
    folded = 0 if marker is None else marker.next_offset
    if marker is not None and marker.topic_id != topics.id_of(EVENTS):
        raise UsageError(
            f"{where}: the topic was deleted and made again, but {STATE} speaks of the former one. Delete all "
            "topics of Stockline and the workers' data directories to begin anew, or bring the topic back"
        )
    if bounds.start > folded:
        raise UsageError(
            f"{where} begins at offset {bounds.start}, but the rows end at {folded}: events between were "
            "deleted before they were folded. Make retention.ms longer; to go on without them, and without what is "
            "still in the log, delete all topics of Stockline, the group and the workers' data directories, then "
            "start from a count of all stock"
        )
    if bounds.end < folded:
        raise UsageError(
            f"{where} ends at offset {bounds.end}, but the rows are at {folded}: the broker has lost "
            "events. Bring its data back before anything is written"
        )


def _changelog_lost(group: str, partition: int) -> str:
    return (
        f"{STATE}, partition {partition} is empty, but the group {group} has folded {EVENTS}, partition {partition} "
        "before: the changelog was lost. Bring it back; or, to fold the log again from its beginning (signals come out "
        "again with the same ids), delete all topics but stockline.events, and the group"
    )


async def _restore(consumer: AIOKafkaConsumer, cache: Cache, partition: int) -> None:
    """Bring the cache up to the end of the changelog."""
    bounds = await _bounds(consumer, STATE, partition)
    reached = cache.reached
    if reached is not None and reached.topic_id != cache.topic_id:
        raise UsageError(
            f"{cache.path} is a cache of another {STATE} than the one that is there now: the topic was deleted and "
            "made again, or this is another cluster. Remove that directory if the cluster is the right one"
        )
    if reached is not None and reached.position > bounds.end:
        raise UsageError(
            f"{cache.path} is at offset {reached.position} of {STATE}, partition {partition}, which ends at "
            f"{bounds.end}: the broker has lost committed data. Bring it back; or remove that directory to go on "
            "with what is left"
        )
    if reached is not None and reached.position < bounds.start:
        cache.discard()
        reached = None
    at = TopicPartition(STATE, partition)
    consumer.assign([at])
    position = bounds.start if reached is None else reached.position
    consumer.seek(at, position)
    while position < bounds.end:
        fetched = await consumer.getmany(at, timeout_ms=int(FETCH_SECONDS * 1000))
        pairs: list[Pair] = [(record.key, record.value) for record in fetched.get(at, ())]
        position = await consumer.position(at)
        await asyncio.to_thread(cache.restore, pairs, position)


async def _bounds(consumer: AIOKafkaConsumer, topic: str, partition: int) -> LogBounds:
    at = TopicPartition(topic, partition)
    starts, ends = await asyncio.gather(consumer.beginning_offsets([at]), consumer.end_offsets([at]))
    return LogBounds(starts[at], ends[at])


async def _group_offset(connection: Connection, partition: int) -> int:
    """The offset that the group has committed, 0 where it never did."""
    at = TopicPartition(EVENTS, partition)
    async with connection.started_admin() as admin:
        return (await group_offsets(admin, connection.settings, [at]))[at]
