"""What the topics keep no longer goes from the web's copy and from its lists; what is open stays."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from aiokafka import TopicPartition

from engine.bus.kafka.web.forgetting import Forgetting
from engine.bus.kafka.web.view import KafkaView
from engine.bus.single import Commit, Output
from engine.columns.columns import Columns
from engine.columns.query import Query
from engine.core.topics import HISTORIES, Topic
from engine.core.values import DAY, iso
from engine.kafka.topic_names import OUTPUTS
from tables.markers import marker_key
from tests.unit.test_kafka_view import ROW, view

KEPT_DAYS = 30
KEPT_MS = {OUTPUTS[topic]: KEPT_DAYS * DAY // 1000 for topic in HISTORIES}
NOW = 100 * DAY


def output(topic: Topic, name: str, kind: str, day: int, by: str | None = None) -> Output:
    data = {"id": name, "revision": 1, "sku": "A", "location": "LDS", "status": kind, "kind": "drift"}
    value = {"id": f"{name}/{kind}/{day}", "type": kind, "time": iso(day * DAY), "data": data}
    told = {"verb": "accept", "source": "page", "id": name, "data": {"sku": "A", "signal": name, "by": by}}
    return Output(topic, ROW, name, msgspec.json.encode(value), kind, msgspec.json.encode(told) if by else None)


PUBLISHED = [
    output("signals", "over", "signal.opened", 1),
    output("signals", "open", "signal.opened", 2),
    output("signals", "decided", "signal.opened", 3),
    output("signals", "decided", "signal.closed", 4, by="ann"),
    output("signals", "over", "signal.withdrawn", 69),
    output("signals", "young", "signal.opened", 70),
    output("signals", "young", "signal.closed", 71, by="bob"),
    output("alerts", "past", "alert.opened", 5),
    output("alerts", "past", "alert.resolved", 6),
    output("alerts", "long", "alert.opened", 7),
    output("dead-letters", "old", "event.refused", 60),
    output("dead-letters", "new", "event.refused", 99),
]
LEFT = {"signals": ["open", "young"], "alerts": ["long"], "dead-letters": ["new"], "dead-letter-answers": []}


class Consumer:
    """A client of a broker whose log begins at an offset."""

    def __init__(self, begins: int = 0) -> None:
        self.begins = begins

    async def beginning_offsets(self, places: Sequence[TopicPartition]) -> dict[TopicPartition, int]:
        return dict.fromkeys(places, self.begins)


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[KafkaView]:
    """A copy that has followed everything; the clock of its fold stands at day 100."""
    with closing(view(tmp_path / "view")) as filled:
        touched = [(ROW, offset) for offset in range(10)]
        filled.apply([Commit(1, (), (), PUBLISHED, touched, b"", 0)], {})
        yield filled


def passed(copied: KafkaView, kept_ms: dict[str, int], begins: int = 0, steps: int = 100) -> None:
    """Let one pass run, in at most so many steps."""

    async def run() -> None:
        passing = Forgetting(copied, kept_ms, int)
        for _ in range(steps):
            await passing.step(cast(Any, Consumer(begins)))

    asyncio.run(run())


def names(copied: KafkaView, topic: Topic) -> list[str]:
    found = [name for name, _ in copied.published.things(topic)]
    assert copied.published.count(topic) == len(found)
    return found


@pytest.fixture
def clocked(copy: KafkaView, monkeypatch: pytest.MonkeyPatch) -> KafkaView:
    monkeypatch.setattr(KafkaView, "marker", lambda _, partition: b"%d" % (NOW - partition * DAY))
    return copy


def test_what_has_ended_goes_with_its_last_record_and_what_is_open_stays(clocked: KafkaView) -> None:
    columns = Columns(clocked, lambda _: NOW, lambda _: 0.0)
    columns.load()
    clocked.observers.append(columns.feed)
    passed(clocked, KEPT_MS)
    assert {topic: names(clocked, topic) for topic in HISTORIES} == LEFT
    for topic in HISTORIES:
        assert sorted(columns.page(Query(topic, ()), 0, 10).names) == LEFT[topic]
    assert list(clocked.published.revisions("signals", "over", NOW)) == []
    assert len(list(clocked.published.revisions("signals", "young", NOW))) == 2
    assert [found.told.id for found in clocked.published.decisions("all", "")] == ["young"]


def test_the_events_of_a_row_go_with_the_log(clocked: KafkaView) -> None:
    passed(clocked, KEPT_MS, begins=7)
    assert [record.offset for record in clocked.published.row_events(ROW, None, 20)] == [9, 8, 7]


def test_topics_that_keep_for_ever_lose_nothing(clocked: KafkaView) -> None:
    passed(clocked, dict.fromkeys(KEPT_MS, -1))
    assert len(names(clocked, "signals")) == 4
    passed(clocked, {})
    assert len(names(clocked, "signals")) == 4


def test_before_the_fold_has_a_clock_nothing_goes(copy: KafkaView) -> None:
    assert copy.state.get(marker_key(0)) is None
    passed(copy, KEPT_MS)
    assert len(names(copy, "signals")) == 4


def test_a_pass_goes_on_with_a_copy_that_is_filled_anew_in_the_middle(clocked: KafkaView) -> None:
    passed(clocked, KEPT_MS, steps=3)
    clocked.discard()
    clocked.apply([Commit(1, (), (), PUBLISHED, (), b"", 0)], {})
    passed(clocked, KEPT_MS)
    assert {topic: names(clocked, topic) for topic in HISTORIES} == LEFT


def test_the_next_pass_begins_after_an_hour(clocked: KafkaView) -> None:
    at = 0.0

    async def run() -> list[int]:
        nonlocal at
        passing, counts = Forgetting(clocked, KEPT_MS, int, lambda: at), []
        for at in (0.0, 3599.0, 3600.0):
            for _ in range(50):
                await passing.step(cast(Any, Consumer()))
            counts.append(clocked.published.count("alerts"))
            clocked.apply([Commit(0, (), (), [output("alerts", f"more {at}", "alert.resolved", 8)], (), b"", 0)], {})
        return counts

    assert asyncio.run(run()) == [1, 2, 1]
