"""The web's copy of the public topics: it goes on where it was, and begins anew where it does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from aiokafka import TopicPartition

from engine.bus.kafka import replica
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.web.view import KafkaView
from engine.bus.single import Commit, Output, Record
from engine.kafka.topic_names import OUTPUTS, STATE, TOPICS

IDS = {topic: f"id of {topic}" for topic in TOPICS}
ROW = "A\0LDS"
SIGNALS = TopicPartition(OUTPUTS["signals"], 1)
SIGNAL = Output("signals", ROW, "s-1", b"1", "signal.raised")


def read_log(offsets: Sequence[tuple[int, int]]) -> list[Record]:
    return [Record(partition, offset, "A", b"event", 0) for partition, offset in offsets]


def view(path: Path, ids: dict[str, str] | None = None) -> KafkaView:
    return KafkaView(path, Topics(2, ids or IDS, {}), 16, read_log)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The directory of a view that has followed a topic up to offset 7."""
    filled = view(tmp_path / "view")
    filled.apply([Commit(1, (), [(b"sA", b"row")], [SIGNAL], [(ROW, 5), (ROW, 9)], b"", 0)], {SIGNALS: 7})
    filled.close()
    return filled.path


def test_it_goes_on_where_it_was(path: Path) -> None:
    again = view(path)
    assert (again.position(SIGNALS), again.position(TopicPartition(STATE, 0))) == (7, 0)
    assert again.published.latest("signals", "s-1") == b"1"
    assert again.state.get(b"sA") == b"row"
    again.apply([], {TopicPartition(STATE, 0): 3})
    assert (again.position(SIGNALS), again.position(TopicPartition(STATE, 0))) == (7, 3)
    again.close()


def test_the_events_of_a_row_are_read_from_the_log_also_after_a_discard(path: Path) -> None:
    again = view(path)
    assert [(record.partition, record.offset) for record in again.published.row_events(ROW, None, 5)] == [
        (1, 9),
        (1, 5),
    ]
    again.discard()
    assert again.published.row_events(ROW, None, 5) == []
    again.apply([Commit(0, (), (), (), [(ROW, 4)], b"", 0)], {})
    assert [record.offset for record in again.published.row_events(ROW, None, 5)] == [4]
    again.close()


def test_it_begins_anew_where_a_topic_was_made_anew(path: Path) -> None:
    again = view(path, IDS | {STATE: "another"})
    assert (again.position(SIGNALS), again.published.count("signals")) == (0, 0)
    again.close()


def test_it_begins_anew_where_it_may_have_missed_deletions(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replica, "MAX_AGE_SECONDS", -1)
    again = view(path)
    assert (again.position(SIGNALS), again.published.count("signals")) == (0, 0)
    again.close()


def test_it_begins_anew_where_it_is_damaged(path: Path) -> None:
    (path / "db" / "CURRENT").unlink()
    again = view(path)
    assert (again.position(SIGNALS), again.published.count("signals")) == (0, 0)
    again.close()
