"""The loop of the connector: foreign records in, events and dead letters out, each exactly once.

Its steps, and the reason for their order:

1. open       each partition that the group has given: fence, then read the place reached, then seek
2. fetch      from the partitions that are open
3. translate  all records of a partition, purely
4. commit     what follows from them and the place reached, in one transaction for each partition, or a few

Any error of a commit closes the partition, since its outcome may be unknown; opening it anew finds out. A rebalance
closes all: what was fetched under a former assignment is dropped and fetched again.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError

from connectors.kafka_source.documents import Received
from connectors.kafka_source.foreign_partition import ForeignPartition
from connectors.kafka_source.outgoing import Target, portions
from connectors.kafka_source.profile import SourceProfile
from connectors.kafka_source.translate import Outcome, Translated, Translation
from connectors.mapping.reading import Skipped
from engine.core.errors import EnvironmentFailure, UsageError
from engine.kafka.connection import Connection, stopped

FETCH_MS = 500
IDLE_SECONDS = 0.1
MAX_RECORDS = 5_000
"""Of one fetch, so that a transaction stays short and memory bounded."""
PROGRESS_SECONDS = 5.0
ELSEWHERE_SECONDS = 1.0
METADATA_SECONDS = 15.0
log = logging.getLogger(__name__)

Fetch = Mapping[TopicPartition, Sequence[ConsumerRecord]]


@dataclass
class Tally:
    """What this process has committed, by record: `refused` by reason of the dead letter, `skipped` by rule."""

    translated: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)

    def add(self, outcomes: Sequence[Outcome]) -> None:
        """Count what was committed."""
        for outcome in outcomes:
            if isinstance(outcome, Translated):
                self.translated += 1
            elif isinstance(outcome, Skipped):
                self.skipped[outcome.why] += 1
            else:
                self.refused[outcome.reason] += 1

    def __str__(self) -> str:
        return f"{self.translated} translated, {self.refused.total()} refused, {self.skipped.total()} skipped"


class Source(ConsumerRebalanceListener):
    """Reads the topics of a profile. `run` it once."""

    def __init__(self, profile: SourceProfile, connection: Connection, partitions: int) -> None:
        self.tally = Tally()
        self._profile = profile
        self._connection = connection
        self._group = f"{connection.settings.group}-source-{profile.name}"
        self._target = Target(partitions, profile.name)
        self._translation = Translation(profile)
        self._owned: dict[TopicPartition, ForeignPartition] = {}
        self._sharing = asyncio.Lock()
        self._generation = 0
        self._ends: dict[TopicPartition, int] | None = None
        self._asked = asyncio.Event()
        self._told = (time.monotonic(), str(self.tally))
        self._elsewhere_at = 0.0

    async def run(self, asked: asyncio.Event, once: bool = False) -> Tally:
        """Translate until asked to stop, or with `once` up to the ends of the topics as they are now.

        Raises:
            UsageError: a topic is missing or not what it was, or something is not allowed.
            EnvironmentFailure: the cluster cannot be reached at the start.
        """
        self._asked = asked
        consumer = self._connection.member(self._group)
        try:
            with self._connection.translated("cannot be reached"):
                await consumer.start()
                await self._subscribe(consumer, once)
            while not asked.is_set() and not await self._is_done(consumer):
                await self._turn(consumer)
                self._tell()
        finally:
            await stopped(consumer)
            async with self._sharing:
                await self._close_owned()
        return self.tally

    async def _subscribe(self, consumer: AIOKafkaConsumer, once: bool) -> None:
        known = await consumer.topics()
        if missing := [topic for topic in self._profile.topic_names if topic not in known]:
            raise UsageError(f"there is no topic {', '.join(missing)}, or it may not be read")
        consumer.subscribe(self._profile.topic_names, listener=self)
        if once:
            places = [place for topic in self._profile.topic_names for place in await _partitions(consumer, topic)]
            starts, ends = await asyncio.gather(consumer.beginning_offsets(places), consumer.end_offsets(places))
            self._ends = {place: end for place, end in ends.items() if end > starts[place]}

    # the group --------------------------------------------------------------------------------------------------------

    async def on_partitions_revoked(self, _revoked: Collection[TopicPartition]) -> None:
        """Let commits under way come to their end, then let go of everything."""
        async with self._sharing:
            self._generation += 1
            await self._close_owned()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Take what the group gives; the loop opens it."""
        async with self._sharing:
            self._generation += 1
            self._owned = {place: ForeignPartition(self._connection, self._group, place) for place in sorted(assigned)}
            log.info("reading %d partitions of %s", len(self._owned), ", ".join(self._profile.topic_names))

    async def _close_owned(self) -> None:
        owned, self._owned = self._owned, {}
        await asyncio.gather(*(foreign.close() for foreign in owned.values()))

    # the loop ---------------------------------------------------------------------------------------------------------

    async def _turn(self, consumer: AIOKafkaConsumer) -> None:
        async with self._sharing:
            await _all(self._open(foreign, consumer) for foreign in self._owned.values() if foreign.may_open)
            ready = [place for place, foreign in self._owned.items() if foreign.is_open]
            generation = self._generation
        fetched = await self._fetch(consumer, ready)
        async with self._sharing:
            if generation == self._generation and fetched is not None:
                owned = [self._owned[place] for place in ready]
                await _all(self._serve(foreign, fetched.get(foreign.place, ()), consumer) for foreign in owned)

    async def _open(self, foreign: ForeignPartition, consumer: AIOKafkaConsumer) -> None:
        try:
            await foreign.open(consumer)
        except EnvironmentFailure as error:
            await foreign.failed(error)

    async def _fetch(self, consumer: AIOKafkaConsumer, ready: Sequence[TopicPartition]) -> Fetch | None:
        """What has come; None where the fetch failed, and every partition must be opened anew."""
        waiting: asyncio.Future[object] = asyncio.ensure_future(self._asked.wait())
        if not ready:
            await asyncio.wait([waiting], timeout=IDLE_SECONDS)
            waiting.cancel()
            return {}
        fetching = asyncio.ensure_future(consumer.getmany(*ready, timeout_ms=FETCH_MS, max_records=MAX_RECORDS))
        try:
            await asyncio.wait([fetching, waiting], return_when=asyncio.FIRST_COMPLETED)
            if not fetching.done():
                return {}
            with self._connection.translated("fetching failed"):
                return _fetched(fetching)
        except EnvironmentFailure as error:
            # A client that fails at one partition may have dropped what it had already taken from another.
            async with self._sharing:
                await asyncio.gather(*(foreign.failed(error) for foreign in self._owned.values()))
            return None
        finally:
            fetching.cancel()
            waiting.cancel()

    async def _serve(
        self, foreign: ForeignPartition, records: Sequence[ConsumerRecord], consumer: AIOKafkaConsumer
    ) -> None:
        try:
            with self._connection.translated("fetching failed"):
                position = await consumer.position(foreign.place)
            # The position may have moved without records, over the marks of others' transactions.
            if position == foreign.position:
                return
            received = [_received(record) for record in records if record.offset >= foreign.position]
            for portion in portions(received, self._translation, self._target, position):
                await foreign.commit(portion.sent, portion.reached)
                self.tally.add(portion.outcomes)
        except EnvironmentFailure as error:
            await foreign.failed(error)

    async def _is_done(self, consumer: AIOKafkaConsumer) -> bool:
        """Whether the ends are reached that were there at the start; of other members' partitions, by their commits."""
        if self._ends is None:
            return False
        left = {place: end for place, end in self._ends.items() if not self._has_reached(place, end)}
        if any(place in self._owned for place in left) or time.monotonic() < self._elsewhere_at:
            return False
        self._elsewhere_at = time.monotonic() + ELSEWHERE_SECONDS
        for place, end in left.items():
            with self._connection.translated("the group's offsets cannot be read"):
                committed = await consumer.committed(place)
            if committed is None or committed < end:
                return False
        return True

    def _has_reached(self, place: TopicPartition, end: int) -> bool:
        foreign = self._owned.get(place)
        return foreign is not None and foreign.is_open and foreign.position >= end

    def _tell(self) -> None:
        at, last = self._told
        if (now := time.monotonic()) >= at + PROGRESS_SECONDS and (said := str(self.tally)) != last:
            self._told = (now, said)
            log.info("%s", said)


async def _all(doing: Iterable[Awaitable[None]]) -> None:
    """Awaits all, then raises the first error, so that nothing keeps running after the lock is released."""
    for outcome in await asyncio.gather(*doing, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _fetched(fetching: "asyncio.Future[Fetch]") -> Fetch:
    try:
        return fetching.result()
    except NoOffsetForPartitionError:
        # Raised for a partition that was assigned but not yet opened; opening it seeks explicitly.
        return {}


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    deadline = time.monotonic() + METADATA_SECONDS
    while not (found := consumer.partitions_for_topic(topic)):
        if time.monotonic() > deadline:
            raise KafkaError(f"nothing is known of the partitions of {topic}")
        await asyncio.sleep(IDLE_SECONDS)
    return [TopicPartition(topic, partition) for partition in sorted(found)]


def _received(record: ConsumerRecord) -> Received:
    return Received(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        [(name, value or b"") for name, value in record.headers],
        record.value,
    )
