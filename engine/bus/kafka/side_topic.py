"""Follows a topic of one partition that lies beside those of the log, from its beginning on."""

import asyncio
import logging
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from engine.kafka.connection import Connection, stopped

FETCH_MS = 1_000
RETRY_SECONDS = 1.0

log = logging.getLogger(__name__)

Hear = Callable[[ConsumerRecord[bytes, bytes]], None]
"""Told each record of the topic, in their order."""


class SideTopic:
    """Reads a topic of one partition. What was read is not read again as long as this object lives."""

    def __init__(self, connection: Connection, topic: str, hear: Hear) -> None:
        """Call `hear` with each record of `topic`, which exists before anything is read."""
        self._connection, self._hear = connection, hear
        self._at = TopicPartition(topic, 0)
        self._reached = 0

    async def read_all(self) -> AIOKafkaConsumer:
        """Read what the topic holds by now; the consumer is for `follow`. Raises EnvironmentFailure, UsageError."""
        with self._connection.translated(f"{self._at.topic} cannot be read"):
            consumer = await self._connected()
            try:
                stop = (await consumer.end_offsets([self._at]))[self._at]
                while self._reached < stop:
                    await self._take(consumer)
            except BaseException:
                await stopped(consumer)
                raise
        return consumer

    async def follow(self, following: AIOKafkaConsumer | None = None) -> None:
        """Read for ever, also after Kafka was away, of which it warns once each time."""
        is_known = False
        while True:
            try:
                if following is None:
                    following = await self._connected()
                while True:
                    await self._take(following)
                    is_known = False
            except Exception as error:  # noqa: BLE001 - whatever it is, the topic must be followed again
                if not is_known:
                    log.warning("%s cannot be followed, tries follow until it can: %r", self._at.topic, error)
                is_known = True
            finally:
                if following is not None:
                    await stopped(following)
            following = None
            await asyncio.sleep(RETRY_SECONDS)

    async def _connected(self) -> AIOKafkaConsumer:
        """A consumer that goes on where the reading was, or begins where the topic does if that is gone."""
        consumer = self._connection.consumer(auto_offset_reset="earliest")
        try:
            await consumer.start()
        except BaseException:
            await stopped(consumer)
            raise
        consumer.assign([self._at])
        consumer.seek(self._at, self._reached)
        return consumer

    async def _take(self, consumer: AIOKafkaConsumer) -> None:
        fetched = await consumer.getmany(self._at, timeout_ms=FETCH_MS)
        for record in fetched.get(self._at, ()):
            self._hear(record)
        self._reached = await consumer.position(self._at)
