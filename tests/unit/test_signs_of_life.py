"""Processes hear of each other, also after Kafka was away, and nothing waits for that or ends by it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
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
    async with asyncio.timeout(120):
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


class Trying:
    """What a process is at: how often it has said so."""

    times = 0

    def __call__(self) -> Doing:
        self.times += 1
        return Doing((), self.times)

    async def again(self) -> None:
        """Return once it has tried, and failed or not, from now on."""
        least = self.times + 2
        await soon(lambda: self.times >= least)


def is_newer(board: ProcessBoard, before: int) -> bool:
    return [each.lag > before for each in board.all()] == [True]


def warned(caplog: pytest.LogCaptureFixture) -> int:
    return sum("are not told of this one" in record.message for record in caplog.records)


async def test_a_cluster_that_is_away_holds_nobody_up_and_is_warned_of_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    topic, board, trying = Topic(), ProcessBoard(), Trying()
    hurry(monkeypatch, topic)
    signs = SignsOfLife(cast(Any, topic), "one", process(1, trying).encoded, board.hear)
    topic.is_away = True
    signs.start()
    await soon(lambda: warned(caplog) == 1)
    for times in (2, 3):
        topic.is_away, before = False, trying.times
        await soon(partial(is_newer, board, before))
        await topic.leave()
        await trying.again()
        await trying.again()
        assert warned(caplog) == times
    await signs.stop()
    assert None not in topic.values


async def test_a_process_that_cannot_say_what_it_is_at_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    topic, board, trying = Topic(), ProcessBoard(), Trying()
    hurry(monkeypatch, topic)

    def doing() -> Doing:
        if trying().lag == 1:
            raise ZeroDivisionError
        return Doing((5,), 0)

    signs = SignsOfLife(cast(Any, topic), "one", process(1, doing).encoded, board.hear)
    signs.start()
    await soon(lambda: [each.partitions for each in board.all()] == [[5]])
    await signs.stop()
    assert topic.values[-1] is None
