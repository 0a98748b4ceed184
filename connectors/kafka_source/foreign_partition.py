"""One partition of a foreign topic as its owner has it: a transactional id of its own, and the place reached.

aiokafka's transactions know nothing of the group's generations, so ownership is held by the transactional id of the
partition: whoever starts a producer with it fences the former owner, whatever that one believes of itself.
"""

import asyncio
import logging
import time
from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from connectors.kafka_source.outgoing import Outgoing
from engine.core.errors import EnvironmentFailure, Fenced, UsageError
from engine.kafka.connection import MAX_RECORD_BYTES, Connection, stopped
from engine.kafka.errors import TOO_LONG
from engine.kafka.topic_names import DEAD_LETTERS

FIRST_PAUSE, LAST_PAUSE = 0.2, 5.0
log = logging.getLogger(__name__)


class ForeignPartition:
    """A partition given to this process by the group. `position` is the next offset to translate."""

    def __init__(self, connection: Connection, group: str, place: TopicPartition) -> None:
        self.place = place
        self.position = 0
        self._connection = connection
        self._settings = connection.settings
        self._group = group
        self._name = f"{group}-{place.topic}-{place.partition}"
        self._producer: AIOKafkaProducer | None = None
        self._pause = FIRST_PAUSE
        self._not_before = 0.0

    @property
    def is_open(self) -> bool:
        """Whether records may be taken from it."""
        return self._producer is not None

    @property
    def may_open(self) -> bool:
        """Whether it is to be opened now: a partition that has failed waits a little."""
        return not self.is_open and time.monotonic() >= self._not_before

    async def open(self, consumer: AIOKafkaConsumer) -> None:
        """Own the partition, in the one order that is safe.

        1. fence     the former owner's open transaction is aborted or finished, its next one refused
        2. place     only now is the committed offset final
        3. seek      whatever was fetched before is of no more use

        Raises:
            UsageError: the topic is not what it was; a person must decide.
            EnvironmentFailure: not now.
        """
        producer = self._connection.transactional_producer(self._name)
        try:
            with self._connection.translated(f"{self._name} cannot be taken over"):
                await asyncio.wait_for(producer.start(), self._settings.transaction_timeout_ms / 1000)
                position = await _committed_place(consumer, self.place)
                consumer.seek(self.place, position)
        except BaseException:
            await stopped(producer)
            raise
        self._producer, self.position = producer, position

    async def commit(self, outgoing: Sequence[Outgoing], position: int) -> None:
        """Write what follows from the records before `position`, and that offset, in one transaction.

        Raises:
            Fenced: another process owns the partition; nothing was written.
            UsageError: the broker will never take a record as long as one of these; nothing was written.
            EnvironmentFailure: whether it was written is not known; the partition must be opened anew.
        """
        assert self._producer is not None
        with self._connection.translated(f"{self._name}: the transaction failed"):
            await asyncio.wait_for(
                self._transact(self._producer, outgoing, position), self._settings.transaction_timeout_ms / 1000
            )
        self.position = position
        self._pause = FIRST_PAUSE

    async def _transact(self, producer: AIOKafkaProducer, outgoing: Sequence[Outgoing], position: int) -> None:
        # 1. begin: nothing goes over the wire yet
        await producer.begin_transaction()
        # 2. deliver: each record must be known to be written before the commit is asked for
        deliveries: list[asyncio.Future[object]] = []
        try:
            for topic, partition, key, value, headers in outgoing:
                deliveries.append(await producer.send(topic, value, key, partition, headers=headers))
            await asyncio.gather(*deliveries)
        except TOO_LONG as error:
            raise too_long(f"{self._name}: {error!r}") from error
        finally:
            for delivery in deliveries:
                delivery.cancel()
        # 3. the place reached, as part of the same transaction
        await producer.send_offsets_to_transaction({self.place: position}, self._group)
        # 4. commit
        await producer.commit_transaction()

    async def failed(self, error: EnvironmentFailure) -> None:
        """Let go after an error, and wait before the next attempt; longer where another process has taken over."""
        pause = self._settings.session_timeout_ms / 1000 if isinstance(error, Fenced) else self._pause
        log.warning("%s; again in %.1f s", error, pause)
        self._pause = min(2 * self._pause, LAST_PAUSE)
        self._not_before = time.monotonic() + pause
        await self.close()

    async def close(self) -> None:
        """Let go. An open transaction is aborted by the next owner, or by the broker after its timeout."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stopped(producer)


def too_long(what: str) -> UsageError:
    """The error for a record that a topic of Stockline never takes."""
    return UsageError(
        f"{what}; the limit of a topic of Stockline was lowered, nothing was written: kafka-configs --alter "
        f"--entity-type topics --entity-name {DEAD_LETTERS} --add-config max.message.bytes={MAX_RECORD_BYTES}"
    )


async def _committed_place(consumer: AIOKafkaConsumer, place: TopicPartition) -> int:
    """Where the group goes on: after its last commit, else at the beginning."""
    committed: int | None = await consumer.committed(place)
    start: int = (await consumer.beginning_offsets([place]))[place]
    end: int = (await consumer.end_offsets([place]))[place]
    if committed is None:
        return start
    if committed > end:
        raise UsageError(
            f"{place.topic}, partition {place.partition} ends at offset {end}, but was read up to {committed}: the "
            "topic was made again or has lost its end. Bring it back; or give the feed another name in its profile, "
            "which reads every topic from its beginning"
        )
    if committed < start:
        log.warning("%s, partition %d: offsets %d to %d were deleted before they were read", *place, committed, start)
    return max(committed, start)
