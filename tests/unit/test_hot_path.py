"""What the common events ask of the state: never one by one what a batch reads at once, never a search for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from agents.calendar import MOST_SPANS, Calendar
from engine.bus.memory.bus import MemoryBus
from engine.core.rules import Rules
from engine.core.values import DAY
from engine.runtime.single.engine import Engine
from tables.purchasing import LEAD_TIME, LINE, ORDER, PIECE, SHIPMENT, SLOT
from tables.stock import RESERVATION
from tests.auditor.events import event, line_received, placed, shipped
from tests.auditor.model import Event
from tests.auditor.workload import encoded
from tests.unit.work import ARRIVED


class AskedState:
    """A state that notes which tables are read one key at a time, and which are searched."""

    def __init__(self, state: Any) -> None:
        self._state = state
        self.got: list[bytes] = []
        self.searched: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        self.got.append(key[:1])
        found: bytes | None = self._state.get(key)
        return found

    def get_many(self, wanted: list[bytes]) -> list[bytes | None]:
        found: list[bytes | None] = self._state.get_many(wanted)
        return found

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        self.searched.append(start[:1])
        yield from self._state.scan(start, stop, reverse)


class AskedBus(MemoryBus):
    """A bus in memory that notes what the fold above it asks for."""

    def __init__(self) -> None:
        super().__init__(1)
        self.asked = AskedState(self._state)

    @property
    def state(self) -> Any:
        return self.asked


def asked_by(known: list[Event], *told: Event) -> AskedState:
    """What folding `told` in one batch asks for, after `known` and without any row in memory."""
    bus = AskedBus()
    engine = Engine(bus, Rules(clock="log"), 0)
    for one in known:
        assert engine.submit([encoded(one)], ARRIVED).refused == []
    bus.asked.got, bus.asked.searched = [], []
    assert engine.submit([encoded(one) for one in told], ARRIVED).refused == []
    return bus.asked


POLICY = event("policy.set", 30, policy={"kind": "min_max", "min": 1, "max": 9}, lead_time_days=9)


def test_the_rows_of_new_orders_are_read_with_their_batch() -> None:
    asked = asked_by([], *(placed(number, line=number) for number in range(1, 9)))
    assert {LINE, ORDER} & set(asked.got) == set()


def test_the_rows_of_new_shipments_are_read_with_their_batch() -> None:
    asked = asked_by([placed()], *(shipped(number, 5, shipment=f"N{number}") for number in range(1, 9)))
    assert {LINE, PIECE, SHIPMENT} & set(asked.got) == set()


def test_the_rows_of_new_reservations_are_read_with_their_batch() -> None:
    told = [event("stock.reserved", 40 + number, reservation=f"R{number}", qty=1) for number in range(8)]
    assert asked_by([], *told).got.count(RESERVATION) == 0


@pytest.mark.parametrize(
    "known",
    [[placed()], [placed(), line_received(2, 30)], [placed(), shipped(3, 20), line_received(4, 50)]],
)
def test_a_shipment_that_is_all_that_a_line_has_in_transit_is_not_searched_for(known: list[Event]) -> None:
    assert SLOT not in asked_by(known, shipped(5, 20, shipment="M")).searched


def test_a_shipment_beside_another_one_that_is_open_is_found() -> None:
    assert SLOT in asked_by([placed(), shipped(1, 20), shipped(2, 20, shipment="M")], line_received(5, 30)).searched


def test_a_row_of_which_nothing_is_open_has_no_index_of_open_lines_to_search() -> None:
    assert LEAD_TIME not in asked_by([placed(), line_received(2, 100)], POLICY).searched
    assert LEAD_TIME in asked_by([placed()], POLICY).searched


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_a_calendar_answers_the_same_however_many_days_it_was_asked_for(zone: str) -> None:
    calendar = Calendar()
    moments = [20_000 * DAY + n * DAY // 2 for n in range(2 * MOST_SPANS + 100)]
    assert [calendar.day(zone, at) for at in moments] == [Calendar().day(zone, at) for at in moments]
    assert calendar.day(zone, moments[0]) == Calendar().day(zone, moments[0])
