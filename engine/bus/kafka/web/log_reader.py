"""Reads single records of the log by their offset, for the events behind a row."""

import asyncio
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from engine.bus.kafka.codec import record_of
from engine.bus.single import Record
from engine.kafka.connection import Connection, stopped
from engine.kafka.topic_names import EVENTS

ANSWER_SECONDS = 10.0
FETCH_MS = 2_000
FETCH_BYTES = 65_536


class LogReader:
    """A consumer that reads one record at a time; it connects at the first read. Make it in the event loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._consumer: AIOKafkaConsumer | None = None
        self._reading = asyncio.Lock()
        self._loop = asyncio.get_running_loop()

    def read(self, offsets: Sequence[tuple[int, int]]) -> list[Record]:
        """The records at `offsets` (partition, offset), in their order; those that retention deleted are left out.

        Call it from any thread but the event loop's.

        Raises:
            TimeoutError: the broker does not answer within 10 seconds.
        """
        return asyncio.run_coroutine_threadsafe(self._read(offsets), self._loop).result(ANSWER_SECONDS)

    async def close(self) -> None:
        """Let go of the connection."""
        if self._consumer is not None:
            await stopped(self._consumer)

    async def _read(self, offsets: Sequence[tuple[int, int]]) -> list[Record]:
        async with self._reading:
            if self._consumer is None:
                # The client keeps a position for each partition, and begins somewhere where retention took the offset.
                self._consumer = self._connection.consumer(
                    auto_offset_reset="earliest", max_partition_fetch_bytes=FETCH_BYTES
                )
                await self._consumer.start()
            found = [await self._one(self._consumer, *at) for at in offsets]
        return [record for record in found if record is not None]

    async def _one(self, consumer: AIOKafkaConsumer, partition: int, offset: int) -> Record | None:
        at = TopicPartition(EVENTS, partition)
        consumer.assign([at])
        consumer.seek(at, offset)
        fetched = await consumer.getmany(at, timeout_ms=FETCH_MS, max_records=1)
        records = fetched.get(at, ())
        return record_of(records[0]) if records and records[0].offset == offset else None
