"""Follows the public topics into a view, and tells listeners what is new."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from engine.aio import end
from engine.bus.kafka.changelog import offsets_in
from engine.bus.kafka.web.view import KafkaView
from engine.bus.kafka.worker.transport import record_of
from engine.bus.single import Commit, Output, Record, Topic
from engine.kafka.connection import Connection, stopped
from engine.kafka.headers import TOUCHED_HEADER
from engine.kafka.topic_names import EVENTS, OUTPUTS, STATE
from tables.catalogue import HIDDEN_TAGS

FOLLOW_SECONDS = 0.2
RETRY_SECONDS = 1.0
FETCH_SECONDS = 10.0
MAX_RECORDS = 20_000
NAME_OF: Mapping[str, Topic] = {topic: name for name, topic in OUTPUTS.items()}  # type: ignore[misc]
FOLLOWED = [STATE, *OUTPUTS.values()]

log = logging.getLogger(__name__)


class _Data(msgspec.Struct):
    id: str | None = None
    sku: str | None = None


class _Envelope(msgspec.Struct):
    type: str
    data: _Data


_envelopes = msgspec.json.Decoder(_Envelope)


def commit_of(place: TopicPartition, records: Iterable[ConsumerRecord], hidden: frozenset[int]) -> Commit:
    """Records of a topic as what they say; rows of tables in `hidden` are left out."""
    changes: list[tuple[bytes, bytes | None]] = []
    outputs: list[Output] = []
    touched: list[tuple[str, int]] = []
    if place.topic == STATE:
        changes = [(record.key, record.value) for record in records if record.key[0] not in hidden]
    else:
        topic = NAME_OF[place.topic]
        for record in records:
            output = output_of(topic, record)
            if output is None:
                where = f"{place.topic}, partition {place.partition}, offset {record.offset}"
                log.warning("%s is no record of Stockline and is passed over", where)
                continue
            outputs.append(output)
            if topic == "positions":
                touched += [(output.key, offset) for offset in _touched(record)]
    return Commit(place.partition, (), changes, outputs, touched, b"", 0)


def output_of(topic: Topic, record: ConsumerRecord) -> Output | None:
    """A record of an output topic; None where somebody else has written there what cannot be read."""
    try:
        key = (record.key or b"").decode("utf-8", "surrogatepass")
        found = _envelopes.decode(record.value or b"")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if topic == "positions":
        return Output(topic, key, key, record.value, found.type) if found.data.sku is not None and "\0" in key else None
    name = found.data.id
    return Output(topic, key, name, record.value, found.type) if name is not None else None


def _touched(record: ConsumerRecord) -> Iterable[int]:
    found = [value for name, value in record.headers if name == TOUCHED_HEADER and value]
    return offsets_in(found[0]) if found else ()


class Follower:
    """One consumer over all public topics but the log."""

    def __init__(self, connection: Connection, view: KafkaView, publish: Callable[[list[Output]], None]) -> None:
        self._connection = connection
        self._view = view
        self._publish = publish
        self._consumer: AIOKafkaConsumer | None = None
        self._moved = asyncio.Condition()
        self._reached: dict[TopicPartition, int] = {}
        self._running: asyncio.Task[None] | None = None
        self._reading = asyncio.Lock()
        self._reader: AIOKafkaConsumer | None = None
        self._loop = asyncio.get_running_loop()

    async def start(self) -> None:
        """Begin to follow; returns at once."""
        self._view.published.fetch = self._fetch_from_thread
        self._running = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no more."""
        if self._running is not None:
            await end(self._running)
        for consumer in (self._consumer, self._reader):
            if consumer is not None:
                await stopped(consumer)

    @property
    def failure(self) -> BaseException | None:
        """What ended the following, if something did."""
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
                self._reached = {at: await consumer.position(at) for at in assigned}
                self._moved.notify_all()

    async def _seek(self, consumer: AIOKafkaConsumer, assigned: Sequence[TopicPartition]) -> None:
        """Go on where the view is; one that is beyond an end or before a beginning is filled anew."""
        consumer.assign(assigned)
        starts, ends = await consumer.beginning_offsets(assigned), await consumer.end_offsets(assigned)
        known = {at: self._view.place(at.topic, at.partition) for at in assigned}
        if any(known[at] > ends[at] or 0 < known[at] < starts[at] for at in assigned):
            log.warning("%s does not fit the topics and is filled anew", self._view.path)
            await asyncio.to_thread(self._view.discard)
            self._view.published.fetch = self._fetch_from_thread
            known = dict.fromkeys(assigned, 0)
        for at in assigned:
            consumer.seek(at, max(known[at], starts[at]))

    async def _take(
        self, consumer: AIOKafkaConsumer, fetched: Mapping[TopicPartition, Sequence[ConsumerRecord]]
    ) -> None:
        commits = [commit_of(at, records, HIDDEN_TAGS) for at, records in fetched.items()]
        places = {at: await consumer.position(at) for at in fetched}
        await asyncio.to_thread(self._view.apply, commits, places)
        outputs = [output for commit in commits for output in commit.outputs]
        if outputs:
            self._publish(outputs)

    async def caught_up(self) -> None:
        """Returns once all that the topics hold at the call is in the view."""
        async with self._moved:
            while not self._reached or self._consumer is None:
                await self._moved.wait()
        with self._connection.translated("the topics' ends cannot be read"):
            ends = await self._consumer.end_offsets(list(self._reached))
        async with self._moved:
            while any(self._reached[at] < end for at, end in ends.items()):
                await self._moved.wait()

    # single events ----------------------------------------------------------------------------------------------------

    def _fetch_from_thread(self, places: list[tuple[int, int]]) -> list[Record]:
        return asyncio.run_coroutine_threadsafe(self._fetch(places), self._loop).result(FETCH_SECONDS)

    async def _fetch(self, places: list[tuple[int, int]]) -> list[Record]:
        """The records of the log at (partition, offset), in their order; what retention took is left out."""
        async with self._reading:
            if self._reader is None:
                self._reader = self._connection.consumer(auto_offset_reset="earliest", max_partition_fetch_bytes=65_536)
                await self._reader.start()
            found = [await self._one(self._reader, *place) for place in places]
        return [record for record in found if record is not None]

    async def _one(self, reader: AIOKafkaConsumer, partition: int, offset: int) -> Record | None:
        at = TopicPartition(EVENTS, partition)
        reader.assign([at])
        reader.seek(at, offset)
        fetched = await reader.getmany(at, timeout_ms=2_000, max_records=1)
        records = fetched.get(at, ())
        return record_of(records[0]) if records and records[0].offset == offset else None
