"""A logout at one process is heard at the others, also after Kafka was away, and whatever else lies in the topic."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from engine.access.denial import NotLoggedIn
from engine.access.gate import LoginGate, SessionKeep
from engine.access.last_used import LastUsed
from engine.access.principal import Login, Principal
from engine.access.tokens import TokenFile
from engine.bus.kafka.logouts import Logouts
from tests.unit.side_topic import Topic, hurry

ANN = Login(Principal("ann", frozenset({"planner"})), "token")


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
    hurry(monkeypatch)


async def gone(process: Process, session: str) -> None:
    """Return once a process takes a session no more."""
    async with asyncio.timeout(120):
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
    await topic.leave()
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
