"""Appends events to the log for who has no Kafka client: durable on return."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from engine.bus.single import Record
from engine.kafka.connection import Connection, closed, group_offsets, stopped
from engine.kafka.errors import CLIENT_ERRORS, translated
from engine.kafka.headers import BROADCAST_HEADER, NO_HEADERS
from engine.kafka.topic_names import EVENTS

LINGER_MS = 2


class Appended(NamedTuple):
    """Where a record came to lie."""

    partition: int
    offset: int


class Ingest:
    """One idempotent producer; after an error a new one, because the old one may repeat its error for ever."""

    def __init__(self, connection: Connection, partitions: int) -> None:
        self._connection = connection
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def append(self, records: Sequence[Record], everywhere: frozenset[int]) -> list[Appended]:
        """Append records, each to the partition it names; returns once all are durable.

        Args:
            records: their offsets and arrivals are ignored, the broker gives them.
            everywhere: the indexes of records that are for every partition.

        Raises:
            EnvironmentFailure: some may be in the log and some not; sent again they are known as duplicates.
        """
        try:
            producer = await self._started()
            sent = [
                await producer.send(
                    EVENTS,
                    record.value,
                    record.key.encode("utf-8", "surrogatepass"),
                    record.partition,
                    headers=[BROADCAST_HEADER] if index in everywhere else NO_HEADERS,
                )
                for index, record in enumerate(records)
            ]
            done = await asyncio.gather(*sent)
        except CLIENT_ERRORS as error:
            await self.close()
            raise translated(error, f"Kafka at {self._connection.address}: events cannot be appended") from error
        return [Appended(each.partition, each.offset) for each in done]

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                producer = self._connection.producer(linger_ms=LINGER_MS)
                try:
                    await producer.start()
                except BaseException:
                    await stopped(producer)
                    raise
                self._producer = producer
            return self._producer

    async def close(self) -> None:
        """Let go of the producer; the next append makes a new one."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)


class LogProgress:
    """How far the log is, and how far the group says that it is folded. Keeps its connections; after an error anew."""

    def __init__(self, connection: Connection, partitions: int) -> None:
        self._connection = connection
        self._places = [TopicPartition(EVENTS, partition) for partition in range(partitions)]
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._asking = asyncio.Lock()

    async def ends(self) -> dict[int, int]:
        """The end of every partition of the log."""
        async with self._asked():
            if self._consumer is None:
                self._consumer = self._connection.consumer()
                await self._consumer.start()
            ends = await self._consumer.end_offsets(self._places)
        return {at.partition: end for at, end in ends.items()}

    async def folded(self) -> dict[int, int]:
        """How far each partition is folded and committed."""
        async with self._asked():
            if self._admin is None:
                self._admin = self._connection.admin()
                await self._admin.start()
            found = await group_offsets(self._admin, self._connection.settings, self._places)
        return {at.partition: offset for at, offset in found.items()}

    @asynccontextmanager
    async def _asked(self) -> AsyncIterator[None]:
        async with self._asking:
            try:
                yield
            except CLIENT_ERRORS as error:
                await self.close()
                raise translated(error, f"Kafka at {self._connection.address}: progress cannot be read") from error

    async def close(self) -> None:
        """Let go of the connections."""
        consumer, self._consumer = self._consumer, None
        admin, self._admin = self._admin, None
        if consumer is not None:
            await stopped(consumer)
        if admin is not None:
            await closed(admin)
