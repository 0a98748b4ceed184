"""A topic of one partition on a broker that may be away, as the clients of Kafka show it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from engine.bus.kafka import logouts, side_topic, signs


class Record(NamedTuple):
    value: bytes | None
    offset: int
    key: bytes | None
    timestamp: int


class Topic:
    """The topic; it is the connection of everybody at once. A record is stamped with the second `now`."""

    address = "nowhere:1"
    settings = SimpleNamespace(session_timeout_ms=1)

    def __init__(self, *values: bytes | None) -> None:
        self.records = [Record(value, offset, None, 0) for offset, value in enumerate(values)]
        self.is_away = False
        self.now = 0
        self.made: list[str] = []
        self.grown = asyncio.Condition()

    @property
    def values(self) -> list[bytes | None]:
        return [record.value for record in self.records]

    def consumer(self, **_: str) -> Reader:
        return Reader(self)

    def producer(self) -> Writer:
        return Writer(self)

    @contextmanager
    def translated(self, _: str) -> Iterator[None]:
        yield

    def check(self) -> None:
        if self.is_away:
            raise KafkaConnectionError("nobody answers")

    async def ensure(self, _: object, name: str) -> None:
        """What stands for the making of the topic."""
        self.check()
        self.made.append(name)

    async def leave(self) -> None:
        """The broker is away from now on."""
        async with self.grown:
            self.is_away = True
            self.grown.notify_all()


class Client:
    def __init__(self, topic: Topic) -> None:
        self.topic = topic

    async def start(self) -> None:
        self.topic.check()

    async def stop(self) -> None: ...


class Reader(Client):
    at = 0

    def assign(self, _: Sequence[TopicPartition]) -> None: ...

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.at = offset

    async def end_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, len(self.topic.records))

    async def getmany(self, at: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        async with self.topic.grown:
            await self.topic.grown.wait_for(lambda: self.topic.is_away or len(self.topic.records) > self.at)
        self.topic.check()
        found = self.topic.records[self.at :]
        self.at = len(self.topic.records)
        return {at: found}

    async def position(self, _: TopicPartition) -> int:
        return self.at


class Writer(Client):
    async def send_and_wait(self, topic: str, value: bytes | None, partition: int, key: bytes | None = None) -> None:
        assert topic in ("stockline.logouts", "stockline.processes")
        assert partition == 0
        self.topic.check()
        async with self.topic.grown:
            self.topic.records.append(Record(value, len(self.topic.records), key, self.topic.now * 1000))
            self.topic.grown.notify_all()


def hurry(monkeypatch: pytest.MonkeyPatch, topic: Topic | None = None) -> None:
    """Let who uses a topic beside the log find it made, and wait for no more than a moment."""

    async def there(*_: object) -> None: ...

    for module in (logouts, signs):
        monkeypatch.setattr(module, "ensure_side_topic", there if topic is None else topic.ensure)
    for module in (logouts, side_topic):
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(logouts, "TOLD_SECONDS", 0.05)
