"""What every bus keeps of decisions, and how they are found; on Kafka the web's copy of the topics keeps them."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.kafka import codec
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.web.view import KafkaView
from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit, Output, Record
from engine.core.decisions import Index, event_name
from engine.core.values import instant
from engine.kafka.topic_names import OUTPUTS, TOPICS
from engine.runtime.retention import Retention
from tests.contract.test_bus import commit, output

IDS = {topic: f"id of {topic}" for topic in TOPICS}
SIGNALS = OUTPUTS["signals"]


def revision(name: str, number: int, at: str) -> Output:
    """A revision of a signal as it is published."""
    told = {
        "id": f"{name}/{number}",
        "type": "signal.amended",
        "time": f"2026-03-02T{at}:00Z",
        "data": {"id": name, "revision": number},
    }
    return output("signals", msgspec.json.encode(told), name)


def decided(revised: Output, by: str) -> Output:
    """A revision that a person's acceptance made."""
    number = msgspec.json.decode(revised.value)["data"]["revision"]
    data = {"sku": "A", "signal": revised.id, "by": by}
    told = {"verb": "accept", "source": "page", "id": f"e-{number}", "data": data}
    return msgspec.structs.replace(revised, told=msgspec.json.encode(told))


class Followed:
    """The web's copy, which takes what a worker writes to the topics of a cluster."""

    def __init__(self, path: Path) -> None:
        self._view = KafkaView(path, Topics(8, IDS, {}), 16, lambda _: [])
        self.published = self._view.published

    def commit(self, commits: list[Commit]) -> None:
        for each in commits:
            for at, messages in codec.messages_of(each, ()).items():
                records = [Message(at.topic, at.partition, *message) for message in messages]
                self._view.apply([codec.commit_of(at, records, frozenset())], {TopicPartition(SIGNALS, 0): 0})

    def close(self) -> None:
        self._view.close()


class Message(msgspec.Struct):
    """A record as a consumer has it."""

    topic: str
    partition: int
    key: bytes
    value: bytes | None
    headers: list[tuple[str, bytes]]


@pytest.fixture(params=["disk", "memory", "Kafka"])
def bus(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedBus | MemoryBus | Followed]:
    made: dict[str, Callable[[Path], EmbeddedBus | MemoryBus | Followed]] = {
        "disk": EmbeddedBus.open,
        "memory": lambda _: MemoryBus(),
        "Kafka": Followed,
    }
    bus = made[request.param](tmp_path / "data")
    yield bus
    bus.close()


def test_decisions_are_found_newest_first_with_what_was_decided_upon(bus: EmbeddedBus | MemoryBus | Followed) -> None:
    third = decided(revision("s-1", 3, "12:02"), "ann")
    bus.commit([commit(outputs=[revision("s-1", 1, "12:00")])])
    bus.commit([commit(outputs=[revision("s-1", 2, "12:01"), third, revision("s-1", 4, "12:02")])])
    bus.commit([commit(1, outputs=[decided(revision("s-2", 7, "12:01"), "bob")])])
    by_ann, by_bob = list(bus.published.decisions("all", ""))
    assert (by_ann.told.source, by_ann.told.id, by_ann.told.verb) == ("page", "e-3", "accept")
    assert [msgspec.json.decode(each.before) for each in (by_ann, by_bob)] == [{"id": "s-1", "revision": 2}, None]
    assert msgspec.json.decode(by_ann.after) == {"id": "s-1", "revision": 3}
    assert list(bus.published.decisions("all", "", by_ann.place)) == [by_bob]
    names: list[tuple[Index, str]] = [("by", "ann"), ("thing", "s-1"), ("event", event_name("page", "e-3"))]
    for index, name in names:
        assert list(bus.published.decisions(index, name)) == [by_ann]
    assert list(bus.published.decisions("sku", "A")) == [by_ann, by_bob]
    assert list(bus.published.decisions("by", "an")) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (revision("s-1", 1, "12:00").value, b"\xff"),
        (revision("s-1", 1, "12:00").value, b"{}"),
        (
            b'{"id":"of-mine","type":"x","time":"2026-03-02T12:00:00Z","data":{"id":"s-1"}}',
            decided(revision("s-1", 1, "12:00"), "ann").told,
        ),
    ],
)
def test_what_another_program_writes_as_a_decision_is_none(value: bytes, told: bytes) -> None:
    found = codec.output_of("signals", Message(SIGNALS, 0, b"A\0LDS", value, [("stockline-decision", told)]))
    assert found is not None
    assert (found.value, found.told) == (value, None)


@pytest.mark.parametrize("time", ["", ',"time":"noon"', ',"time":"2026-03-02T12:00:00"'])
def test_what_another_program_writes_without_a_moment_is_no_output(time: str) -> None:
    value = b'{"type":"x","data":{"id":"s-1"}%b}' % time.encode()
    assert codec.output_of("signals", Message(SIGNALS, 0, b"A\0LDS", value, [])) is None


def test_decisions_go_with_the_days_that_are_kept(tmp_path: Path) -> None:
    with closing(EmbeddedBus.open(tmp_path / "data")) as bus:
        for number in range(1, 4):
            bus.commit([commit(outputs=[decided(revision(f"s-{number}", number, "12:00"), "ann")])])
        late = [decided(revision("s-9", 9, "12:01"), "ann")]
        now = instant(datetime.fromisoformat("2026-03-12T12:00:30Z"))
        bus.commit([commit(records=[Record(0, 0, "A", b"event", now)], outputs=late)])
        Retention(bus, 10, lambda: now).apply()
        names: list[tuple[Index, str]] = [("all", ""), ("sku", "A"), ("by", "ann")]
        for index, name in names:
            assert [each.told.id for each in bus.published.decisions(index, name)] == ["e-9"]
        assert list(bus.published.decisions("thing", "s-1")) == []
        assert [len(list(bus.published.revisions("signals", name, now))) for name in ("s-1", "s-9")] == [0, 1]


def test_a_signal_is_read_as_it_was_at_a_moment(bus: EmbeddedBus | MemoryBus | Followed) -> None:
    bus.commit(
        [commit(outputs=[revision("s-1", 1, "12:00"), revision("s-1", 2, "12:00"), revision("s-10", 1, "12:00")])]
    )
    bus.commit([commit(outputs=[revision("s-1", 3, "12:02")])])

    def as_of(at: str) -> list[int]:
        until = instant(datetime.fromisoformat(f"2026-03-02T{at}Z"))
        found = bus.published.revisions("signals", "s-1", until)
        return [msgspec.json.decode(value)["data"]["revision"] for value in found]

    assert list(bus.published.revisions("signals", "s-1", -5_000_000)) == []
    assert as_of("11:59:59") == []
    assert as_of("12:00:00") == as_of("12:01:59") == [2, 1]
    assert as_of("12:02:00") == [3, 2, 1]
