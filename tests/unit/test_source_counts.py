"""What has come from whom: counted by the fold, so the same after a crash, and never more names than are kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from engine.bus.memory.bus import MemoryBus
from engine.core.rules import Rules
from engine.runtime import source_counts as counting
from engine.runtime.audit import audit
from engine.runtime.source_counts import source_counts
from engine.runtime.sources import activity_of_sources
from tables import sources as rows
from tables.sources import OTHERS, UNREADABLE, SourceCounts
from tests.auditor.adapter import Rig
from tests.auditor.model import HOUR, instant
from tests.unit.test_refused_records import refused

AT = instant("2026-03-02T09:00:00Z")
WALL = Rules(clock="wall")


def counted(name: str, source: str = "wms", time: str = "2026-03-02T09:00:00Z", **data: Any) -> bytes:
    event = {"specversion": "1.0", "id": name, "source": source, "type": "stock.counted", "time": time}
    return json.dumps({**event, "data": {"sku": "A", "location": "L", "qty": 5, **data}}).encode()


def declared(feed: str) -> bytes:
    event = {"specversion": "1.0", "id": f"f-{feed}", "source": "erp", "type": "feed.declared"}
    return json.dumps(
        {**event, "time": "2026-03-02T09:00:00Z", "data": {"feed": feed, "interval_seconds": 60}}
    ).encode()


def test_a_source_is_told_what_was_taken_repeated_late_and_refused() -> None:
    rig = Rig(8, WALL)
    rig.send([counted("1"), counted("1"), counted("2", time="2026-03-02T07:59:59Z"), counted("3", qty=-1)], AT)
    rig.send([counted("1", qty=6), counted("4", uom="case")], AT + HOUR)
    assert source_counts(rig.bus) == {"wms": SourceCounts(AT + HOUR, 2, 1, 1, 3, AT + HOUR, "unknown_unit")}


def test_an_event_that_comes_an_hour_after_it_had_happened_is_not_late_yet() -> None:
    rig = Rig(1, WALL)
    rig.send([counted("1"), counted("2", time="2026-03-02T07:59:59.999999Z")], AT - HOUR)
    rig.send([counted("3")], AT + HOUR)
    rig.send([counted("4")], AT + HOUR + 1)
    assert source_counts(rig.bus)["wms"].late == 1


def test_what_goes_to_every_partition_is_counted_once() -> None:
    rig = Rig(8, WALL)
    rig.send([declared("wms"), declared("wms")], AT)
    assert source_counts(rig.bus) == {"erp": SourceCounts(AT, 1, 1)}


def test_a_record_that_a_connector_could_not_translate_is_refused_and_not_accepted() -> None:
    rig = Rig(8, WALL)
    rig.send([refused(), refused()], AT)
    assert source_counts(rig.bus) == {"edi/acme": SourceCounts(AT, 0, 1, 0, 1, AT, "untranslatable")}


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (b"no event", UNREADABLE),
        (b'{"source": 7', UNREADABLE),
        (b'{"source": "\\u0000", "id": "1"}', UNREADABLE),
        (b'{"source": " wms ", "id": "1"}', " wms "),
        (b'{"source": "wms", "id": ', "wms"),
    ],
)
def test_a_refused_record_counts_for_the_source_that_can_be_read(raw: bytes, name: str) -> None:
    rig = Rig(2, WALL)
    rig.send([raw], AT)
    [(source, counts)] = source_counts(rig.bus).items()
    assert (source, counts.refused) == (name, 1)


def test_the_counts_go_on_after_a_crash_and_are_those_of_an_audit() -> None:
    rig, straight = Rig(4, WALL), Rig(4, WALL)
    told = [[declared("wms"), counted("1"), counted("1")], [b"broken", counted("2", source="shop"), counted("1")]]
    for batch in told:
        rig.send(batch, AT)
        rig.crash()
    straight.send([event for batch in told for event in batch], AT)
    assert source_counts(rig.bus) == source_counts(straight.bus)
    assert source_counts(rig.bus)["wms"].duplicates == 2
    assert audit(rig.bus, MemoryBus(4), lambda *_: None).differences == []


def test_more_sources_than_are_kept_share_one_row_but_a_declared_feed_has_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(counting, "MOST_SOURCES", 3)
    rig = Rig(1, WALL)
    rig.send([declared("late-feed")], AT)
    rig.send([counted(f"c{number}", f"s{number}") for number in range(5)], AT)
    rig.crash()
    rig.send([counted("x", "late-feed"), counted("y", "s0"), counted("z", "s4")], AT + 1)
    counts = source_counts(rig.bus)
    assert counts.keys() == {"erp", "s0", "s1", OTHERS, "late-feed"}
    assert (counts["s0"].applied, counts[OTHERS].applied, counts["late-feed"].applied) == (2, 4, 1)
    assert len([key for key, _ in rig.bus.state.scan(*rows.sources_range(0))]) == 5


def test_the_answer_has_declared_feeds_first_and_adds_up_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engine.runtime.sources.MAX_SOURCES", 3)
    rig = Rig(2, WALL)
    rig.send([declared("wms")], AT)
    for number in range(4):
        rig.send([counted(f"c{number}", f"s{number}")], AT + number)
    told = activity_of_sources(rig.bus, {"s0": 2, "old": 1})
    assert [each.source for each in told.items] == ["wms", "s3", "s2"]
    assert (told.others.accepted, told.others.open) == (3, 3)
