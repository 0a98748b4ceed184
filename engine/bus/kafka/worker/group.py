"""The consumer group of a worker, kept up by Faust.

Faust is used for the membership of the group, the assignment of partitions, the thread in which the client runs, and
the supervision of all that. Its one agent hands each batch to the receiver. The engine itself keeps rows, commits
outputs and offsets, and seeks: Faust's tables, changelogs and exactly-once mode are not used, because they can commit
an offset before its changelog is written, and lose the offset of a table after a crash.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import faust
from aiokafka import AIOKafkaProducer
from faust.types import TP, StreamT

from engine.bus.cluster import Fetched, Ownership, Receiver
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.worker.cache import CacheSettings
from engine.bus.kafka.worker.failpoints import passed
from engine.bus.kafka.worker.ownership import KafkaOwnership
from engine.bus.kafka.worker.transport import BatchConsumer, BatchTransport
from engine.bus.single import Record
from engine.kafka.connection import Connection, stopped
from engine.kafka.errors import CLIENT_ERRORS, translated
from engine.kafka.headers import BROADCAST_HEADER
from engine.kafka.topic_names import EVENTS

STREAM_BATCHES = 16


class _WholeBatches(faust.Schema[Any, Any]):
    """Hands a batch on as it is."""

    def compile(self, app: Any, **_: Any) -> Any:
        create_event = app.create_event

        async def decode(message: Any, **_: Any) -> Any:
            return create_event(None, message.value, None, message)

        return decode


class _App(faust.App):
    """A Faust app on the batch transport that tells the receiver when it fails for good."""

    def __init__(self, connection: Connection, data: Path) -> None:
        self.connection = connection
        settings = connection.settings
        super().__init__(
            settings.group,
            broker=";".join(f"kafka://{server}" for server in settings.kafka.split(",")),
            datadir=data,
            store="memory://",
            web_enabled=False,
            topic_disable_leader=True,
            topic_allow_declare=False,
            stream_buffer_maxsize=STREAM_BATCHES,
            broker_session_timeout=settings.session_timeout_ms / 1000,
            broker_request_timeout=settings.request_timeout_ms / 1000,
            broker_heartbeat_interval=settings.session_timeout_ms / 6000,
            stream_recovery_delay=0.0,
        )

    def _new_transport(self) -> BatchTransport:
        transport = BatchTransport(self.conf.broker_consumer, self)
        transport.connection, transport.receiver = self.connection, self.receiver
        return transport

    receiver: Receiver

    def _new_producer(self) -> Any:
        producer: Any = super()._new_producer()
        producer._settings_auth = self._producer_auth  # noqa: SLF001
        return producer

    def _producer_auth(self) -> dict[str, Any]:
        names = ("security_protocol", "ssl_context", "sasl_mechanism", "sasl_plain_username", "sasl_plain_password")
        return {name: self.connection.options[name] for name in names if name in self.connection.options}

    async def crash(self, reason: BaseException) -> None:
        """Tell the receiver that Faust has given up, because the worker must end, too."""
        what = f"Kafka at {self.connection.address}: the group cannot be kept up"
        known = isinstance(reason, CLIENT_ERRORS)
        self.receiver.failed(translated(reason, what) if known else reason)
        await super().crash(reason)


class KafkaCluster:
    """The cluster of a worker process, from `start` to `stop`."""

    def __init__(self, connection: Connection, topics: Topics, caches: CacheSettings) -> None:
        self.partitions = topics.partitions
        self._connection = connection
        self._topics = topics
        self._caches = caches
        self._app = _App(connection, caches.directory / "faust")
        self._producer: AIOKafkaProducer | None = None

    async def start(self, receiver: Receiver) -> None:
        """Join the group; `receiver` is told of assignments and takes the batches."""
        self._app.receiver = receiver
        topic = self._app.topic(EVENTS, schema=_WholeBatches(), acks=False)

        @self._app.agent(topic, name="stockline")
        async def fold(batches: StreamT[Fetched]) -> None:
            async for batch in batches:
                await receiver.take(batch)

        async def revoked(*_: Any, **__: Any) -> None:
            await receiver.on_revoked()

        async def assigned(*said: Any, **_: Any) -> None:
            await receiver.on_assigned(frozenset(tp.partition for tp in said[1] if tp.topic == EVENTS))

        self._app.on_partitions_revoked.connect(revoked)
        self._app.on_partitions_assigned.connect(assigned)

        self._caches.directory.mkdir(parents=True, exist_ok=True)
        self._producer = self._connection.producer(linger_ms=5)
        with self._connection.translated("cannot be reached"):
            await self._producer.start()
            await self._app.start()

    async def stop(self) -> None:
        """Leave the group."""
        await self._app.stop()
        if self._producer is not None:
            await stopped(self._producer)

    @property
    def _consumer(self) -> BatchConsumer:
        consumer: Any = self._app.consumer
        batches: BatchConsumer = consumer
        return batches

    def end_offset(self, partition: int) -> int:
        """The end of a partition as of the last fetch, 0 before the first."""
        return self._consumer.highwater(TP(EVENTS, partition))

    async def own(self, partition: int) -> Ownership:
        """Own a partition: fence its former owner, restore its rows."""
        return await KafkaOwnership.own(self._connection, self._topics, self._caches, partition)

    async def seek(self, partition: int, offset: int) -> None:
        """Fetch a partition from `offset` on."""
        with self._connection.translated(f"partition {partition} cannot be fetched"):
            await self._consumer.thread.fetch_from(partition, offset)

    async def append(self, records: Sequence[Record]) -> None:
        """Append ticks of the clock."""
        assert self._producer is not None
        with self._connection.translated("the clock cannot be written"):
            sent = [
                await self._producer.send(
                    EVENTS, record.value, record.key.encode(), record.partition, headers=[BROADCAST_HEADER]
                )
                for record in records
            ]
            await asyncio.gather(*sent)

    async def committed(self, offsets: dict[int, int]) -> None:
        """Publish the consumed offsets to the group; partitions that this process has lost are left out."""
        with self._connection.translated("the group's offsets cannot be committed"):
            await self._consumer.thread.commit_offsets(offsets)
            passed("commit.told")
