"""Formulas of the trade as single calls: arithmetic of orders, projection, statistics, days, names, envelopes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from agents.calendar import Calendar, midnight
from agents.forecast import forecast_view
from agents.need import need_of
from agents.projection import projection_of, projection_view
from agents.purchasing import open_lines, shipments_of, supply_of
from agents.reader import RowReader, RowView
from engine.core import events, identify, policy, projection, statistics, values
from engine.core.outcomes import Rejection
from engine.core.rules import Rules
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tables import keys
from tables.stock import STOCK, Stock
from tables.workspace import decode
from tests.unit.rules.forecasts import base, delta
from tests.unit.rules.given import stock
from tests.unit.rules.orders import acknowledged, notified, placed, received
from tests.unit.rules.rule import Figure, Rule, then
from tests.unit.rules.world import AT, TODAY, day, days, event, hours


def figure(name: str, expected: object, call: Callable[..., object], *arguments: Any, **named: Any) -> Figure:
    return Figure(name, lambda: call(*arguments, **named), expected)


def rounded(call: Callable[..., float], *arguments: Any) -> Callable[[], float]:
    return lambda: round(call(*arguments), 4)


def refused(call: Callable[..., object], *arguments: Any) -> bool:
    """Whether a call raises ValueError."""
    try:
        call(*arguments)
    except ValueError:
        return True
    return False


def constrained(raw: int, moq: int = 0, multiple: int = 1, max_qty: int | None = None) -> object:
    found = policy.constrained(raw, moq=moq, multiple=multiple, max_qty=max_qty)
    return found.qty, found.raw, found.binding


QUANTITIES = [
    figure(f"an order of {raw} under {limits} {said}", expected, constrained, raw, *limits)
    for raw, limits, expected, said in (
        (80, (0, 1), (80, 80, None), "is as it was wanted"),
        (70, (0, 12), (72, 70, "multiple"), "is rounded up"),
        (72, (0, 12), (72, 72, None), "is a multiple"),
        (20, (100, 24), (120, 20, "moq"), "is the minimum, rounded up"),
        (100, (100, 1), (100, 100, None), "is the minimum"),
        (99, (100, 1), (100, 99, "moq"), "is raised to it"),
        (1, (0, 1), (1, 1, None), "is an order"),
        (0, (100, 24), (0, 0, None), "is none"),
        (-5, (100, 24), (0, -5, None), "is none either"),
        (80, (0, 1, 80), (80, 80, None), "is the most"),
        (81, (0, 1, 80), (80, 81, "max_qty"), "is cut"),
        (90, (0, 24, 80), (72, 90, "max_qty"), "is cut to a multiple"),
        (90, (0, 100, 80), (80, 90, "max_qty"), "is cut to what is no multiple"),
        (MAX_QUANTITY, (0, 1), (MAX_QUANTITY, MAX_QUANTITY, None), "is the most that an order can say"),
        (MAX_QUANTITY + 1, (0, 1), (MAX_QUANTITY, MAX_QUANTITY + 1, "quantity_limit"), "is cut to that"),
        (MAX_QUANTITY + 1, (0, 7), (MAX_QUANTITY - 1, MAX_QUANTITY + 1, "quantity_limit"), "is cut to its multiple"),
        (
            MAX_QUANTITY + 1,
            (0, 1, 2 * MAX_QUANTITY),
            (MAX_QUANTITY, MAX_QUANTITY + 1, "quantity_limit"),
            "is cut below the most",
        ),
        (MAX_BALANCE + 5, (0, 1), (MAX_QUANTITY, MAX_BALANCE, "quantity_limit"), "is told as 64 bits"),
    )
]

POLICIES = [
    figure("a quantity that breaks nothing", [], policy.broken_constraints, 120, moq=100, multiple=24, max_qty=120),
    figure(
        "a quantity that breaks all",
        ["moq", "multiple", "max_qty"],
        policy.broken_constraints,
        50,
        moq=100,
        multiple=24,
        max_qty=40,
    ),
    figure("a quantity at the minimum breaks nothing", [], policy.broken_constraints, 100, moq=100),
    figure("a quantity without limits", [], policy.broken_constraints, 1),
    figure("above the point no lot is ordered", 0, policy.reorder_quantity, 51, 50, 30),
    figure("at the point one lot is ordered", 30, policy.reorder_quantity, 50, 50, 30),
    figure("a lot must lift the position above the point", 60, policy.reorder_quantity, 20, 50, 30),
    figure("just one lot lifts it", 30, policy.reorder_quantity, 21, 50, 30),
    figure("z of 95 %", 1.6449, rounded(policy.z_value, 0.95)),
    figure("the deviation over the lead time", 208.8061, rounded(policy.lead_time_deviation, 100, 20, 9, 2)),
    figure("a safety stock", 343.4555, rounded(policy.safety_stock, 0.95, 100, 20, 9, 2)),
    figure("a safety stock of a lead time that is sure", 98.6912, rounded(policy.safety_stock, 0.95, 100, 20, 9, 0)),
    figure("a tracking signal", 1.8, policy.tracking_signal, [5, -2, 3]),
    figure("no error has no signal", 0.0, policy.tracking_signal, [0, 0]),
    figure("a broken unit is rounded up", 36, policy.whole_units, 35.1),
    figure("a broken unit of a float's last bits is not", 35, policy.whole_units, 35.0000004),
    figure("one of a millionth is", 36, policy.whole_units, 35.000001),
    figure("a quantity has a limit", MAX_QUANTITY, policy.whole_units, 1e15),
    figure("no sample has no mean", (0.0, 0.0), statistics.mean_and_deviation, []),
    figure("one sample has no deviation", (7.0, 0.0), statistics.mean_and_deviation, [7]),
    figure("two samples have one", (3.0, 2.0**0.5), statistics.mean_and_deviation, [2, 4]),
    figure("a sample has one", (5.0, (32 / 7) ** 0.5), statistics.mean_and_deviation, [2, 4, 4, 4, 5, 5, 7, 9]),
    figure("errors are shared out over days", 2.0, statistics.deviation_per_day, [(10, 6, 2), (0, 4, 6)]),
    figure("Poisson demand deviates by its root", 3.0, statistics.poisson_deviation, 9),
    figure("a total per day", 2.5, statistics.per_day, 5, 2),
    figure("a total of less than a day", 5.0, statistics.per_day, 5, 0.5),
    figure("a standard error", 2.0, statistics.standard_error, 6, 9),
    figure("no standard error", 0.0, statistics.standard_error, 6, 0),
]

PROJECTIONS = [
    figure("a bucket is spread evenly, the first days take the rest", [4, 3, 3], projection.spread, 10, 3),
    figure("a negative bucket is no demand", [0, 0], projection.spread, -5, 2),
    figure("a bucket of one", [1, 0], projection.spread, 1, 2),
    figure("issues consume the earliest days", [0, 1, 3], projection.consume, [3, 3, 3], 5),
    figure("issues beyond the forecast consume it all", [0, 0], projection.consume, [3, 3], 9),
    figure("no issue consumes nothing", [3, 3], projection.consume, [3, 3], 0),
    figure("returns do not add demand", [3, 3], projection.consume, [3, 3], -2),
    figure("a balance runs", [12, 17, 11], projection.project, 20, [0, 10, 0], [8, 5, 6]),
    figure(
        "a balance stays at the least of 64 bits",
        [-MAX_BALANCE, -MAX_BALANCE],
        projection.project,
        -MAX_BALANCE + 1,
        [0, 0],
        [5, 5],
    ),
    figure(
        "a balance above half of it runs on",
        [-MAX_BALANCE // 2 + 1 - 5],
        projection.project,
        -MAX_BALANCE // 2 + 1,
        [0],
        [5],
    ),
    figure(
        "a balance of half of it stays at the least as well",
        [-MAX_BALANCE],
        projection.project,
        -MAX_BALANCE // 2,
        [0],
        [MAX_BALANCE],
    ),
    Figure("supply and demand are of as many days", lambda: refused(projection.project, 1, [1, 1], [1]), True),
    figure("what can be promised is the least to come", [11, 11, 17], projection.available_to_promise, 11, [0, 0, 6]),
    figure("what can be promised falls with what is missing", [-3, -3], projection.available_to_promise, -3, [0, 0]),
    figure("the smallest from each day on", [1, 1, 2, 4], projection.forward_minimum, [3, 1, 2, 4]),
    figure("demand over whole days", 6, projection.total_over, [1, 2, 3, 4], 3.0),
    figure("demand over broken days", 7, projection.total_over, [1, 2, 3, 4], 3.25),
    figure("a share is rounded up", 8, projection.total_over, [1, 2, 3, 4], 3.3),
    figure("days beyond the list count as none", 3, projection.total_over, [1, 2], 5.5),
    figure("days to the end of the list", 3, projection.total_over, [1, 2], 2.0),
    figure("demand of a bucket that runs", [2, 2, 0], projection.daily_demand, [(98, 4, 10)], [], 100, 3),
    figure(
        "what was issued since a bucket began consumes it, and only that",
        [1, 2, 0],
        projection.daily_demand,
        [(98, 4, 10)],
        [(97, 50), (98, 4), (100, 3)],
        100,
        3,
    ),
    figure(
        "a bucket to come is not consumed",
        [0, 3, 2],
        projection.daily_demand,
        [(101, 2, 5)],
        [(100, 5), (101, 5)],
        100,
        3,
    ),
    figure("a bucket of today is consumed", [0, 2], projection.daily_demand, [(100, 2, 4)], [(100, 2)], 100, 2),
    figure(
        "buckets that are over, begin later or are negative",
        [0],
        projection.daily_demand,
        [(98, 2, 5), (101, 1, 5), (100, 1, -5)],
        [],
        100,
        1,
    ),
    figure(
        "a bucket that is longer than the days asked for", [1, 1], projection.daily_demand, [(100, 9, 9)], [], 100, 2
    ),
    figure("a bucket of one unit is demand", [1], projection.daily_demand, [(100, 1, 1)], [], 100, 1),
    figure("buckets of one day add up", [5], projection.daily_demand, [(100, 1, 2), (100, 1, 3)], [], 100, 1),
]


# a row as readers see it ----------------------------------------------------------------------------------------------


def view(*happenings: Any, available: int = 0) -> RowView:
    world = Rule("", (stock(available=available), *happenings), event("clock.ticked"), then()).world()
    row = keys.row("S", "L")
    found: Stock = decode(STOCK + row, world.pairs[STOCK + row])
    return RowView(RowReader(world.context(), world.now), row, found)


def told(*happenings: Any, available: int, ahead: int) -> list[dict[str, object]]:
    return projection_view(projection_of(view(*happenings, available=available), ahead))


def needs(*happenings: Any, available: int) -> tuple[object, ...]:
    """Trigger, target, the greatest trigger ahead, and the quantity to order."""
    need = need_of(view(*happenings, available=available))
    assert need is not None
    return need.s, need.S, need.ceiling, need.quantity


def of_day(offset: int, supply: int, demand: int, projected: int, atp: int, **others: int) -> dict[str, object]:
    said = {"supply": supply, "demand": demand, "projected": projected, "atp": atp}
    return {"date": day(offset).isoformat(), **said, **others}


def supplies(*happenings: Any) -> list[tuple[object, ...]]:
    seen = view(*happenings)
    return [
        (one.document, None if one.day is None else one.day - TODAY, one.qty, one.kind)
        for name, line in open_lines(seen, 9)
        for one in supply_of(seen, name, line)
    ]


VIEWS = [
    Figure(
        "the projection of a row, day by day",
        lambda: told(base("v", 9, length=3), placed(20, due=day(2)), available=10, ahead=4),
        [of_day(0, 0, 3, 7, 10), of_day(1, 0, 3, 4, 10), of_day(2, 20, 3, 21, 30), of_day(3, 0, 0, 21, 30)],
    ),
    Figure(
        "overdue supply counts on tomorrow and is flagged",
        lambda: told(placed(20, due=day(-1)), placed(5, 2, due=day(-40)), available=10, ahead=2),
        [of_day(0, 0, 0, 10, 10), of_day(1, 25, 0, 35, 35, overdue=25)],
    ),
    Figure(
        "a projection of today has no tomorrow for it",
        lambda: told(placed(20, due=day(-1)), available=10, ahead=1),
        [of_day(0, 0, 0, 10, 10)],
    ),
    Figure(
        "supply of the last day asked for counts, that of the day after does not",
        lambda: told(placed(20, due=day(31)), placed(7, 2, due=day(32)), available=1, ahead=32)[-1],
        of_day(31, 20, 0, 21, 21),
    ),
    Figure(
        "what a line brings, shipments first",
        lambda: supplies(placed(20), notified("B", 6, day(5)), notified("A", 4), received(3)),
        [("PO/1 B", 5, 3, "shipment"), ("PO/1 A", 5, 4, "shipment"), ("PO/1", 7, 10, "ordered")],
    ),
    Figure(
        "what is promised comes at its dates, a backorder without one at none",
        lambda: supplies(
            placed(20),
            acknowledged(
                ("backordered", 4, None),
                ("accepted", 6, day(5)),
                ("rejected", 3, day(1)),
                ("changed", 5, None),
                ("pending", 9, day(8)),
            ),
            received(2),
        ),
        [("PO/1", 5, 4, "accepted"), ("PO/1", 7, 5, "changed"), ("PO/1", 8, 9, "pending")],
    ),
    Figure(
        "a backorder without a date comes last",
        lambda: supplies(placed(20), acknowledged(("backordered", 4, None), ("accepted", 6, day(5))), received(2)),
        [("PO/1", 5, 4, "accepted"), ("PO/1", None, 4, "backordered")],
    ),
    Figure("a line that is over brings nothing", lambda: supplies(placed(20), received(20)), []),
    Figure(
        "at most so many lines are shown",
        lambda: [name for name, _ in open_lines(view(placed(20), placed(20, 2), placed(20, 10)), 2)],
        ["PO\0\x011", "PO\0\x012"],
    ),
    Figure(
        "at most so many shipments of a line are shown",
        lambda: [
            (name, piece.qty)
            for name, piece in shipments_of(view(placed(20), *(notified(one, 1) for one in "CAB")), "PO\0\x011", 2)
        ],
        [("A", 1), ("B", 1)],
    ),
    Figure(
        "above the trigger a row needs nothing",
        lambda: needs(event("policy.set", policy={"kind": "min_max", "min": 50, "max": 120}), available=51),
        (50, 120, 50, policy.OrderQuantity(0, 0)),
    ),
    Figure(
        "the greatest trigger ahead is that of today where demand only falls",
        lambda: needs(
            base("v", 70),
            event("policy.set", policy={"kind": "forecast"}, lead_time_days=7, review_days=1, safety_stock=5),
            available=60,
        ),
        (75, 75, 75, policy.OrderQuantity(15, 15)),
    ),
    Figure("a row without a forecast shows none", lambda: forecast_view(view()), None),
    Figure(
        "a forecast shows its version, its deltas and its buckets",
        lambda: forecast_view(
            view(
                base("v1"),
                delta("d1", "v1", at=1),
                delta("d2", "v1", at=2, start=7),
                delta("d9", "x", at=3),
                delta("d0", "v1", at=-1),
            )
        ),
        {
            "version": "v1",
            "deltas": ["d0", "d1", "d2", "d9"],
            "complete": False,
            "buckets": [
                {"start": day(0).isoformat(), "days": 7, "qty": 84},
                {"start": day(7).isoformat(), "days": 7, "qty": 7},
            ],
        },
    ),
    Figure(
        "deltas without a forecast are shown",
        lambda: forecast_view(view(delta("d1", None, at=1))),
        {
            "version": None,
            "deltas": ["d1"],
            "complete": True,
            "buckets": [{"start": day(0).isoformat(), "days": 7, "qty": 7}],
        },
    ),
    Figure(
        "deltas that are out of date are not",
        lambda: (forecast_view(view(base("v1"), delta("d1", "v1", at=1), base("v2", at=2))) or {})["deltas"],
        [],
    ),
]

# days and instants ----------------------------------------------------------------------------------------------------

MARCH = datetime(2026, 3, 29, tzinfo=UTC)
SPRING = int(MARCH.timestamp()) * values.SECOND
DAYS = [
    figure("a day of UTC", TODAY, Calendar().day, "UTC", AT),
    figure("the last instant of a day", TODAY, Calendar().day, "UTC", AT + hours(12) - 1),
    figure("the first instant of the next", TODAY + 1, Calendar().day, "UTC", AT + hours(12)),
    figure("midnight of UTC", AT - hours(12), midnight, "UTC", TODAY),
    figure("midnight in Tokyo", AT - hours(21), midnight, "Asia/Tokyo", TODAY),
    figure("a day in Tokyo", TODAY + 1, Calendar().day, "Asia/Tokyo", AT + hours(3)),
    figure("the day before", TODAY, Calendar().day, "Asia/Tokyo", AT + hours(3) - 1),
    Figure(
        "the day on which summer time begins has 23 hours",
        lambda: midnight("Europe/Paris", MARCH.toordinal() + 1) - midnight("Europe/Paris", MARCH.toordinal()),
        hours(23),
    ),
    Figure(
        "the day on which it ends has 25",
        lambda: (
            midnight("Europe/Paris", MARCH.toordinal() + 7 * 30 + 1)
            - midnight("Europe/Paris", MARCH.toordinal() + 7 * 30)
        ),
        hours(25),
    ),
    figure(
        "days after the last begin when it does", midnight("Asia/Tokyo", 3_652_058), midnight, "Asia/Tokyo", 3_652_060
    ),
    figure("an instant in UTC", "2026-03-10T12:00:00Z", values.iso, AT),
    figure("an instant of microseconds", AT + 1, values.instant, datetime(2026, 3, 10, 12, 0, 0, 1, tzinfo=UTC)),
    figure("a division is rounded up", 3, values.ceil_div, 7, 3),
    figure("a whole division is not", 2, values.ceil_div, 6, 3),
    figure("a multiple at least", 9, values.round_up_to_multiple, 7, 3),
    figure(
        "murmur2 as Kafka's own tests have it",
        [-973932308, -790332482, -985981536, -1486304829, 479470107],
        lambda: [
            values.murmur2(text) - (values.murmur2(text) >> 31 << 32)
            for text in (b"21", b"foobar", b"a-little-bit-long-string", b"a-little-bit-longer-string", b"abc")
        ],
    ),
    figure("a key's partition has no sign", (-973932308 & 0x7FFFFFFF) % 7, values.partition_of, "21", 7),
    figure(
        "an id is a function of its parts",
        ("x-", 22),
        lambda: (values.stable_id("x", "a", "b")[:2], len(values.stable_id("x", "a", "b"))),
    ),
    Figure(
        "windows of the rules are in microseconds",
        lambda: (Rules().movement_window, Rules().duplicate_window, Rules().cut_off),
        (hours(48), days(7), hours(0.25)),
    ),
]

# envelopes ------------------------------------------------------------------------------------------------------------


def read(text: bytes) -> object:
    found = events.decode(text)
    return found.reason if isinstance(found, Rejection) else events.type_name(found)


def issued(**changes: object) -> bytes:
    data = {"sku": "S", "location": "L", "qty": 1}
    envelope = {"specversion": "1.0", "id": "1", "source": "s", "time": "2026-03-10T12:00:00Z", "type": "stock.issued"}
    return json.dumps({**envelope, "data": data, **changes}).encode()


def of_kind(kind: str, **data: object) -> bytes:
    return issued(type=kind, data={"sku": "S", "location": "L", **data})


def of_supplier(**data: object) -> bytes:
    return issued(type="supplier.defined", data={"supplier": "S", **data})


READ = [
    Figure(f"an event with {said} is {expected}", lambda text=text: read(text), expected)  # type: ignore[misc]
    for said, text, expected in (
        ("all that it needs", issued(), "stock.issued"),
        ("a type that is not known", issued(type="x"), "unknown_type"),
        ("a type that is no text", issued(type=7), "invalid_event"),
        ("a disposition that is not known", of_kind("stock.returned", qty=1, disposition="x"), "invalid_event"),
        ("a count of 0", of_kind("stock.counted", qty=0), "stock.counted"),
        ("a count below 0", of_kind("stock.counted", qty=-1), "invalid_event"),
        ("a name of no character", of_kind("stock.issued", qty=1, location=""), "invalid_event"),
        ("a name of 64 characters", of_kind("stock.issued", qty=1, location="x" * 64), "stock.issued"),
        ("a name of 65 characters", of_kind("stock.issued", qty=1, location="x" * 65), "invalid_event"),
        ("an order of 128 characters", of_kind("stock.issued", qty=1, order="x" * 128), "stock.issued"),
        ("an order of 129 characters", of_kind("stock.issued", qty=1, order="x" * 129), "invalid_event"),
        ("an id of 256 characters", issued(id="x" * 256), "stock.issued"),
        ("an id of 257 characters", issued(id="x" * 257), "invalid_event"),
        ("the greatest number of a line", of_kind("order.closed", order="PO", line=10**9), "order.closed"),
        ("a greater number of a line", of_kind("order.closed", order="PO", line=10**9 + 1), "invalid_event"),
        (
            "the longest lead time",
            of_kind("policy.set", policy={"kind": "none"}, lead_time_days=3650),
            "policy.set",
        ),
        (
            "a longer lead time",
            of_kind("policy.set", policy={"kind": "none"}, lead_time_days=3650.5),
            "invalid_event",
        ),
        ("a field that is not known", of_kind("stock.issued", qty=1, x=1), "invalid_event"),
        ("a quantity of 0", of_kind("stock.issued", qty=0), "invalid_event"),
        ("a quantity beyond the limit", of_kind("stock.issued", qty=MAX_QUANTITY + 1), "quantity_out_of_range"),
        ("a quantity at the limit", of_kind("stock.issued", qty=MAX_QUANTITY), "stock.issued"),
        (
            "a signed quantity below the limit",
            of_kind("stock.adjusted", qty=-MAX_QUANTITY - 1, reason="x"),
            "quantity_out_of_range",
        ),
        ("a time before 1970", issued(time="1969-12-31T23:59:59Z"), "invalid_event"),
        ("a time of 1970", issued(time="1970-01-01T00:00:00Z"), "stock.issued"),
        ("an adjustment of 0", of_kind("stock.adjusted", qty=0, reason="x"), "invalid_event"),
        ("a receipt of nothing", of_kind("goods.received", receipt="G", qty=0), "invalid_event"),
        ("a receipt of held goods", of_kind("goods.received", receipt="G", qty=0, held=1), "goods.received"),
        ("a receipt of damaged goods", of_kind("goods.received", receipt="G", qty=0, damaged=1), "goods.received"),
        ("a name with a space at its end", issued(source="s "), "invalid_event"),
        ("a name that cannot be printed", issued(id="a\n"), "invalid_event"),
        ("the name of all locations", of_kind("stock.issued", qty=1, location="*"), "invalid_event"),
        ("an answer about all locations", of_kind("alert.resolved", location="*", alert="a", by="b"), "alert.resolved"),
        (
            "an answer about a name that is not printable",
            of_kind("alert.resolved", location=" ", alert="a", by="b"),
            "invalid_event",
        ),
        ("a line number", of_kind("order.closed", order="PO", line=3), "order.closed"),
        ("a line name with a space at its end", of_kind("order.closed", order="PO", line="3 "), "invalid_event"),
        (
            "a maximum below the minimum",
            of_kind("policy.set", policy={"kind": "min_max", "min": 2, "max": 1}),
            "invalid_event",
        ),
        (
            "a maximum at the minimum",
            of_kind("policy.set", policy={"kind": "min_max", "min": 2, "max": 2}),
            "policy.set",
        ),
        ("a negative cost", of_kind("policy.set", policy={"kind": "none"}, unit_cost="-1"), "invalid_event"),
        ("a negative margin", of_kind("policy.set", policy={"kind": "none"}, unit_margin="-1"), "invalid_event"),
        ("a cost of 0", of_kind("policy.set", policy={"kind": "none"}, unit_cost="0"), "policy.set"),
        (
            "a cost at the limit",
            of_kind("policy.set", policy={"kind": "none"}, unit_cost=str(MAX_QUANTITY)),
            "policy.set",
        ),
        (
            "a cost beyond the limit",
            of_kind("policy.set", policy={"kind": "none"}, unit_cost=f"{MAX_QUANTITY}.01"),
            "invalid_event",
        ),
        ("a supplier of whom nothing is stated", of_supplier(), "supplier.defined"),
        ("a minimum of 0", of_supplier(minimum_value=0), "supplier.defined"),
        ("a minimum of an order in its currency", of_supplier(minimum_value="1.5", currency="GBP"), "supplier.defined"),
        ("a negative minimum", of_supplier(minimum_value="-1"), "invalid_event"),
        ("a minimum that is no number", of_supplier(minimum_value="NaN"), "invalid_event"),
        ("a currency of no minimum", of_supplier(currency="GBP"), "invalid_event"),
        ("a currency that is none", of_supplier(minimum_value=1, currency="gbp"), "invalid_event"),
        ("a truck and its unit", of_supplier(truck_units=33, truck_uom="pallet"), "supplier.defined"),
        ("a truck without a unit", of_supplier(truck_units=33), "invalid_event"),
        ("a unit of no truck", of_supplier(truck_uom="pallet"), "invalid_event"),
        ("a truck that holds nothing", of_supplier(truck_units=0, truck_uom="pallet"), "invalid_event"),
        ("a cost that is no number", of_kind("policy.set", policy={"kind": "none"}, unit_cost="NaN"), "invalid_event"),
        (
            "a limit of value that is no number",
            of_kind("policy.set", policy={"kind": "none"}, auto={"max_value": "NaN"}),
            "invalid_event",
        ),
        (
            "a negative bucket of a forecast",
            of_kind(
                "forecast.revised", version="v", mode="replace", buckets=[{"start": "2026-03-10", "days": 1, "qty": -1}]
            ),
            "invalid_event",
        ),
        (
            "an empty bucket of a forecast",
            of_kind(
                "forecast.revised", version="v", mode="replace", buckets=[{"start": "2026-03-10", "days": 1, "qty": 0}]
            ),
            "forecast.revised",
        ),
        (
            "a negative bucket of a delta",
            of_kind(
                "forecast.revised", version="v", mode="delta", buckets=[{"start": "2026-03-10", "days": 1, "qty": -1}]
            ),
            "forecast.revised",
        ),
        (
            "a factor of the base unit",
            issued(type="item.defined", data={"sku": "S", "base_unit": "each", "units": {"each": 2}}),
            "invalid_event",
        ),
        (
            "a factor of 1 of the base unit",
            issued(type="item.defined", data={"sku": "S", "base_unit": "each", "units": {"each": 1}}),
            "item.defined",
        ),
        (
            "a unit of no name",
            issued(type="item.defined", data={"sku": "S", "base_unit": "each", "units": {" ": 1}}),
            "invalid_event",
        ),
        (
            "a substitute of no name",
            issued(type="item.defined", data={"sku": "S", "base_unit": "each", "substitutes": [" "]}),
            "invalid_event",
        ),
        (
            "a zone that is not known",
            issued(type="location.defined", data={"location": "L", "time_zone": "x/y"}),
            "invalid_event",
        ),
        (
            "a transfer to where it comes from",
            issued(type="transfer.shipped", data={"sku": "S", "transfer": "T", "from": "A", "to": "A", "qty": 1}),
            "invalid_event",
        ),
        (
            "a transfer of nothing",
            issued(type="transfer.received", data={"sku": "S", "transfer": "T", "to": "A", "qty": 0}),
            "invalid_event",
        ),
        (
            "a transfer of held goods",
            issued(type="transfer.received", data={"sku": "S", "transfer": "T", "to": "A", "qty": 0, "held": 1}),
            "transfer.received",
        ),
        (
            "a feed of locations without a name",
            issued(type="feed.declared", data={"feed": "f", "interval_seconds": 1, "locations": [" "]}),
            "invalid_event",
        ),
        ("broken JSON", b"{", "not_json"),
        ("bytes that are no text", issued().replace(b'"1"', b'"\xff"'), "not_utf8"),
        ("JSON that is too deep", b'{"type":"stock.issued","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        ("more bytes than an event has", issued(subject="x" * events.MAX_EVENT_BYTES), "too_large"),
        ("just as many bytes", issued() + b" " * (events.MAX_EVENT_BYTES - len(issued())), "stock.issued"),
    )
]


def broken(tokens: int) -> bytes:
    """Broken JSON whose id is its last token."""
    return b"{" + b'"x":1,' * (tokens - 2) + b'"id":"1",'


NAMED = [
    Figure(f"{said} names itself", lambda text=text: tuple(identify.identify(text)), expected)  # type: ignore[misc]
    for said, text, expected in (
        ("an event", issued(), ("s", "1")),
        ("an event of numbers", b'{"id":7,"source":12,"x":1}', ("12", "7")),
        ("what is no object", b"[1]", (None, None)),
        ("an event without a source", b'{"id":"1"}', (None, "1")),
        ("an empty name", b'{"id":"","source":"s"}', ("s", None)),
        ("a name of another kind", b'{"id":[1],"source":"s"}', ("s", None)),
        ("an event that is cut", b'{"id":"1","source":"s","data":{"qty"', ("s", "1")),
        ("an event that is cut in its name", b'{"source":"s","id":"1', ("s", None)),
        ("an object within broken JSON", b'{"data":{"id":"x","source":"y"},"id":"1","source":"s",', ("s", "1")),
        ("a list within broken JSON", b'{"data":["id",{"id":"x"}],"source":"s",', ("s", None)),
        ("a broken event that ends", b'{"id":"1"} "source":"s"', (None, "1")),
        ("a number in broken JSON", b'{"id":7,"source":8,', ("8", "7")),
        ("a long name", json.dumps({"id": "x" * 300, "source": "1" * 300}).encode(), ("1" * 256, "x" * 256)),
        ("a long number", b'{"id":' + b"1" * 300 + b',"source":"s"}', ("s", "1" * 256)),
        ("broken bytes", b'{"id":"\xff","source":"s"}', ("s", None)),
        ("an event that is cut after another", b'{"id":"1"} {"source":"s",', (None, "1")),
        ("a cut event that repeats its name", b'{"id":"1","source":"s","id":"2","source":"t",', ("s", "1")),
        ("broken JSON as long as it is looked through", broken(identify.MAX_TOKENS), (None, "1")),
        ("broken JSON of a token more", broken(identify.MAX_TOKENS + 1), (None, None)),
        ("broken JSON that is long", b"{" + b'"x":1,' * 5000 + b'"id":"1",', (None, None)),
    )
]

TABLE = [*QUANTITIES, *POLICIES, *PROJECTIONS, *VIEWS, *DAYS, *READ, *NAMED]
