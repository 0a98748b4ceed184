"""What the workers have published before, read again from the public topics by a consumer of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.bus.kafka.codec import TOPIC_OF, output_of
from engine.bus.point import Point, StreamGone
from engine.bus.single import Output
from engine.core.topics import Topic
from engine.kafka.connection import Connection, stopped
from engine.kafka.topic_names import OUTPUTS

AT_ONCE = 4
"""So many readers read the topics again at the same time; the others wait."""
FETCH_MS = 500
PIECE = 500

Offsets = Mapping[TopicPartition, int]


class EarlierOnKafka:
    """Outputs between two points, in the order of each partition. Positions are compacted: the latest is there."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reading = asyncio.Semaphore(AT_ONCE)

    async def check(self, since: Point, topics: frozenset[Topic]) -> None:
        """Raise StreamGone where something of what follows `since` is not kept any more."""
        wanted = _offsets(since, topics)
        async with self._consumer("read_uncommitted") as consumer:
            begins, ends = await consumer.beginning_offsets(list(wanted)), await consumer.end_offsets(list(wanted))
        for at, offset in wanted.items():
            if offset < begins[at]:
                raise StreamGone(f"what followed it in {at.topic} was deleted, being older than what is kept")
            if offset > ends[at]:
                raise StreamGone(f"it is of a time that {at.topic} does not reach any more")

    async def between(self, since: Point, until: Point, topics: frozenset[Topic]) -> AsyncGenerator[list[Output], None]:
        """What follows `since` and lies before `until`.

        Raises EnvironmentFailure where Kafka cannot be read, or has deleted something of it meanwhile.
        """
        starts, stops = _offsets(since, topics), _offsets(until, topics)
        left = {at: stop for at, stop in stops.items() if starts[at] < stop}
        if not left:
            return
        async with self._reading, self._consumer("read_committed") as consumer:
            consumer.assign(list(left))
            for at in left:
                consumer.seek(at, starts[at])
            while left:
                fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=PIECE)
                for at, records in fetched.items():
                    told = [record for record in records if record.offset < stops[at]]
                    outputs = [output_of(TOPIC_OF[at.topic], record) for record in told]
                    yield [output for output in outputs if output is not None]
                left = await _unread(consumer, left)

    @asynccontextmanager
    async def _consumer(self, isolation: str) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = self._connection.consumer(isolation_level=isolation)
        with self._connection.translated("the topics cannot be read again"):
            try:
                await consumer.start()
                yield consumer
            finally:
                await stopped(consumer)


def _offsets(point: Point, topics: frozenset[Topic]) -> Offsets:
    return {
        TopicPartition(OUTPUTS[topic], partition): offset
        for topic in topics
        for partition, offset in enumerate(point.reached[topic])
    }


async def _unread(consumer: AIOKafkaConsumer, stops: Offsets) -> dict[TopicPartition, int]:
    """The partitions in which the consumer has not come up to where it is to stop; it reads no more of the others."""
    left = {at: stop for at, stop in stops.items() if await consumer.position(at) < stop}
    for at in stops.keys() - left.keys():
        consumer.pause(at)
    return left
