"""A log keeps the rules by which it was folded."""

import msgspec
import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.errors import UsageError
from engine.core.rules import Rules
from engine.runtime.audit import audit
from engine.runtime.marker import former_rules, read_marker, rules_of_log
from engine.runtime.single.engine import Engine
from tables.catalogue import FORMER_ROWS
from tests.auditor.events import defined
from tests.auditor.model import instant
from tests.auditor.workload import encoded

ARRIVED = instant("2026-03-04T00:00:00+00:00")
SHORT = Rules(clock="log", movement_window_hours=12)


def begun() -> MemoryBus:
    bus = MemoryBus(2)
    Engine(bus, SHORT).submit([encoded(defined())], ARRIVED)
    return bus


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (Rules(clock="log"), ["movement_window_hours 12 (now 48)", "STOCKLINE_MOVEMENT_WINDOW_HOURS=12"]),
        (Rules(clock="wall", movement_window_hours=12), ["clock log (now wall)", "--clock log"]),
        (Rules(clock="log", movement_window_hours=12, dead_band_percent=20), ["dead_band_percent 10 (now 20)"]),
    ],
)
def test_other_rules_are_refused_with_what_to_do(other: Rules, said: list[str]) -> None:
    with pytest.raises(UsageError) as refused:
        Engine(begun(), other)
    assert all(part in str(refused.value) for part in said)


def test_the_same_rules_go_on() -> None:
    assert Engine(begun(), SHORT).accepted > 0


def test_an_audit_folds_by_the_rules_of_the_log() -> None:
    bus = begun()
    assert rules_of_log(bus) == SHORT
    assert audit(bus, MemoryBus(2), lambda _done, _total: None).differences == []


def test_a_marker_of_format_1_is_refused_and_only_its_clock_is_read() -> None:
    former = msgspec.msgpack.encode([7, ARRIVED, "log", {"events:stock.issued": 7}])
    with pytest.raises(UsageError, match="are of another version of Stockline"):
        read_marker(former)
    asked = Rules(movement_window_hours=12)
    assert former_rules([None, former], asked) == Rules(clock="log", movement_window_hours=12)
    assert former_rules([None, None], asked) == asked


def test_of_format_2_the_settings_are_read_from_the_marker() -> None:
    written = Rules(clock="log", movement_window_hours=12, duplicate_days=3, dead_band_percent=90)
    former = msgspec.msgpack.encode([7, ARRIVED, {}, written])
    asked = Rules(movement_window_hours=72)
    assert former_rules([None, former], asked) == Rules(clock="log", movement_window_hours=12, duplicate_days=3)


def test_an_audit_that_begins_with_other_rows_than_the_fold_is_refused() -> None:
    bus = MemoryBus(2)
    for partition in range(2):
        bus.commit([Commit(partition, (), (), (), (), msgspec.msgpack.encode([0, 0, {}, SHORT]), 0)])
    Engine(bus, SHORT).submit([encoded(defined())], ARRIVED)
    assert {read_marker(bus.marker(partition)).rows for partition in range(2)} == {FORMER_ROWS}, "the fold hands it on"
    with pytest.raises(UsageError, match="partition 0 go on from rows of format 2, the fold from format 4"):
        audit(bus, MemoryBus(2), lambda _done, _total: None)
