"""Who follows the changes of an engine lists everything once; after a lost connection it goes on where it was."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from connectors.changes import Change, Changes, Table
from connectors.changes import follow as following
from connectors.client import EngineRefused, EngineUnreachable
from connectors.streamed import Told, told


class Engine:
    """Tells what is scripted for each connection, then loses it."""

    def __init__(self, *connections: list[Told] | Exception) -> None:
        self.connections = list(connections)
        self.since: list[str | None] = []
        self.lists = 0

    async def log_id(self) -> str:
        return "log"

    async def stream(self, tables: Sequence[str], since: str | None) -> AsyncIterator[Told]:
        self.since.append(since)
        if not self.connections:
            await asyncio.Event().wait()
        script = self.connections.pop(0)
        if isinstance(script, Exception):
            raise script
        for each in script:
            yield each
            await asyncio.sleep(0.01)
        raise EngineUnreachable("lost")

    async def rows(self, table: Table) -> AsyncIterator[dict[str, Any]]:
        self.lists += 1
        yield position(1)["data"]


class Reader:
    def __init__(self) -> None:
        self.versions: list[int] = []

    async def begin(self, log_id: str | None) -> None:
        assert log_id == "log"

    async def take(self, changes: Sequence[Change]) -> None:
        self.versions += [change.version for change in changes]


def position(version: int) -> dict[str, Any]:
    return {"type": "position.changed", "data": {"sku": "A", "location": "L", "version": version}}


async def followed(engine: Engine, connections: int) -> Reader:
    reader = Reader()
    changes = Changes(cast(Any, engine), ["positions"], reader)
    task = asyncio.create_task(changes.follow(lambda: None))
    async with asyncio.timeout(30):
        while len(engine.since) < connections:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    task.cancel()
    return reader


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_PAUSE_SECONDS", 0.01)


async def test_after_a_lost_connection_nothing_is_listed_again() -> None:
    engine = Engine(
        [Told(None, "one"), Told(position(2), "two"), Told(position(3), None)],
        [Told(position(3), "three"), Told(None, "three")],
    )
    reader = await followed(engine, 3)
    assert engine.since == [None, "two", "three"]
    assert engine.lists == 1
    assert reader.versions == [1, 2, 3, 3]


async def test_where_the_engine_cannot_go_on_everything_is_listed_anew() -> None:
    engine = Engine([Told(None, "one")], EngineRefused(410, "gone"), [Told(None, "other")])
    await followed(engine, 4)
    assert engine.since == [None, "one", None, "other"]
    assert engine.lists == 2


async def test_an_id_counts_once_its_event_is_whole() -> None:
    lines = asyncio.StreamReader()
    lines.feed_data(b'retry: 1\n: hello\n\nid: a\n\nid: b\nevent: x\ndata: {"n": 1}\n\nid: c\ndata: {"n": 2}\n')
    lines.feed_eof()
    assert [each async for each in told(lines)] == [Told(None, None), Told(None, "a"), Told({"n": 1}, "b")]


class Lost(Engine):
    """Loses its only connection when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.lose = asyncio.Event()

    async def stream(self, tables: Sequence[str], since: str | None) -> AsyncIterator[Told]:
        self.since.append(since)
        yield Told(None, "one")
        await self.lose.wait()
        self.lose.clear()
        raise EngineUnreachable("lost")


async def test_a_follower_that_is_ended_while_the_connection_is_lost_ends() -> None:
    engine = Lost()
    changes = Changes(cast(Any, engine), ["positions"], Reader())
    task = asyncio.create_task(changes.follow(lambda: None))
    await asyncio.wait_for(changes.in_step.wait(), 30)
    engine.lose.set()
    task.cancel()
    async with asyncio.timeout(30):
        while not task.done() and len(engine.since) == 1:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert task.cancelled(), "it follows again"
