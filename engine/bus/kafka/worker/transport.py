"""Faust's Kafka transport, but with one Faust event for all records of one fetch of one partition.

What differs from Faust's own, and why:

- a batch is one message, so that Faust's cost per event is one per fetch
- positions are the runtime's: it seeks to its markers, Faust neither seeks nor commits on `stockline.events`
- committed records only, and no silent reset of a position that the log no longer has
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from engine.bus.cluster import Fetched, Receiver
from engine.bus.single import Record
from engine.core.errors import UsageError
from engine.kafka.connection import Connection
from engine.kafka.headers import BROADCAST_HEADER
from engine.kafka.topic_names import EVENTS

IDLE_SECONDS = 0.005
THREAD_SECONDS = 10.0
BUSY_FETCH_SECONDS = 0.05
"""How long a fetch waits while some partitions are not asked for, which may be asked for meanwhile."""


def fetched_of(partition: int, start: int, end: int, records: Sequence[ConsumerRecord]) -> Fetched:
    """What a fetch brought, in the engine's own types."""
    everywhere = frozenset(record.offset for record in records if record.headers and BROADCAST_HEADER in record.headers)
    return Fetched(partition, start, end, [record_of(record) for record in records], everywhere)


def record_of(record: ConsumerRecord) -> Record:
    """A record of the log; a missing key or value is an empty one."""
    key = (record.key or b"").decode("utf-8", "surrogateescape")
    return Record(record.partition, record.offset, key, record.value or b"", record.timestamp * 1000)


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread. `places` holds for each partition the position after what was last handed over."""

    consumer: "BatchConsumer"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.places: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        self._assignor = RoundRobinPartitionAssignor
        connection: Connection = transport.connection
        return connection.member(connection.settings.group, partition_assignment_strategy=[RoundRobinPartitionAssignor])

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """No place holds beyond a rebalance: the runtime seeks again."""
        self.places.clear()
        await super().on_partitions_revoked(revoked)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the base class has it
        max_records: int | None = None,
    ) -> Mapping[TP, list[Fetched]]:
        receiver = self.consumer.receiver
        wanted = {tp for tp in active_partitions if tp in self.places and receiver.wants(tp.partition)}
        if not wanted:
            await asyncio.sleep(IDLE_SECONDS)
            return {}
        patience = timeout if len(wanted) == len(active_partitions) else BUSY_FETCH_SECONDS
        try:
            found = await super()._fetch_records(consumer, wanted, patience, None)
        except OffsetOutOfRangeError as error:
            receiver.failed(_trimmed(error))
            return {}
        except NoOffsetForPartitionError as error:
            # The client asks for the group's offset of a new partition and may find none after we have sought.
            (tp,) = error.args
            if tp in self.places and tp in consumer.assignment():
                consumer.seek(tp, self.places[tp])
            return {}
        batches = [(tp, self._batch(consumer, tp, found.get(tp, ()))) for tp in wanted]
        return {tp: [batch] for tp, batch in batches if batch is not None}

    def _batch(self, consumer: AIOKafkaConsumer, tp: TP, records: Sequence[ConsumerRecord]) -> Fetched | None:
        """What was fetched of a partition; without records where only marks of transactions were passed."""
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001
        start = self.places.get(tp)
        if start is None or assignment is None or tp not in assignment.tps:
            return None
        end = assignment.state_value(tp).position
        if end is None or end == start:
            return None
        self.places[tp] = end
        return fetched_of(tp.partition, start, end, records)

    async def seek_place(self, partition: int, offset: int) -> None:
        """Let fetching of a partition begin at `offset`, whatever was fetched of it before."""
        await self._on_thread(self._seek_place(partition, offset))

    async def _seek_place(self, partition: int, offset: int) -> None:
        consumer = self._ensure_consumer()
        place = TopicPartition(EVENTS, partition)
        if place not in consumer.assignment():
            return
        fetcher = consumer._fetcher  # noqa: SLF001
        if fetcher._records.pop(place, None) is not None:  # noqa: SLF001
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
        consumer.seek(place, offset)
        self.places[place] = offset

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Tell the group how far partitions have come: for displays of the lag, nothing is read from it."""
        await self._on_thread(self._commit_offsets(offsets))

    async def _on_thread(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` where the client lives, at once.

        Not through the thread's queue, as Faust would: while the group shares its partitions anew the fetches in that
        queue wait for the end of it, and the end of it may wait for this.
        """
        done = asyncio.run_coroutine_threadsafe(work, self.thread_loop)
        await asyncio.wait_for(asyncio.wrap_future(done), THREAD_SECONDS)

    async def _commit_offsets(self, offsets: Mapping[int, int]) -> None:
        consumer = self._ensure_consumer()
        mine = consumer.assignment()
        told = {
            place: OffsetAndMetadata(offset, "")
            for partition, offset in offsets.items()
            if (place := TopicPartition(EVENTS, partition)) in mine
        }
        if told:
            await consumer.commit(told)


class BatchConsumer(driver.Consumer):
    """Faust's consumer on `stockline.events`."""

    _thread: BatchThread

    @property
    def receiver(self) -> Receiver:
        """Who takes the batches."""
        transport: Any = self.transport
        receiver: Receiver = transport.receiver
        return receiver

    @property
    def thread(self) -> BatchThread:
        """The thread in which the Kafka client lives."""
        return self._thread

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Nothing: positions are the runtime's, which seeks once a task is restored."""
        return {}

    def _to_message(self, tp: TP, record: Fetched) -> ConsumerMessage:
        # A position may go back when a task is restored, which Faust would take for a repeat and drop.
        self._read_offset[tp] = None
        batch: Any = record
        return ConsumerMessage(
            tp.topic, tp.partition, record.end - 1, 0.0, 0, None, None, batch, None, None, None, tp,
            generation_id=self.app.consumer_generation_id,
        )  # fmt: skip

    def highwater(self, tp: TP) -> int:
        """The end of a partition, 0 while it is not known."""
        try:
            return super().highwater(tp) or 0
        except Exception:
            return 0


class BatchTransport(driver.Transport):
    """The transport that a worker's Faust app uses."""

    Consumer = BatchConsumer
    connection: Connection
    receiver: Receiver


def _trimmed(error: OffsetOutOfRangeError) -> UsageError:
    places = ", ".join(f"{place.topic} partition {place.partition} offset {at}" for place, at in error.args[0].items())
    return UsageError(
        f"the log no longer has what comes next ({places}): events were deleted before they were folded, or the broker "
        "has lost its end. Bring its data back, or make retention.ms longer and start from a count of all stock"
    )
