"""A logout at one process is heard at the others, also after Kafka was away, and whatever else lies in the topic."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, cast

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError

from engine.access.denial import NotLoggedIn
from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import Login, Principal
from engine.access.tokens import TokenFile
from engine.bus.kafka import logouts, side_topic
from engine.bus.kafka.logouts import Logouts

ANN = Login(Principal("ann", frozenset({"planner"})), "token")


class Record(NamedTuple):
    value: bytes | None
    offset: int


class Topic:
    """The topic on a broker that may be away; it is the connection of everybody at once."""

    address = "nowhere:1"

    def __init__(self, *values: bytes | None) -> None:
        self.values = list(values)
        self.is_away = False
        self.grown = asyncio.Condition()

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
        return dict.fromkeys(places, len(self.topic.values))

    async def getmany(self, at: TopicPartition, timeout_ms: int) -> dict[TopicPartition, list[Record]]:
        async with self.topic.grown:
            await self.topic.grown.wait_for(lambda: self.topic.is_away or len(self.topic.values) > self.at)
        self.topic.check()
        found = [Record(value, offset) for offset, value in enumerate(self.topic.values)][self.at :]
        self.at = len(self.topic.values)
        return {at: found}

    async def position(self, _: TopicPartition) -> int:
        return self.at


class Writer(Client):
    async def send_and_wait(self, topic: str, value: bytes, partition: int) -> None:
        assert (topic, partition) == ("stockline.logouts", 0)
        self.topic.check()
        async with self.topic.grown:
            self.topic.values.append(value)
            self.topic.grown.notify_all()


class Process:
    """The gate of a process, and what makes its logouts known."""

    def __init__(self, folder: Path, topic: Topic) -> None:
        self.gate = LoginGate(TokenFile(folder / "t"), LastUsed(folder / "t"), SessionKeep(b"s" * 32, 600), None)
        self.logouts = Logouts(cast(Any, topic), self.gate.sessions.end)
        self.gate.tell = self.logouts.tell

    def takes(self, session: str) -> bool:
        try:
            return self.gate.sessions.login(session).principal == ANN.principal
        except NotLoggedIn:
            return False


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    async def there(*_: object) -> None: ...

    monkeypatch.setattr(logouts, "ensure_side_topic", there)
    for module in (logouts, side_topic):
        monkeypatch.setattr(module, "RETRY_SECONDS", 0.001)
    monkeypatch.setattr(logouts, "TOLD_SECONDS", 0.05)


async def gone(process: Process, session: str) -> None:
    """Return once a process takes a session no more."""
    async with asyncio.timeout(20):
        while process.takes(session):  # noqa: ASYNC110 - what is tried is that it happens at all
            await asyncio.sleep(0.001)


async def test_a_logout_holds_at_every_process_also_at_one_that_starts_later(tmp_path: Path) -> None:
    topic = Topic(None, b"", b"[]", b'{"session":"of another","until":1}')
    one, two = Process(tmp_path, topic), Process(tmp_path, topic)
    await one.logouts.start()
    await two.logouts.start()
    ended, kept = one.gate.sessions.begin(ANN), one.gate.sessions.begin(ANN)
    await one.gate.log_out(one.gate.sessions.login(ended))
    await gone(two, ended)
    later = Process(tmp_path, topic)
    await later.logouts.start()
    assert [process.takes(ended) for process in (one, two, later)] == [False] * 3
    assert [process.takes(kept) for process in (one, two, later)] == [True] * 3
    for process in (one, two, later):
        await process.logouts.stop()


async def test_a_logout_while_kafka_is_away_holds_here_at_once_and_elsewhere_once_it_is_back(tmp_path: Path) -> None:
    topic = Topic()
    one, two = Process(tmp_path, topic), Process(tmp_path, topic)
    await one.logouts.start()
    await two.logouts.start()
    session = one.gate.sessions.begin(ANN)
    async with topic.grown:
        topic.is_away = True
        topic.grown.notify_all()
    await one.gate.log_out(one.gate.sessions.login(session))
    assert (one.takes(session), two.takes(session), topic.values) == (False, True, [])
    topic.is_away = False
    await gone(two, session)
    assert len(topic.values) == 1
    for process in (one, two):
        await process.logouts.stop()


async def test_who_has_no_session_tells_nobody(tmp_path: Path) -> None:
    topic = Topic()
    one = Process(tmp_path, topic)
    await one.gate.log_out(ANN)
    assert topic.values == []


def test_a_session_that_is_over_by_itself_is_not_remembered(tmp_path: Path) -> None:
    sessions = Process(tmp_path, cast(Any, None)).gate.sessions
    sessions.end("old", time.time() - 1)
    sessions.end("new", time.time() + 600)
    assert [sessions.holds(msgspec.structs.replace(ANN, session=name)) for name in ("old", "new")] == [True, False]
