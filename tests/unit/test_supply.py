"""Supply by day, lead times and dates of lines: rules that a random story seldom meets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import pytest

from agents import supply
from agents.turn import Turn
from engine.core.values import DAY
from tables.supply import SUPPLY
from tests.auditor.adapter import Rig
from tests.auditor.model import instant
from tests.auditor.workload import encoded
from tests.unit.turns import ROW, empty_turn, site_on
from tests.unit.work import work_of

TODAY = date(2026, 3, 10).toordinal()
KEY = ("S", "L")


def blocks(turn: Turn) -> int:
    return sum(row is not None for key, row in turn.writes.items() if key[:1] == SUPPLY)


def ahead_on(turn: Turn, day: int, horizon: int) -> supply.Ahead:
    """The supply from a day on; the answer stays the same when what has passed has become one sum."""
    site = site_on(turn, day)
    before = supply.ahead(site, horizon)
    supply.drop_past(site)
    assert supply.ahead(site, horizon) == before
    return before


def test_what_has_passed_is_one_sum_and_what_is_ahead_lies_on_its_day() -> None:
    turn = empty_turn()
    for day in range(TODAY - 400, TODAY + 40):
        supply.add(turn.site(ROW), day, 2)
    supply.add(turn.site(ROW), None, 99)
    assert ahead_on(turn, TODAY, 30) == supply.Ahead([2] * 30, 800)
    assert blocks(turn) == 2
    assert ahead_on(turn, TODAY + 35, 7) == supply.Ahead([2] * 5 + [0] * 2, 870)


def test_a_piece_that_was_summed_up_can_be_taken_out_again() -> None:
    turn = empty_turn()
    supply.add(turn.site(ROW), TODAY - 100, 7)
    assert ahead_on(turn, TODAY, 5).overdue == 7
    supply.add(turn.site(ROW), TODAY - 100, -7)
    assert ahead_on(turn, TODAY, 5) == supply.Ahead([0] * 5, 0)
    assert blocks(turn) == 0


def test_a_local_day_that_falls_back_finds_its_supply() -> None:
    turn = empty_turn()
    for day in (TODAY - 2, TODAY - 1, TODAY):
        supply.add(turn.site(ROW), day, 1)
    assert ahead_on(turn, TODAY + 1, 5).overdue == 3
    assert ahead_on(turn, TODAY - 1, 3) == supply.Ahead([1, 1, 0], 1)


def test_goods_in_flight_are_found_by_their_quantity() -> None:
    site = empty_turn().site(ROW)
    site.stock.in_transit = 12
    supply.transit(site, 0, 5)
    supply.transit(site, 0, 7)
    assert [qty for qty in range(-1, 14) if supply.in_flight(site, qty)] == [5, 7, 12]
    supply.transit(site, 5, 4)
    assert not supply.in_flight(site, 5)


# lead times, in any order of arrival ----------------------------------------------------------------------------------


def event(number: int, kind: str, day: float, **data: Any) -> dict[str, Any]:
    at = f"{date(2026, 3, 1) + timedelta(days=int(day) - 1)}T{int(day % 1 * 24):02}:00:00Z"
    return {"specversion": "1.0", "id": f"x{number}", "source": "t", "type": kind, "time": at,
            "data": {"sku": "S", "location": "L", **data}}  # fmt: skip


def fed(events: list[dict[str, Any]], later: float) -> Rig:
    rig = Rig(1)
    for told in events:
        assert rig.send([json.dumps(told).encode()], instant("2026-04-30T00:00:00Z")) == {}
    rig.tick(instant("2026-03-01T00:00:00Z") + int((later - 1) * DAY))
    return rig


def line(number: int, order: str, placed: float, came: float, **receipt: Any) -> list[dict[str, Any]]:
    named = {"order": order, "line": 1}
    return [
        event(number, "order.placed", placed, **named, supplier="A", qty=5, due="2026-03-20"),
        event(number + 1, "goods.received", came, **({**named, "receipt": "R", "qty": 5} | receipt)),
    ]


def test_a_lead_time_is_taken_back_when_its_line_is_open_again() -> None:
    told = [*line(0, "P", 1, 4), *line(2, "Q", 1, 3), event(4, "order.changed", 1.5, order="P", line=1, qty=9)]
    for events in permutations(told):
        assert fed(list(events), 6).detail(KEY, 1)["lead_times_days"] == [2]


def test_the_last_lead_times_count_by_the_day_of_receipt_whatever_came_first() -> None:
    told = [part for n in range(30) for part in line(2 * n, f"P{n:02}", 1, 2 + n)]
    expected = list(range(5, 31))
    for events in (told, told[::-1], told[30:] + told[:30]):
        assert fed(events, 40).detail(KEY, 1)["lead_times_days"] == expected


def test_receipts_of_a_shipment_move_to_the_line_of_its_earliest_notice() -> None:
    told = [
        event(0, "order.placed", 1, order="P", line=1, supplier="A", qty=5, due="2026-03-20"),
        event(1, "order.placed", 1, order="P", line=2, supplier="A", qty=5, due="2026-03-20"),
        event(2, "shipment.notified", 2, order="P", line=2, shipment="H", qty=5),
        event(3, "shipment.notified", 2.5, order="P", line=1, shipment="H", qty=5),
        event(4, "goods.received", 9, receipt="R", shipment="H", qty=3, closes_line=True),
    ]
    for events in permutations(told):
        detail = fed(list(events), 10).detail(KEY, 1)
        assert [(o["line"], o["received"], o["in_transit"]) for o in detail["orders"]] == [("1", 0, 5)]
        assert detail["lead_times_days"] == [8]


@pytest.mark.parametrize("later", [6.9, 7.1])
def test_open_lines_drift_from_the_same_midnight_on_whatever_came_first(later: float) -> None:
    orders = [
        event(n, "order.placed", 2 + n / 24, order=f"P{n}", line=1, supplier="A", qty=5, due="2026-05-20")
        for n in range(6)
    ]
    policy = event(6, "policy.set", 1, policy={"kind": "none"}, lead_time_days=2)
    late = event(7, "stock.adjusted", 6.5, qty=1, reason="x")
    found = [fed(events, later) for events in ([policy, *orders, late], [late, *orders[::-1], policy])]
    alerts = [
        [alert["evidence"] for alert in rig.detail(KEY, 1)["alerts"] if alert["kind"] == "lead_time_drift"]
        for rig in found
    ]
    assert alerts[0] == alerts[1]
    assert [evidence["open_and_late"] for evidence in alerts[0]] == ([6] if later > 7 else [])


def test_receipts_beyond_what_a_complete_line_owes_read_no_index_of_lead_times() -> None:
    def receipts(n: int) -> Iterator[bytes]:
        for number, order in enumerate("PQ"):
            placed = event(number, "order.placed", 1, order=order, line=1, supplier="S", qty=1, due="2026-03-09")
            received = event(9 - number, "goods.received", 2, receipt=order, order=order, line=1, qty=1)
            yield from map(encoded, (placed, received))
        for number in range(n):
            at = {"time": f"2026-03-03T00:{number // 60:02}:{number % 60:02}Z"}
            yield encoded(event(10 + number, "goods.received", 3, receipt="R", order="Q", line=1, qty=1) | at)

    few, many = work_of(receipts(10)), work_of(receipts(200))
    assert few.scanned == many.scanned
