"""An audit names what differs: the thing, the field, and both contents."""

from __future__ import annotations

import msgspec
import msgspec.msgpack
import pytest

from engine.bus.memory.bus import MemoryBus
from engine.bus.single import Commit
from engine.core.rules import Rules
from engine.runtime.audit import audit
from engine.runtime.differences import MAX_DIFFERENCES, Comparison, describe
from engine.runtime.marker import read_marker
from engine.runtime.single.engine import Engine
from tables import keys
from tables.stock import STOCK
from tests.auditor.events import received
from tests.auditor.model import instant
from tests.auditor.workload import encoded

AT = instant("2026-03-04T00:00:00+00:00")
ROW = keys.row("A", "LDS")


def folded_bus() -> MemoryBus:
    bus = MemoryBus(1)
    event = {**received(1, 5), "id": "e-1"}
    event["data"] = {**event["data"], "sku": "A", "location": "LDS"}
    assert Engine(bus, Rules(clock="log")).submit([encoded(event)], AT).accepted == 1
    return bus


def differences(bus: MemoryBus, changes: list[tuple[bytes, bytes | None]], marker: bytes | None = None) -> list[str]:
    """What an audit says once the rows were changed behind the engine's back."""
    kept = bus.marker(0) or b""
    bus.commit([Commit(0, [], changes, [], [], marker or kept, read_marker(kept).next_offset)])
    return audit(bus, MemoryBus(1), lambda *_: None).differences


def test_a_row_that_was_changed_is_told_by_its_field() -> None:
    bus = folded_bus()
    stock = msgspec.msgpack.decode(bus.state.get(STOCK + ROW) or b"", type=STOCK.row_type)
    stock.version += 70
    assert differences(bus, [(STOCK + ROW, msgspec.msgpack.encode(stock))]) == [
        f"stock A/LDS: version: kept {stock.version}, folded again {stock.version - 70}"
    ]


def test_a_row_that_is_missing_does_not_set_the_others_against_each_other() -> None:
    [difference] = differences(folded_bus(), [(STOCK + ROW, None)])
    assert difference.startswith("stock A/LDS: kept nothing, folded again b'")


def test_a_marker_that_was_changed_is_told_by_its_counter() -> None:
    bus = folded_bus()
    marker = read_marker(bus.marker(0))
    counters = {**marker.counters, "events:goods.received": 9}
    changed = msgspec.structs.replace(marker, counters=counters)
    assert differences(bus, [], msgspec.msgpack.encode(changed)) == [
        "the marker of partition 0: counters.events:goods.received: kept 9, folded again 1"
    ]


@pytest.mark.parametrize(
    ("kept", "folded", "said"),
    [
        (b'{"a":1,"b":[1,2]}', b'{"a":1,"b":[1,3]}', "b.1: kept 2, folded again 3"),
        (b'{"a":{"b":1}}', b'{"a":{"c":1}}', "a.b: kept 1, folded again nothing; a.c: kept nothing, folded again 1"),
        (b'{"a":1}', b'{"a":"1"}', "a: kept 1, folded again '1'"),
        (b'{"a":1}', b'{"a":1 }', "kept b'{\"a\":1}', folded again b'{\"a\":1 }'"),
        (b"{", b"[]", "kept b'{', folded again b'[]'"),
        (None, b"1", "kept nothing, folded again b'1'"),
    ],
)
def test_the_innermost_field_that_differs_is_named(kept: bytes | None, folded: bytes | None, said: str) -> None:
    assert describe(kept, folded, msgspec.json.decode) == said


def test_the_first_hundred_differences_are_told() -> None:
    comparison = Comparison()
    named = [(f"{number:04}", b"1") for number in range(MAX_DIFFERENCES + 50)]
    assert comparison.by_name("thing", iter(named), iter(named[:1]), msgspec.json.decode) == len(named)
    assert len(comparison.differences) == MAX_DIFFERENCES
    assert comparison.differences[0] == "thing 0001: kept b'1', folded again nothing"
