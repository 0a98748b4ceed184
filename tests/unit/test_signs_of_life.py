"""Processes hear of each other, also after Kafka was away, and nothing waits for that or ends by it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

import pytest

from engine.bus.kafka.signs import SignsOfLife
from engine.processes.signs import known_to_others
from engine.settings import KafkaSettings, Settings
from engine.web.processes import Doing, Itself, ProcessBoard
from tests.unit.side_topic import Topic, hurry

KAFKA = KafkaSettings.model_validate({"kafka": "nowhere:1"})


def process(port: int, doing: Callable[[], Doing] = lambda: Doing((), 0)) -> Itself:
    return Itself("web", port, doing, Settings(), KAFKA)


async def soon(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not so():  # noqa: ASYNC110 - what is tried is that it happens at all
            await asyncio.sleep(0.001)


def ports(board: ProcessBoard) -> list[int]:
    return [each.port for each in board.all()]


async def test_processes_know_each_other_until_one_ends_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = Topic(b"nothing of ours", None)
    hurry(monkeypatch, topic)
    connection, here, there = cast(Any, topic), ProcessBoard(), ProcessBoard()
    async with known_to_others(connection, process(1), here):
        async with known_to_others(connection, process(2), there), known_to_others(connection, process(3)):
            await soon(lambda: ports(here) == [1, 2, 3] and ports(there) == [2, 1, 3])
        await soon(lambda: ports(here) == [1])
    assert set(topic.made) == {"stockline.processes"}
    assert topic.records[-1].value is None


async def test_a_cluster_that_is_away_holds_nobody_up_and_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    topic = Topic()
    hurry(monkeypatch, topic)
    topic.is_away = True
    here, tried = ProcessBoard(), 0

    def doing() -> Doing:
        nonlocal tried
        tried += 1
        return Doing((), tried)

    def warned() -> int:
        return sum("are not told of this one" in record.message for record in caplog.records)

    with caplog.at_level(logging.WARNING):
        signs = SignsOfLife(cast(Any, topic), "one", process(1, doing).encoded, here.hear)
        signs.start()
        await soon(lambda: warned() == 1)
        topic.is_away = False
        await soon(lambda: ports(here) == [1])
        await topic.leave()
        before = tried
        await soon(lambda: tried > before + 3)
        assert warned() == 2
        topic.is_away = False
        await soon(lambda: here.all()[0].lag > before + 3)
        await topic.leave()
        before = tried
        await soon(lambda: tried > before + 1)
        await signs.stop()
    assert warned() == 3
    assert None not in topic.values


async def test_a_process_that_cannot_say_what_it_is_at_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    topic, board, answers = Topic(), ProcessBoard(), iter([ZeroDivisionError(), Doing((4,), 0)])
    hurry(monkeypatch, topic)

    def doing() -> Doing:
        said = next(answers, Doing((5,), 0))
        if isinstance(said, Exception):
            raise said
        return said

    async with known_to_others(cast(Any, topic), process(1, doing)):
        other = SignsOfLife(cast(Any, topic), "two", process(2).encoded, board.hear)
        other.start()
        await soon(lambda: any(each.partitions == [5] for each in board.all()))
        await other.stop()
