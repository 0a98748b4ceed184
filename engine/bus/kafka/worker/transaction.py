"""One transaction of one partition: packed batches of records are delivered, then committed.

aiokafka leaves two duties to the user of its transactional producer: every batch must be known to be delivered before
the commit is requested, and after any error the producer must not be used again.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from engine.bus.kafka.topics import not_taken
from engine.bus.kafka.worker.failpoints import passed
from engine.kafka.connection import UNDERWAY_BYTES, Connection, stopped
from engine.kafka.errors import TOO_LONG
from engine.kafka.headers import Message


class Room:
    """Bounds the bytes that are under way at once; a longer batch waits until it is alone."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._free = length
        self._changed = asyncio.Condition()

    @asynccontextmanager
    async def taken(self, length: int) -> AsyncIterator[None]:
        """Wait for `length` bytes of room, and hold them meanwhile."""
        held = min(length, self._length)
        async with self._changed:
            await self._changed.wait_for(lambda: self._free >= held)
            self._free -= held
        try:
            yield
        finally:
            async with self._changed:
                self._free += held
                self._changed.notify_all()


class TransactionalProducer:
    """The producer whose transactional id stands for one partition: starting it fences the producer that had the id."""

    def __init__(self, connection: Connection, name: str) -> None:
        self._connection = connection
        self._name = name
        self._timeout = connection.settings.transaction_timeout_ms / 1000
        self._room = Room(UNDERWAY_BYTES)
        self._producer = connection.transactional_producer(name)

    async def start(self) -> None:
        """Take the id over: the broker aborts an open transaction of the former owner and fences it."""
        await self._within(self._producer.start(), "cannot take over the partition")

    async def write(self, messages: Mapping[TopicPartition, Sequence[Message]]) -> dict[TopicPartition, int | None]:
        """Write all `messages` in one transaction.

        Returns:
            For each place the offset after its last record; None where the broker did not say.

        Raises:
            Fenced: another process has taken the id over; nothing was written.
            UsageError: the broker will never take a record as long as one of these; nothing was written.
            EnvironmentFailure: anything else; whether it was written is not known.
        """
        ends: dict[TopicPartition, int | None] = await self._within(self._write(messages), "the transaction failed")
        return ends

    async def _write(self, messages: Mapping[TopicPartition, Sequence[Message]]) -> dict[TopicPartition, int | None]:
        # 1. begin: nothing goes over the wire yet
        await self._producer.begin_transaction()
        passed("commit.begun")
        # 2. deliver: batches of one partition in their order, partitions side by side
        deliveries = [self._deliver(place, sent) for place, sent in messages.items()]
        outcomes = await asyncio.gather(*deliveries, return_exceptions=True)
        # 3. commit: only what was delivered whole
        ends: dict[TopicPartition, int | None] = {}
        for place, outcome in zip(messages, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            ends[place] = outcome
        passed("commit.delivered")
        await self._producer.commit_transaction()
        passed("commit.committed")
        return ends

    async def _deliver(self, place: TopicPartition, messages: Sequence[Message]) -> int | None:
        end: int | None = None
        for batch in self._packed(messages):
            length = batch.size()
            # The batches that one broker gets at the same time are one request, which may not become too long.
            async with self._room.taken(length):
                delivered = await self._producer.send_batch(batch, place.topic, partition=place.partition)
                try:
                    metadata = await delivered
                except TOO_LONG as error:
                    raise not_taken(self._connection.address, place, length, error) from error
            known = metadata is not None and metadata.offset >= 0
            end = metadata.offset + batch.record_count() if known else None
        return end

    def _packed(self, messages: Sequence[Message]) -> Iterable[Any]:
        now = time.time_ns() // 1_000_000
        batch = self._producer.create_batch()
        append = batch.append
        for key, value, headers in messages:
            if append(key=key, value=value, timestamp=now, headers=headers) is None:
                yield batch
                batch = self._producer.create_batch()
                append = batch.append
                append(key=key, value=value, timestamp=now, headers=headers)
        yield batch

    async def _within(self, doing: Any, what: str) -> Any:
        with self._connection.translated(f"{self._name}: {what}"):
            return await asyncio.wait_for(doing, self._timeout)

    async def stop(self) -> None:
        """Close the producer. The next owner aborts an open transaction, or the broker does after its timeout."""
        await stopped(self._producer)
