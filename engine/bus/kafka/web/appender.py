"""Appends events to the Kafka log on behalf of HTTP callers."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaProducer

from engine.bus.cluster import Appended
from engine.bus.single import Record
from engine.kafka.connection import Connection, stopped
from engine.kafka.errors import CLIENT_ERRORS, translated
from engine.kafka.headers import BROADCAST_HEADER, NO_HEADERS
from engine.kafka.topic_names import EVENTS

LINGER_MS = 2


class Appender:
    """One idempotent producer; after an error a new one, because the old one may repeat its error for ever."""

    def __init__(self, connection: Connection, partitions: int) -> None:
        self._connection = connection
        self._partitions = partitions
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def append(self, records: Sequence[Record], everywhere: frozenset[int]) -> list[Appended]:
        """Append records, each to the partition it names; returns once the broker has all of them durably.

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
