"""All that the topics hold, as of one commit of every partition: an audit compares it with the log folded again.

A commit is one transaction, but topics are read one after the other. The changelog is read first; its markers say up to
where each partition is folded. Outputs are read after that, and those of later commits are left out by their header.

The mark that ends a transaction does not come into all of its topics at once: while the changelog already shows a
commit, a reader of committed records may be told an end of an output topic that lies before that commit's records. So
the ends are asked for with the transactions that are under way, and the copy waits until it has come to them.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from engine.bus.disk import layout
from engine.bus.disk.published import DiskReadModel
from engine.bus.disk.state import DiskState
from engine.bus.kafka.changelog import LogMarker, read_log_marker
from engine.bus.kafka.codec import commit_of, folded_until, record_of
from engine.bus.kafka.topics import Topics
from engine.bus.single import Commit, Record
from engine.bus.snapshot_file import Head
from engine.core.errors import UsageError
from engine.kafka.connection import Connection, stopped
from engine.kafka.topic_names import EVENTS, OUTPUTS, STATE
from tables.markers import marker_key
from tables.stores.rocksdb import RocksStore, StoreSettings

FETCH_MS = 1_000
MAX_RECORDS = 10_000

Advance = Callable[[int], None]


class Snapshot:
    """A bus that can only be read. Make one with `Snapshot.take`."""

    @classmethod
    async def take(
        cls, connection: Connection, topics: Topics, path: Path, how: tuple[list[int] | None, Advance]
    ) -> "Snapshot":
        """Copy the topics into the empty directory `path`.

        `how` are the offsets of the log from which records, and what was published for them, are copied (None for all),
        and what is told how many records were copied.

        Raises:
            UsageError: the log no longer has the record at which the copy shall begin.
            EnvironmentFailure: the cluster cannot be reached.
        """
        starts, advance = how
        if starts is not None and len(starts) != topics.partitions:
            raise UsageError(f"the snapshot is of a log with {len(starts)} partitions, not {topics.partitions}")
        snapshot = cls(path, topics.partitions, starts or [0] * topics.partitions)
        consumer = connection.consumer(max_partition_fetch_bytes=8 << 20)
        asking = connection.consumer(isolation_level="read_uncommitted")
        try:
            with connection.translated("the topics cannot be read"):
                await consumer.start()
                await asking.start()
                await snapshot._fill(consumer, asking, advance)
        except BaseException:
            snapshot.close()
            raise
        finally:
            await stopped(consumer)
            await stopped(asking)
        return snapshot

    def __init__(self, path: Path, partitions: int, starts: list[int]) -> None:
        self.partitions = partitions
        self._starts = starts
        self._store = RocksStore(path, layout.FAMILIES, StoreSettings(128))
        self._log = self._store.family("log")
        self.state = DiskState(self._store)
        self.published = DiskReadModel(self._store, partitions)

    async def _fill(self, consumer: AIOKafkaConsumer, asking: AIOKafkaConsumer, advance: Advance) -> None:
        for topics, choose in (([STATE], _all_of), (list(OUTPUTS.values()), self._of_snapshot)):
            places = [TopicPartition(topic, partition) for topic in topics for partition in range(self.partitions)]
            await self._copy(consumer, await asking.end_offsets(places), advance, choose)
        log = [TopicPartition(EVENTS, partition) for partition in range(self.partitions)]
        starts = {at: self._starts[at.partition] for at in log}
        for at, begin in (await consumer.beginning_offsets(log)).items():
            if begin > starts[at]:
                raise UsageError(
                    f"{EVENTS}, partition {at.partition} begins at offset {begin}, and the fold at {starts[at]}: what "
                    "is between has been deleted. Begin with the rows of an audit that reached further (--from FILE, "
                    "which `stockline audit --kafka ... --save FILE` writes), and save one within the topic's retention"
                )
        ends = {at: self.end_offset(at.partition) for at in log}
        async for at, records in _read(consumer, starts, ends):
            wanted = [record_of(record) for record in records if record.offset < ends[at]]
            await asyncio.to_thread(self._keep_log, wanted)
            advance(len(wanted))

    async def _copy(
        self,
        consumer: AIOKafkaConsumer,
        ends: Mapping[TopicPartition, int],
        advance: Advance,
        choose: Callable[[TopicPartition, Sequence[ConsumerRecord]], Sequence[ConsumerRecord]],
    ) -> None:
        starts = await consumer.beginning_offsets(list(ends))
        async for at, records in _read(consumer, starts, ends):
            commit = commit_of(at, choose(at, records), frozenset())
            await asyncio.to_thread(self._keep, commit)
            advance(len(records))

    def _of_snapshot(self, at: TopicPartition, records: Sequence[ConsumerRecord]) -> list[ConsumerRecord]:
        folded = self.end_offset(at.partition)
        # A position is the latest of its row, also where that is older than the place at which the copy begins.
        whole = at.topic == OUTPUTS["positions"] or not self._starts[at.partition]
        start = -1 if whole else self._starts[at.partition]
        return [record for record in records if start < folded_until(record) <= folded]

    def _keep(self, commit: Commit) -> None:
        batch = self._store.batch()
        self.state.add(batch, commit.changes)
        self.published.add(batch, commit)
        tally = self.published.add_counts(batch, [commit])
        self._store.write(batch, sync=False)
        self.published.counts_written(tally)

    def _keep_log(self, records: Sequence[Record]) -> None:
        batch = self._store.batch()
        layout.put_records(batch.put, self._log.handle, records)
        self._store.write(batch, sync=False)

    # a bus to be read -------------------------------------------------------------------------------------------------

    def _marker(self, partition: int) -> LogMarker | None:
        return read_log_marker(self.state.get(marker_key(partition)))

    def marker(self, partition: int) -> bytes | None:
        """The marker of the partition's last commit."""
        marker = self._marker(partition)
        return None if marker is None else marker.marker

    def begin_offset(self, partition: int) -> int:
        """The first offset that was copied."""
        return self._starts[partition]

    def head(self) -> Head:
        """What a snapshot of these rows is of."""
        places = range(self.partitions)
        return Head([self.end_offset(p) for p in places], [self.marker(p) for p in places])

    def end_offset(self, partition: int) -> int:
        """The offset up to which the partition is folded."""
        marker = self._marker(partition)
        return 0 if marker is None else marker.next_offset

    def read_log(self, partition: int, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on."""
        start, stop = layout.log_key(partition, offset), layout.log_key(partition, self.end_offset(partition))
        pairs = self._log.scan(start, stop)
        return [layout.record(key, value) for (key, value), _ in zip(pairs, range(limit), strict=False)]

    def close(self) -> None:
        """Close the files."""
        self._store.close()


def _all_of(_: TopicPartition, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
    return records


async def _read(
    consumer: AIOKafkaConsumer, starts: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
) -> AsyncIterator[tuple[TopicPartition, Sequence[ConsumerRecord]]]:
    """All records from `starts` up to `ends`, by position: the last offset may be no record."""
    left = {at for at, start in starts.items() if start < ends[at]}
    if not left:
        return
    consumer.assign(sorted(left))
    for at in left:
        consumer.seek(at, starts[at])
    while left:
        fetched = await consumer.getmany(*left, timeout_ms=FETCH_MS, max_records=MAX_RECORDS)
        for at, records in fetched.items():
            yield at, [record for record in records if record.offset < ends[at]]
        left = {at for at in left if await consumer.position(at) < ends[at]}
