"""The follower of the public topics leaves no connection behind."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from aiokafka import TopicPartition

from engine.bus.kafka.web.follower import FOLLOWED, Follower

FIRST, LAST = TopicPartition(FOLLOWED[0], 0), TopicPartition(FOLLOWED[-1], 1)


class SilentClient:
    """A client whose broker never answers."""

    def __init__(self) -> None:
        self.stopped = False

    async def start(self) -> None:
        await asyncio.Event().wait()

    async def stop(self) -> None:
        self.stopped = True


class SilentConnection:
    def __init__(self) -> None:
        self.clients: list[SilentClient] = []

    def consumer(self, isolation_level: str) -> SilentClient:
        assert isolation_level == "read_uncommitted"
        self.clients.append(SilentClient())
        return self.clients[-1]


async def test_a_question_that_is_given_up_leaves_no_connection_behind() -> None:
    connection = SilentConnection()
    follower = Follower(cast(Any, connection), cast(Any, None), lambda *_: None, cast(Any, None))
    for _ in range(2):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await follower._asker()  # noqa: SLF001 - only through a broker would it be reached otherwise
    assert [client.stopped for client in connection.clients] == [True, True]


class ShortTopics(SilentClient):
    """A client of topics whose partitions end at 10, of which it was told in one fetch; the first was read up to 4."""

    def highwater(self, at: TopicPartition) -> int | None:
        return None if at == LAST else 10

    async def start(self) -> None: ...

    async def position(self, at: TopicPartition) -> int:
        return 4 if at == FIRST else 10

    async def beginning_offsets(self, wanted: list[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(wanted, 0)

    end_offsets = beginning_offsets

    def assign(self, wanted: list[TopicPartition]) -> None: ...

    def seek(self, at: TopicPartition, offset: int) -> None: ...

    async def getmany(self, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[object]]:
        await asyncio.sleep(0)
        return {}


class View:
    partitions = 2

    def position(self, at: TopicPartition) -> int:
        return 0


async def test_it_tells_what_it_has_not_read_of_each_partition_as_the_last_fetch_told_the_ends() -> None:
    class Connection:
        def consumer(self) -> ShortTopics:
            return ShortTopics()

    class Forgetting:
        async def step(self, consumer: ShortTopics) -> None: ...

    parts = (cast(Any, Connection()), cast(Any, View()), lambda *_: None, cast(Any, Forgetting()))
    follower = Follower(*parts)
    assert follower.unread() == {}
    await follower.start()
    async with asyncio.timeout(30):
        while not follower.unread():  # noqa: ASYNC110 - it tells nobody of its rounds but who waits for all of them
            await asyncio.sleep(0)
    assert follower.unread() == {topic: [6 if topic == FIRST.topic else 0, 0] for topic in FOLLOWED}
    await follower.stop()
