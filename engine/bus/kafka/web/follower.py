"""Copies the public topics into a view as they grow, and hands new outputs to listeners."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from engine.aio import end
from engine.bus.kafka.codec import commit_of
from engine.bus.kafka.web.forgetting import Forgetting
from engine.bus.kafka.web.view import KafkaView
from engine.bus.point import Point
from engine.bus.single import Output
from engine.kafka.connection import Connection, stopped
from engine.kafka.topic_names import OUTPUTS, STATE
from tables.catalogue import HIDDEN_TAGS

FOLLOW_SECONDS = 0.2
RETRY_SECONDS = 1.0
MAX_RECORDS = 20_000
FOLLOWED = [STATE, *OUTPUTS.values()]

log = logging.getLogger(__name__)


class Follower:
    """One consumer over all public topics but the log."""

    def __init__(
        self,
        connection: Connection,
        view: KafkaView,
        publish: Callable[[list[Output], Point], None],
        forgetting: Forgetting,
    ) -> None:
        self._connection = connection
        self._view = view
        self._publish = publish
        self._forgetting = forgetting
        self._consumer: AIOKafkaConsumer | None = None
        self._asking: AIOKafkaConsumer | None = None
        """Asks for the ends of the topics, transactions that are under way included."""
        self._connecting = asyncio.Lock()
        self._moved = asyncio.Condition()
        self._reached: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int | None] = {}
        """The ends as the last fetch told them; None where there was none yet."""
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to follow; returns at once."""
        self._running = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no more."""
        if self._running is not None:
            await end(self._running)
        for consumer in (self._consumer, self._asking):
            if consumer is not None:
                await stopped(consumer)

    @property
    def failure(self) -> BaseException | None:
        """The error that ended the following, None while it goes on."""
        done = self._running is not None and self._running.done() and not self._running.cancelled()
        return self._running.exception() if done and self._running is not None else None

    async def _follow(self) -> None:
        while True:
            try:
                await self._follow_once()
            except (KafkaError, OSError) as error:
                log.warning("the topics cannot be followed, another try follows: %r", error)
                if self._consumer is not None:
                    await stopped(self._consumer)
                await asyncio.sleep(RETRY_SECONDS)

    async def _follow_once(self) -> None:
        consumer = self._consumer = self._connection.consumer()
        await consumer.start()
        assigned = [TopicPartition(topic, p) for topic in FOLLOWED for p in range(self._view.partitions)]
        await self._seek(consumer, assigned)
        while True:
            fetched = await consumer.getmany(timeout_ms=int(FOLLOW_SECONDS * 1000), max_records=MAX_RECORDS)
            if fetched:
                await self._take(consumer, fetched)
            async with self._moved:
                # Positions also pass marks of transactions, which are no records.
                reached = {at: await consumer.position(at) for at in assigned}
                self._reached, self._ends = reached, {at: consumer.highwater(at) for at in assigned}
                self._moved.notify_all()
            await self._forgetting.step(consumer)

    async def _seek(self, consumer: AIOKafkaConsumer, assigned: Sequence[TopicPartition]) -> None:
        """Seek to where the view ends; a view beyond the end or before the beginning of a topic is filled anew."""
        consumer.assign(assigned)
        starts, ends = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        known = {at: self._view.position(at) for at in assigned}
        if any(known[at] > ends[at] or 0 < known[at] < starts[at] for at in assigned):
            log.warning("%s does not fit the topics and is filled anew", self._view.path)
            await asyncio.to_thread(self._view.discard)
            known = dict.fromkeys(assigned, 0)
        for at in assigned:
            consumer.seek(at, max(known[at], starts[at]))

    async def _take(
        self, consumer: AIOKafkaConsumer, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ) -> None:
        commits = [commit_of(at, records, HIDDEN_TAGS) for at, records in fetched.items()]
        positions = {at: await consumer.position(at) for at in fetched}
        await asyncio.to_thread(self._view.apply, commits, positions)
        outputs = [output for commit in commits for output in commit.outputs]
        if outputs:
            self._publish(outputs, self._view.point())

    def unread(self) -> dict[str, list[int]]:
        """By topic how many offsets of each partition lie behind what was taken, as the last fetch told their ends.

        Offsets are also those of marks of transactions. Before the first fetch there is no topic.
        """
        found: dict[str, list[int]] = {}
        for at, position in self._reached.items():
            found.setdefault(at.topic, []).append(max(0, (self._ends[at] or 0) - position))
        return found

    async def caught_up(self) -> None:
        """Returns once the view holds everything that the topics held at the call.

        A commit is answered before the marks of its transaction are in the topics, and until then a reader of committed
        records finds the end before its records. So the ends are asked for with all transactions that are under way.
        """
        async with self._moved:
            while not self._reached:
                await self._moved.wait()
        with self._connection.translated("the topics' ends cannot be read"):
            ends = await (await self._asker()).end_offsets(list(self._reached))
        async with self._moved:
            while any(self._reached[at] < end for at, end in ends.items()):
                await self._moved.wait()

    async def _asker(self) -> AIOKafkaConsumer:
        async with self._connecting:
            if self._asking is None:
                asking = self._connection.consumer(isolation_level="read_uncommitted")
                try:
                    await asking.start()
                except BaseException:
                    # Also where the caller's patience ends: each attempt would leave a connection behind.
                    await stopped(asking)
                    raise
                self._asking = asking
            return self._asking
