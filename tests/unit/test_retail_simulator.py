"""The simulated supply side: the same seed gives the same world, the world keeps its books, and the loop closes."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from itertools import takewhile
from typing import Any

import pytest

from connectors.client import EngineClient
from connectors.retail.invoices import InvoiceLine, read_invoices
from engine.core.events import Event, decode
from engine.core.outcomes import Rejection
from engine.demo.world.agenda import Agenda
from engine.demo.world.calendar import DAY, HOUR, at_local, in_working_hours, is_working_day, local_day
from engine.demo.world.closed_loop import ClosedLoop, LoopReport
from engine.demo.world.erp import CAUSES, PlantedError
from engine.demo.world.history import location_of
from engine.demo.world.judge import Judge
from engine.demo.world.nightly import run_nightly
from engine.demo.world.outlet import Outlet
from engine.demo.world.plan import Period, Plan, build_plan
from engine.demo.world.suppliers import SUPPLIERS, fate_of
from tests.unit.fake_engine import FakeEngine, fake_engine

PERIOD = Period(date(2011, 1, 10), date(2011, 1, 23))


@pytest.fixture(scope="module")
def plan() -> Plan:
    lines = invoices_before(date(2011, 1, 25))
    # Every fifth code keeps the run short and all kinds of rows in it.
    return build_plan(fraction(lines), PERIOD, "test")


def invoices_before(day: date) -> Iterator[InvoiceLine]:
    """The packaged lines, which are in order of time; what comes later is not even read."""
    end = at_local(day.toordinal())
    return takewhile(lambda line: line.at < end, read_invoices())


def fraction(lines: Iterable[InvoiceLine]) -> list[InvoiceLine]:
    """The lines of every fifth code."""
    return [line for line in lines if sum(line.sku.encode()) % 5 == 0]


def changed_from(day: int, lines: Iterable[InvoiceLine]) -> Iterator[InvoiceLine]:
    """Another future: from `day` on nothing is as it was, half of it is gone, and goods come that nobody knew."""
    for number, line in enumerate(lines):
        if local_day(line.at) < day:
            yield line
        elif number % 2:
            yield line._replace(qty=line.qty * 7, price=line.price * 3 + 1, description="CHRISTMAS " + line.description)
        elif not number % 20:
            yield line._replace(sku=f"NEW{number % 60}")


def planned_before(plan: Plan, day: int) -> tuple[object, ...]:
    """All that a plan says of the days up to `day`, the plans made on that day included."""
    weeks = (day - plan.first) // 7 + 1
    forecasts = {key: rates[:weeks] for key, rates in plan.forecasts.items()}
    listings = {at: listing for at, listing in plan.listings.items() if at <= day}
    revisions = {at: moved for at, moved in plan.revisions.items() if at <= day}
    lines = [line for line in plan.lines if local_day(line.at) < day]
    return plan.items, plan.rows, forecasts, listings, revisions, lines


@pytest.mark.parametrize("days", [0, 7, 20])
def test_a_plan_looks_only_at_what_came_before_it(days: int) -> None:
    period = Period(date(2011, 1, 10), date(2011, 2, 6))
    lines = fraction(invoices_before(date(2011, 2, 7)))
    moment = period.first.toordinal() + days
    plan = build_plan(lines, period, "test")
    other = build_plan(changed_from(moment, lines), period, "test")
    assert planned_before(other, moment) == planned_before(plan, moment)
    # The change is one that the days after it show.
    assert planned_before(other, plan.last) != planned_before(plan, plan.last)
    if days:
        assert plan.listings[plan.first + 7].rows


def test_goods_that_are_new_come_into_the_range_before_they_are_served(plan: Plan) -> None:
    listed = plan.listings[plan.first + 7]
    assert listed.rows
    assert not listed.rows.keys() & plan.rows.keys()
    assert not listed.items.keys() & plan.items.keys()
    for line in plan.lines:
        key = (line.sku, location_of(line))
        assert key in plan.rows or (key in listed.rows and local_day(line.at) >= plan.first + 7)


async def close_the_loop(plan: Plan) -> tuple[FakeEngine, LoopReport]:
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        loop = ClosedLoop(plan, client)
        report = await loop.run(lambda _status: None)
    return engine, report


async def test_the_loop_closes_and_every_event_is_what_the_outlet_counted(plan: Plan) -> None:
    engine, report = await close_the_loop(plan)
    assert engine.by_type == report.by_type
    assert engine.duplicates == report.duplicates > 0
    assert engine.letters == report.spoiled
    assert report.refused_at_once == report.spoiled
    assert Counter(signal["status"] for signal in engine.signals.values())["ordered"] > 50
    assert report.counters.orders == report.by_type["order.placed"] == report.by_type["signal.ordered"]
    assert report.verdict.planted.total() > 10
    assert set(report.verdict.planted) <= set(CAUSES)


async def test_the_same_seed_gives_the_same_bytes(plan: Plan) -> None:
    first, _ = await close_the_loop(plan)
    second, _ = await close_the_loop(plan)
    assert first.posts == second.posts


async def test_every_event_passes_the_strict_decoder_but_those_spoiled_on_purpose(plan: Plan) -> None:
    engine, report = await close_the_loop(plan)
    refused = [line for post in engine.posts for line in post if isinstance(decode(line), Rejection)]
    # A unit that is not declared and a contradiction are only found further in.
    seen_further_in = report.spoiled.get("unknown_unit", 0) + report.spoiled.get("conflict", 0)
    assert len(refused) == sum(report.spoiled.values()) - seen_further_in


async def test_reported_balances_are_the_events_folded_up_to_the_moment_but_for_the_planted_errors(plan: Plan) -> None:
    async with fake_engine() as engine, EngineClient(engine.url) as client:
        loop = ClosedLoop(plan, client)
        await loop.run(lambda _status: None)
    wrong = {}
    for error in loop.planted:
        for moment in error.moments:
            wrong[error.key, moment] = error.offset
    movements = movements_by_row(engine)
    checked = 0
    for line in engine.events.values():
        event = json.loads(line)
        if event["type"] == "balance.reported":
            data, at = event["data"], int(event_of(line).time.timestamp() * 1_000_000)
            key = (data["sku"], data["location"])
            off = data["on_hand"] - balance(movements[key], at)
            assert off == wrong.pop((key, at), 0), (key, event)
            checked += 1
    assert not wrong
    assert checked > 500


def event_of(line: bytes) -> Event:
    event = decode(line)
    assert not isinstance(event, Rejection)
    return event


def movements_by_row(engine: FakeEngine) -> dict[tuple[str, str], list[tuple[int, str, int]]]:
    """(instant, change or None, count or None) per row, folded in a way of its own."""
    rows: dict[tuple[str, str], list[tuple[int, str, int]]] = {}
    for line in engine.events.values():
        event, at = json.loads(line), int(event_of(line).time.timestamp() * 1_000_000)
        data, kind = event["data"], event["type"]
        factor = engine.cases[data["sku"]] if data.get("uom") == "case" else 1
        location = data.get("location") or data.get("to")
        change = None
        if kind == "stock.counted":
            rows.setdefault((data["sku"], location), []).append((at, "count", data["qty"]))
        elif kind == "goods.received":
            change = data["qty"] * factor
            rows.setdefault((data["sku"], location), []).append((at, "held move", data.get("held", 0) * factor))
        elif kind == "stock.issued":
            change = -data["qty"]
        elif kind in ("stock.adjusted", "transfer.received") or (
            kind == "stock.returned" and data["disposition"] != "scrap"
        ):
            change = data["qty"]
        elif kind == "transfer.shipped":
            rows.setdefault((data["sku"], data["from"]), []).append((at, "move", -data["qty"]))
        if change is not None:
            held = "held" in (data.get("disposition"), data.get("status"))
            rows.setdefault((data["sku"], location), []).append((at, "held move" if held else "move", change))
        if kind == "stock.released":
            rows.setdefault((data["sku"], location), []).append((at, "release", data["qty"]))
    return rows


def balance(movements: list[tuple[int, str, int]], at: int) -> int:
    """On hand at an instant; a count replaces available stock only, so held stock is kept apart."""
    available = held = 0
    for when, kind, qty in sorted(movements):
        if when > at:
            break
        if kind == "count":
            available = qty
        elif kind == "move":
            available += qty
        elif kind == "release":
            available, held = available + qty, held - qty
        else:
            held += qty
    return available + held


def test_the_nightly_batch_is_the_same_every_time_and_serves_the_same_demand(plan: Plan) -> None:
    first, second = run_nightly(plan), run_nightly(plan)
    assert first == second
    sales = [line for line in plan.lines if line.kind == "sale"]
    assert first.service.demanded == sum(line.qty for line in sales)
    assert 0 < first.service.served <= first.service.demanded
    assert first.stock.units > 0


def test_the_fate_of_an_order_depends_on_seed_row_and_number_alone() -> None:
    fates = [fate_of("s", "A/L", number, SUPPLIERS[0], 1) for number in range(500)]
    assert fates == [fate_of("s", "A/L", number, SUPPLIERS[0], 1) for number in range(500)]
    assert fates != [fate_of("t", "A/L", number, SUPPLIERS[0], 1) for number in range(500)]
    for fate in fates:
        assert sum(promise.share for promise in fate.promises) == pytest.approx(1)
        assert sum(delivery.share for delivery in fate.deliveries) <= 1 + 1e-9
        assert fate.ships_after is None or fate.acknowledged_after < fate.ships_after <= fate.arrives_after


def test_goods_are_taken_in_on_working_days_between_eight_and_four() -> None:
    start = at_local(date(2011, 3, 25).toordinal())
    for step in range(0, 10 * 24 * 60, 17):
        moment = start + step * 60_000_000
        taken = in_working_hours(moment)
        day = local_day(taken)
        assert taken >= moment
        assert is_working_day(day)
        assert at_local(day, 8) <= taken <= at_local(day, 16)


def test_the_agenda_keeps_time_and_order() -> None:
    agenda = Agenda(0)
    done: list[str] = []
    agenda.put(5, done.append, "b")
    agenda.put(2, lambda: agenda.put(1, done.append, "a, put down late"))
    agenda.put(5, done.append, "c")
    agenda.put(9, done.append, "too late")
    agenda.advance(9)
    assert done == ["a, put down late", "b", "c"]
    assert (agenda.now, agenda.next) == (9, 9)


def test_every_kind_of_spoiled_event_is_refused_for_the_reason_counted() -> None:
    agenda = Agenda(0)
    outlet = Outlet(agenda, "s")
    for _ in range(9):
        outlet.spoil(DAY, "A", "L")
    reasons = [decode(line) for line in outlet.take()]
    found = Counter(result.reason for result in reasons if isinstance(result, Rejection))
    assert found + Counter(unknown_unit=1) == outlet.spoiled


def drift(ident: str, moment: int | str, *causes: tuple[str, str], sku: str = "A") -> dict[str, Any]:
    named = [{"cause": cause, "events": [event], "explains": 1, "score": 1} for cause, event in causes]
    return {"id": ident, "sku": sku, "location": "L", "evidence": {"as_of": moment, "causes": named}}


def test_the_judge_tells_right_causes_from_wrong_ones_and_false_alarms() -> None:
    judge = Judge()
    judge.observe([drift("1", "1970-01-01T00:00:01Z", ("not_posted", "wms/1"), ("cut_off", "wms/9"))])
    judge.observe([drift("1", "1970-01-01T00:00:01Z", ("unknown", ""))])
    judge.observe([drift("2", 2 * HOUR, ("cut_off", "wms/2"), sku="B"), drift("3", 3 * HOUR, sku="C")])
    planted = [
        PlantedError(("A", "L"), "not_posted", "wms/1", -5, 0, [1_000_000]),
        PlantedError(("B", "L"), "flipped_sign", "wms/2", 6, 0, [2 * HOUR]),
        PlantedError(("D", "L"), "unit_factor", "wms/4", 6, 0, [2 * HOUR]),
    ]
    verdict = judge.verdict(planted)
    assert (verdict.planted.total(), verdict.found.total(), verdict.right_cause.total()) == (3, 2, 1)
    assert verdict.right_event == {"not_posted": 1}
    assert verdict.taken_for == {("flipped_sign", "cut_off"): 1}
    assert (verdict.alarms, verdict.false_alarms) == (3, 1)
