"""How far the log is, and how far it is folded."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from engine.kafka.connection import Connection, closed, group_offsets, stopped
from engine.kafka.errors import CLIENT_ERRORS, translated
from engine.kafka.topic_names import EVENTS


class LogProgress:
    """Reads the ends of the log and the offsets that the group has committed. After an error it connects anew."""

    def __init__(self, connection: Connection, partitions: int) -> None:
        self._connection = connection
        self._partitions = [TopicPartition(EVENTS, partition) for partition in range(partitions)]
        self._consumer: AIOKafkaConsumer | None = None
        self._admin: AIOKafkaAdminClient | None = None
        self._asking = asyncio.Lock()

    async def ends(self) -> dict[int, int]:
        """The end of every partition of the log."""
        async with self._asked():
            if self._consumer is None:
                self._consumer = self._connection.consumer()
                await self._consumer.start()
            ends = await self._consumer.end_offsets(self._partitions)
        return {at.partition: end for at, end in ends.items()}

    async def folded(self) -> dict[int, int]:
        """How far each partition is folded and committed."""
        async with self._asked():
            if self._admin is None:
                self._admin = self._connection.admin()
                await self._admin.start()
            found = await group_offsets(self._admin, self._connection.settings, self._partitions)
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
