"""The sink on Kafka: the topics of positions, signals and alerts are read, with their offsets in the same transaction.

A transaction of the database holds what was read and how far, so each record is written exactly once, whoever is
killed. It begins by locking the offsets that the last one left: of two connectors that write the same tables the second
finds that it is not where it believed, and reads on from there.
"""

import json
import time
from collections.abc import AsyncIterator, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from connectors.base import JsonObject
from connectors.changes import TABLES, Change, change_of, table_of
from connectors.client import EngineClient
from connectors.database.publisher import Publisher
from connectors.ports import Batch
from connectors.profiles import Unreachable
from engine.kafka.connection import Connection, connection_to, stopped
from engine.kafka.topic_names import OUTPUTS

FETCH_MS = 200
MAX_RECORDS = 2000

Fetched = Mapping[TopicPartition, Sequence[ConsumerRecord]]
Offsets = dict[TopicPartition, int]


class Moved(Unreachable):
    """Another connector has written meanwhile; the next round begins where that one is."""


class TopicSink:
    """Reads the topics of a cluster into the tables; its `stockline web` says what can be promised."""

    def __init__(self, publisher: Publisher, address: str) -> None:
        self._publisher = publisher
        self._connection: Connection = connection_to(address)
        self._consumer: AIOKafkaConsumer | None = None
        self._reached: Offsets = {}
        self._log: str | None = None

    async def pass_on(self, engine: EngineClient, _position: JsonObject | None, /) -> AsyncIterator[Batch]:
        """Write everything up to where the topics end now, a transaction for each fetch; the database knows how far."""
        try:
            consumer = self._consumer or await self._open(engine)
            ends = await consumer.end_offsets(list(self._reached))
            while any(self._reached[at] < end for at, end in ends.items()):
                fetched = await consumer.getmany(timeout_ms=FETCH_MS, max_records=MAX_RECORDS)
                await self._take(engine, consumer, fetched)
                yield Batch(lag_seconds=age_of_fetch(fetched))
            yield Batch(lag_seconds=0.0)
        except KafkaError as error:
            await self.close()
            raise Unreachable(f"Kafka at {self._connection.address}: {error!r}") from None
        except BaseException:
            # What is in doubt is read from the database again.
            await self.close()
            raise

    async def close(self) -> None:
        """Leave the cluster."""
        if self._consumer is not None:
            consumer, self._consumer = self._consumer, None
            await stopped(consumer)

    async def _open(self, engine: EngineClient) -> AIOKafkaConsumer:
        await self._publisher.prepare()
        self._log = await engine.log_id()
        consumer = self._consumer = self._connection.consumer()
        await consumer.start()
        partitions = await self._partitions()
        consumer.assign(partitions)
        starts = await consumer.beginning_offsets(partitions)
        self._reached = await self._begin(partitions, starts)
        for at, offset in self._reached.items():
            consumer.seek(at, offset)
        return consumer

    async def _partitions(self) -> list[TopicPartition]:
        topics = [OUTPUTS[table] for table in TABLES]
        async with self._connection.started_admin() as admin:
            described = await admin.describe_topics(topics)
        if lacking := [each["topic"] for each in described if each["error_code"]]:
            raise Unreachable(f"the cluster has no topic {', '.join(lacking)}: `stockline worker` makes them")
        return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]

    async def _begin(self, partitions: Sequence[TopicPartition], starts: Offsets) -> Offsets:
        """Where the tables are; the beginning of the topics where they are of another log or too far behind."""
        log, tables = str(self._log), self._publisher.tables
        await self._publisher.begin(self._log)
        async with self._publisher.client.transaction() as connection:
            kept = await tables.offsets(connection, log)
            begun = {at: kept.get((at.topic, at.partition), 0) for at in partitions}
            if any(0 < begun[at] < starts[at] for at in partitions):
                self._publisher.warn("what it has not written yet is no longer in the topics, so it begins anew")
                await tables.clear(connection)
                begun = dict.fromkeys(partitions, 0)
            await tables.reach(connection, log, {(at.topic, at.partition): offset for at, offset in begun.items()})
        return {at: max(offset, starts[at]) for at, offset in begun.items()}

    async def _take(self, engine: EngineClient, consumer: AIOKafkaConsumer, fetched: Fetched) -> None:
        """Write what was fetched, and where the consumer is now: also behind marks of transactions, no records."""
        latest = _latest(fetched)
        reached = {at: await consumer.position(at) for at in self._reached}
        moved = {(at.topic, at.partition): offset for at, offset in reached.items() if offset != self._reached[at]}
        if not moved:
            return
        tables, log = self._publisher.tables, str(self._log)
        promises = await self._publisher.promises(engine, latest)
        async with self._publisher.client.transaction() as connection:
            kept = await tables.offsets(connection, log)
            if any(kept[at.topic, at.partition] > offset for at, offset in self._reached.items()):
                raise Moved("another connector writes the same tables")
            await tables.write(connection, latest, promises)
            await tables.reach(connection, log, moved)
        self._reached = reached


def age_of_fetch(fetched: Fetched) -> float | None:
    """How many seconds ago the oldest of the last records of the partitions was written."""
    written = [records[-1].timestamp for records in fetched.values() if records]
    return max(0.0, time.time() - min(written) / 1000) if written else None


def _latest(fetched: Fetched) -> list[Change]:
    """The last state of each thing in a fetch; what Stockline did not write is passed over."""
    found: dict[tuple[str, str], Change] = {}
    for records in fetched.values():
        for record in records:
            if (change := _change(record)) is not None:
                found[change.table, change.key] = change
    return list(found.values())


def _change(record: ConsumerRecord) -> Change | None:
    try:
        event = json.loads(record.value or b"null")
        table = table_of(event["type"])
        return None if table is None else change_of(table, event["data"])
    except (ValueError, KeyError, TypeError):
        return None
