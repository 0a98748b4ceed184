"""A foreign of the Kafka source: what the outside's broker refuses for good is for a person, with what to do."""

import asyncio

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    IllegalOperation,
    InvalidTransactionTimeout,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
)

from connectors.kafka_source.documents import Received
from connectors.kafka_source.foreign_partition import ForeignPartition
from connectors.kafka_source.outgoing import Target, outgoing
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.outcomes import Rejection
from engine.kafka.connection import Connection
from engine.kafka.errors import translating
from engine.settings import load_kafka


def test_a_transaction_timeout_above_the_brokers_limit_is_for_a_person() -> None:
    with pytest.raises(UsageError, match="STOCKLINE_TRANSACTION_TIMEOUT_MS"), translating("writing"):
        raise InvalidTransactionTimeout


class RefusingProducer:
    """A producer whose broker finds every record too long."""

    def __init__(self, error: KafkaError) -> None:
        self.error = error

    async def start(self) -> None:
        pass

    async def stop(self) -> None:
        pass

    async def begin_transaction(self) -> None:
        pass

    async def send(self, *_: object, **__: object) -> asyncio.Future[object]:
        refused: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        refused.set_exception(self.error)
        return refused


class OvertakenProducer(RefusingProducer):
    """A producer whose transaction another process has ended between two records."""

    async def send(self, *_: object, **__: object) -> asyncio.Future[object]:
        raise IllegalOperation("Can't send messages while not in transaction")


class FreshTopic:
    """A consumer of a topic with no records, of which the group has committed nothing."""

    async def committed(self, place: TopicPartition) -> None:
        pass

    async def beginning_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    async def end_offsets(self, places: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, 0)

    def seek(self, place: TopicPartition, offset: int) -> None:
        assert offset == 0


async def opened(monkeypatch: pytest.MonkeyPatch, producer: RefusingProducer) -> ForeignPartition:
    connection = Connection(load_kafka(kafka="127.0.0.1:1"))
    monkeypatch.setattr(connection, "transactional_producer", lambda _: producer)
    foreign = ForeignPartition(connection, "group", TopicPartition("wms", 0))
    await foreign.open(FreshTopic())
    return foreign


async def commit_a_rejected_record(foreign: ForeignPartition) -> None:
    record = Received("wms", 0, 7, 0, None, [], b"x")
    await foreign.commit(outgoing(record, Rejection("untranslatable", "why"), Target(8, "north")), 1)


@pytest.mark.parametrize("error", [MessageSizeTooLargeError, RecordListTooLargeError])
async def test_a_record_that_a_topic_never_takes_is_for_a_person(
    error: type[KafkaError], monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = await opened(monkeypatch, RefusingProducer(error()))
    with pytest.raises(UsageError, match="kafka-configs"):
        await commit_a_rejected_record(foreign)


async def test_a_transaction_that_ended_elsewhere_is_no_bug_but_opens_the_partition_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    foreign = await opened(monkeypatch, OvertakenProducer(KafkaError()))
    with pytest.raises(EnvironmentFailure, match="IllegalOperation"):
        await commit_a_rejected_record(foreign)
