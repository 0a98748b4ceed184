"""Faust's Kafka transport with one Faust event for all records of one fetch of one partition.

Its classes override members of faust-streaming 0.15.3, the version that pyproject.toml pins. Read them again before
another version is pinned:

- `AIOKafkaConsumerThread._create_worker_consumer`   committed records only, round robin, no automatic offset reset
- `AIOKafkaConsumerThread._fetch_records`            one item for all records of a partition; none if it is paused
- `AIOKafkaConsumerThread.on_partitions_revoked`     positions are forgotten, because the runtime seeks again
- `Consumer.seek_to_committed`                       nothing: the runtime seeks to its markers
- `Consumer._to_message`                             a batch is one message, which may lie before the last one
- `Consumer.highwater`                               0 instead of an error while a partition is not assigned
- `Consumer._new_consumer_thread`                    makes the thread of this module

Faust commits nothing on `stockline.events`: the topic is consumed with `acks=False`, and the offsets of the group are
committed by `commit_offsets`, for displays of the lag only.
"""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord, OffsetAndMetadata, TopicPartition
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import NoOffsetForPartitionError, OffsetOutOfRangeError, RebalanceInProgressError
from faust.exceptions import ConsumerNotStarted
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from engine.bus.cluster import Fetched, Receiver
from engine.bus.kafka.codec import fetched_of
from engine.core.errors import UsageError
from engine.kafka.connection import Connection
from engine.kafka.topic_names import EVENTS

IDLE_SECONDS = 0.005
THREAD_SECONDS = 10.0
BUSY_FETCH_SECONDS = 0.05
"""Fetch timeout while some partitions are paused, so that they are picked up soon after they resume."""


class BatchThread(driver.AIOKafkaConsumerThread):
    """The consumer's thread. `positions` holds, for each partition, the offset after the records last handed over."""

    consumer: "BatchConsumer"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.positions: dict[TopicPartition, int] = {}

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        self._assignor = RoundRobinPartitionAssignor
        connection: Connection = transport.connection
        return connection.member(connection.settings.group, partition_assignment_strategy=[RoundRobinPartitionAssignor])

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Forget all positions: after a rebalance the runtime seeks again."""
        self.positions.clear()
        await super().on_partitions_revoked(revoked)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - the base class has it
        max_records: int | None = None,  # noqa: ARG002 - the base class has it
    ) -> Mapping[TP, list[Fetched]]:
        receiver = self.consumer.receiver
        wanted = {tp for tp in active_partitions if tp in self.positions and receiver.wants(tp.partition)}
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
            # aiokafka may look up the group's committed offset after our seek, and raise if there is none.
            (tp,) = error.args
            if tp in self.positions and tp in consumer.assignment():
                consumer.seek(tp, self.positions[tp])
            return {}
        batches = [(tp, self._batch(consumer, tp, found.get(tp, ()))) for tp in wanted]
        return {tp: [batch] for tp, batch in batches if batch is not None}

    def _batch(self, consumer: AIOKafkaConsumer, tp: TP, records: Sequence[ConsumerRecord]) -> Fetched | None:
        """The fetched records of a partition; none where the client has only passed transaction markers."""
        assignment = consumer._subscription.subscription.assignment  # noqa: SLF001
        start = self.positions.get(tp)
        if start is None or assignment is None or tp not in assignment.tps:
            return None
        end = assignment.state_value(tp).position
        if end is None or end == start:
            return None
        self.positions[tp] = end
        return fetched_of(tp.partition, start, end, records)

    async def fetch_from(self, partition: int, offset: int) -> None:
        """Fetch a partition from `offset` on; records that were fetched before are dropped."""
        await self._on_thread(self._fetch_from(partition, offset))

    async def _fetch_from(self, partition: int, offset: int) -> None:
        consumer = self._ensure_consumer()
        at = TopicPartition(EVENTS, partition)
        if at not in consumer.assignment():
            return
        fetcher = consumer._fetcher  # noqa: SLF001
        if fetcher._records.pop(at, None) is not None:  # noqa: SLF001
            fetcher._notify(fetcher._wait_consume_future)  # noqa: SLF001
        consumer.seek(at, offset)
        self.positions[at] = offset

    async def commit_offsets(self, offsets: Mapping[int, int]) -> None:
        """Commit the consumed offsets of partitions to the group. Only lag displays read them."""
        await self._on_thread(self._commit_offsets(offsets))

    async def _on_thread(self, work: Coroutine[Any, Any, None]) -> None:
        """Run `work` in the client's event loop at once.

        Faust would put it into the thread's queue. During a rebalance the fetches in that queue wait for the end of the
        rebalance, which may in turn wait for this work.
        """
        done = asyncio.run_coroutine_threadsafe(work, self.thread_loop)
        await asyncio.wait_for(asyncio.wrap_future(done), THREAD_SECONDS)

    async def _commit_offsets(self, offsets: Mapping[int, int]) -> None:
        consumer = self._ensure_consumer()
        mine = consumer.assignment()
        kept = {
            at: OffsetAndMetadata(offset, "")
            for partition, offset in offsets.items()
            if (at := TopicPartition(EVENTS, partition)) in mine
        }
        if not kept:
            return
        # The broker would take it after the request that joins, as one of the former generation, and the client would
        # join once more, and so on without end.
        if consumer._coordinator.need_rejoin(consumer._subscription.subscription):  # noqa: SLF001
            raise RebalanceInProgressError("the group shares its partitions anew")
        await consumer.commit(kept)


class BatchConsumer(driver.Consumer):
    """Faust's consumer on `stockline.events`."""

    _thread: BatchThread

    @property
    def receiver(self) -> Receiver:
        """The worker that takes the batches."""
        transport: Any = self.transport
        receiver: Receiver = transport.receiver
        return receiver

    @property
    def thread(self) -> BatchThread:
        """The thread in which the Kafka client runs."""
        return self._thread

    def _new_consumer_thread(self) -> BatchThread:
        return BatchThread(self, loop=self.loop, beacon=self.beacon)

    async def seek_to_committed(self) -> Mapping[TP, int]:
        """Seek nowhere: the runtime seeks once a partition is restored."""
        return {}

    def _to_message(self, tp: TP, record: Fetched) -> ConsumerMessage:
        # A position may go back when a partition is restored. Faust would take that for a repeat and drop it.
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
        except (ConsumerNotStarted, AssertionError, AttributeError):
            # The client asserts that the partition is assigned; its thread may lose it between that and the look.
            return 0


class BatchTransport(driver.Transport):
    """The transport that a worker's Faust app uses."""

    Consumer = BatchConsumer
    connection: Connection
    receiver: Receiver


def _trimmed(error: OffsetOutOfRangeError) -> UsageError:
    places = ", ".join(f"{at.topic} partition {at.partition} offset {offset}" for at, offset in error.args[0].items())
    return UsageError(
        f"the log no longer has what comes next ({places}): events were deleted before they were folded, or the broker "
        "has lost its end. Bring its data back, or make retention.ms longer and start from a count of all stock"
    )
