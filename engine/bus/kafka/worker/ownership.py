"""One partition as its owner has it: rows restored from the changelog, and commits in transactions."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.bus.cluster import LogBounds
from engine.bus.kafka.changelog import Pair, change_of, touched_offsets
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.worker.cache import Cache, CacheSettings
from engine.bus.kafka.worker.failpoints import passed
from engine.bus.kafka.worker.transaction import Message, TransactionalProducer
from engine.bus.single import Commit, Record, StateReader
from engine.core.errors import Corrupt, UsageError
from engine.kafka.connection import Connection, group_offsets, stopped
from engine.kafka.headers import BROADCAST_HEADER, NO_HEADERS, TOUCHED_HEADER, UNTIL_HEADER
from engine.kafka.topic_names import EVENTS, OUTPUTS, STATE

FETCH_SECONDS = 1.0
RESTORE_FETCH_BYTES = 8 << 20


class KafkaOwnership:
    """A partition that this process owns. Use `KafkaOwnership.own`."""

    @classmethod
    async def own(
        cls, connection: Connection, topics: Topics, caches: CacheSettings, partition: int
    ) -> "KafkaOwnership":
        """Own a partition, in the one order that is safe.

        1. fence     the former owner's open transaction is aborted, its next one refused
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
            task = cls(producer, cache, topics, partition)
            consumer = connection.consumer(max_partition_fetch_bytes=RESTORE_FETCH_BYTES)
            try:
                with connection.translated(f"task {partition} cannot be restored"):
                    await consumer.start()
                    await _restore(consumer, cache, partition)
                    await task.check(consumer, connection)
                    passed("own.restored")
            finally:
                await stopped(consumer)
            return task
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

    async def check(self, consumer: AIOKafkaConsumer, connection: Connection) -> None:
        """Hold the marker against the log; raises UsageError where the two do not belong together."""
        marker = self._cache.marker(self.partition)
        self.marker = None if marker is None else marker.marker
        self.next_offset = 0 if marker is None else marker.next_offset
        place = f"{EVENTS}, partition {self.partition}"
        if marker is not None and marker.topic_id != self._topics.id_of(EVENTS):
            raise UsageError(
                f"{place}: the topic was deleted and made again, but {STATE} speaks of the former one. Delete all "
                "topics of Stockline and the workers' data directories to begin anew, or bring the topic back"
            )
        bounds = await _bounds(consumer, EVENTS, self.partition)
        if marker is None and await _group_offset(connection, self.partition):
            raise UsageError(
                f"{STATE}, partition {self.partition} is empty, but the group {connection.settings.group} has folded "
                f"{place} before: the changelog was lost. Bring it back; or, to fold the log again from its beginning "
                "(signals come out again with the same ids), delete all topics but stockline.events, and the group"
            )
        if bounds.start > self.next_offset:
            raise UsageError(
                f"{place} begins at offset {bounds.start}, but the rows end at {self.next_offset}: events between were "
                "deleted before they were folded. Make retention.ms longer; to go on without them, and without what is "
                "still in the log, delete all topics of Stockline, the group and the workers' data directories, then "
                "start from a count of all stock"
            )
        if bounds.end < self.next_offset:
            raise UsageError(
                f"{place} ends at offset {bounds.end}, but the rows are at {self.next_offset}: the broker has lost "
                "events. Bring its data back before anything is written"
            )

    async def commit(self, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Commit, in numbered steps.

        1. write     changelog, outputs and broadcast copies in one transaction
        2. cache     the local rows, after the commit: they may be behind the changelog, never ahead
        """
        expired = self._cache.expired(_newest(commit))
        change = change_of(commit, self._topics.id_of(EVENTS), expired)
        state = TopicPartition(STATE, commit.partition)
        messages = _messages(commit, broadcast)
        messages[state] = [(key, value, NO_HEADERS) for key, value in change.records]
        ends = await self._producer.write(messages)
        self._cache.apply(change, ends[state])
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


def _messages(commit: Commit, broadcast: Sequence[Record]) -> dict[TopicPartition, Sequence[Message]]:
    messages: dict[TopicPartition, list[Message]] = defaultdict(list)
    touched = touched_offsets(commit)
    until = (UNTIL_HEADER, b"%d" % commit.next_offset)
    plain = [until]
    for output in commit.outputs:
        positions = output.topic == "positions"
        headers = [until, (TOUCHED_HEADER, touched.get(output.key, b""))] if positions else plain
        place = TopicPartition(OUTPUTS[output.topic], commit.partition)
        messages[place].append((output.key.encode("utf-8", "surrogatepass"), output.value, headers))
    for record in broadcast:
        place = TopicPartition(EVENTS, record.partition)
        messages[place].append((record.key.encode("utf-8", "surrogatepass"), record.value, [BROADCAST_HEADER]))
    return dict(messages)


def _newest(commit: Commit) -> int:
    """The latest arrival among the names that a commit remembers, 0 where it remembers none."""
    return max((int.from_bytes(v[-8:], "big") for k, v in commit.changes if v and k[:1] == b"d"), default=0)


async def _restore(consumer: AIOKafkaConsumer, cache: Cache, partition: int) -> None:
    """Bring the cache up to the end of the changelog."""
    bounds = await _bounds(consumer, STATE, partition)
    place = cache.place
    if place is not None and place.topic_id != cache.topic_id:
        raise UsageError(
            f"{cache.path} is a cache of another {STATE} than the one that is there now: the topic was deleted and "
            "made again, or this is another cluster. Remove that directory if the cluster is the right one"
        )
    if place is not None and place.position > bounds.end:
        raise UsageError(
            f"{cache.path} is at offset {place.position} of {STATE}, partition {partition}, which ends at "
            f"{bounds.end}: the broker has lost committed data. Bring it back; or remove that directory to go on "
            "with what is left"
        )
    if place is not None and place.position < bounds.start:
        cache.discard()
        place = None
    at = TopicPartition(STATE, partition)
    consumer.assign([at])
    position = bounds.start if place is None else place.position
    consumer.seek(at, position)
    while position < bounds.end:
        fetched = await consumer.getmany(at, timeout_ms=int(FETCH_SECONDS * 1000))
        pairs: list[Pair] = [(record.key, record.value) for record in fetched.get(at, ())]
        position = await consumer.position(at)
        await asyncio.to_thread(cache.restore, pairs, position)


async def _bounds(consumer: AIOKafkaConsumer, topic: str, partition: int) -> LogBounds:
    place = TopicPartition(topic, partition)
    starts, ends = await asyncio.gather(consumer.beginning_offsets([place]), consumer.end_offsets([place]))
    return LogBounds(starts[place], ends[place])


async def _group_offset(connection: Connection, partition: int) -> int:
    """How far the group has told that it was, 0 where it never did."""
    place = TopicPartition(EVENTS, partition)
    async with connection.started_admin() as admin:
        return (await group_offsets(admin, connection.settings, [place]))[place]
