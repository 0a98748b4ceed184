"""Causes of a drift and lead times at their limits: what counts just so, and what just does not."""

from __future__ import annotations

from typing import Any

from agents.drift_causes import SCORES
from engine.core.rules import Rules
from tests.unit.rules.drifts import CASES, NEW, START, cause, drift, explained, issued, off, policy_of, reported
from tests.unit.rules.forecasts import base
from tests.unit.rules.given import item, line, piece, plan, policy, report, shipment, stock
from tests.unit.rules.orders import notified, of_shipment, placed, received
from tests.unit.rules.rule import AnyRule, Rule, alert, given, signal, then
from tests.unit.rules.world import AT, Happening, day, days, event, hours, minutes


def found(qty: int, at: int) -> Happening:
    return event("stock.adjusted", at, qty=qty, reason="found")


FACTORS = [
    explained(
        f"without an item {factor} pieces may be one of what the ERP counts",
        (found(7, -hours(2)),),
        100 + 7 * factor,
        cause("unit_factor", 7 * (factor - 1), SCORES["unit_factor"] - 25 + NEW, "test/1"),
    )
    for factor in (6, 10, 12, 24, 100)
]

LIMITS = [
    explained(
        "a cut-off names up to 20 movements",
        tuple(issued(1, -minutes(14) + number) for number in range(21)),
        99,
        cause("cut_off", 20, SCORES["cut_off"] - 10 + NEW, *(f"test/{number}" for number in range(21, 1, -1))),
        at=0,
    ),
    explained(
        "a cut-off does not name 21",
        tuple(issued(1, -minutes(14) + number) for number in range(21)),
        100,
        cause("unknown", 21, 0),
        at=0,
    ),
    explained(
        "a movement at the moment of the report may be missing in it",
        (issued(10, 0),),
        100,
        cause("cut_off", 10, SCORES["cut_off"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "a movement at the moment of the report is not ahead of it",
        (issued(10, 0),),
        80,
        cause("posted_twice", -10, SCORES["posted_twice"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "a cut-off reaches from a quarter of an hour before the report to its moment",
        (issued(3, -minutes(15)), issued(4, 0)),
        100,
        cause("cut_off", 7, SCORES["cut_off"] - 10 + NEW, "test/2", "test/1"),
        at=0,
    ),
    explained(
        "a leg of a transfer just before the report is told once",
        (event("transfer.shipped", -minutes(5), transfer="T", origin="L", to="M", qty=10),),
        100,
        cause("transfer_leg", 10, SCORES["transfer_leg"] + NEW, "test/1"),
        at=0,
    ),
    explained(
        "a movement at the moment of the last report was in it",
        (issued(10, -hours(4)), reported(90, -hours(4))),
        100,
        cause("not_posted", 10, SCORES["not_posted"], "test/1"),
    ),
    explained(
        "a receipt that the ERP has not posted counts with its held part",
        (event("goods.received", -hours(2), receipt="G", qty=6, held=4),),
        100,
        cause("not_posted", -10, SCORES["not_posted"] + NEW, "test/1"),
    ),
    explained(
        "pairs that the ERP has taken for pieces",
        (item(units={"pair": 2, "each": 1}), issued(8, -hours(2))),
        96,
        cause("unit_factor", 4, SCORES["unit_factor"] + NEW, "test/1"),
    ),
    explained(
        "a whole balance in a common unit, where the item declares none, is less likely",
        (),
        1200,
        cause("unit_factor", 1100, SCORES["unit_factor"] - 25 + NEW),
    ),
    Rule(
        "a whole balance in pieces counts its held part",
        given(stock(available=90, held=10), CASES),
        reported(1200),
        then(report(), drift("opened", 1100, cause("unit_factor", 1100, 82), kept=100, reported=1200)),
    ),
    Rule(
        "a late movement that leaves only held stock to explain needs no other cause",
        given(START, issued(10, -hours(2)), reported(100, held=5)),
        found(10, -hours(3)),
        then(stock(available=100), report(difference=0), drift("updated", 0, cause("not_posted", 10, 92, "test/1"))),
    ),
    Rule(
        "a late movement that makes one too many one too few needs another cause",
        given(START, reported(101)),
        found(2, -hours(3)),
        then(
            stock(available=102),
            report(difference=-1),
            drift("updated", -1, cause("not_posted", -2, 92, "test/2"), cause("unknown", 1, 0)),
        ),
    ),
]

# lead times -----------------------------------------------------------------------------------------------------------


def learned(*took: int) -> Any:
    return plan(completed=[(AT - days(9) + number, f"x\0{number}", one) for number, one in enumerate(took)])


def ordered(number: int, at: int) -> Happening:
    return placed(10, number, at, due=day(30))


MIDNIGHT = -hours(12)
"""The last midnight before moment 0."""
STRICT = Rules(clock="log", lead_time_drift_days=0)


def watched(name: str, facts: tuple[Any, ...], expected: float, *effects: Any, rules: Rules = STRICT) -> Rule:
    return Rule(name, given(START, *facts), policy_of(expected), then(plan(), *effects), rules)


LEAD_TIMES = [
    watched(
        "a difference beyond two standard errors is a drift",
        (learned(7, 8, 10, 12, 13),),
        7,
        off("opened", observed_days="10.0", deviation_days="2.5"),
    ),
    watched("a difference beyond one standard error is none", (learned(4, 8, 10, 12, 16),), 7),
    watched(
        "a line is late once a day more than its lead time has passed at midnight",
        tuple(ordered(number, MIDNIGHT - days(8)) for number in range(5)),
        7,
        off("opened", observed_days="8.0", open_and_late=5),
    ),
    watched(
        "a line is not late before that midnight",
        tuple(ordered(number, MIDNIGHT - days(8) + 1) for number in range(5)),
        7.5,
        stock(wake_at=AT + hours(12)),
    ),
    watched(
        "the line that makes five with the completed ones is looked at on the midnight when it is late",
        (learned(7, 7, 7, 7), ordered(1, -days(1)), ordered(2, 0)),
        7,
        stock(wake_at=AT + days(7) + hours(12)),
    ),
    watched(
        "of two lines that make five with the completed ones the older one is looked at first",
        (learned(7, 7, 7), ordered(1, -days(1)), ordered(2, 0)),
        7,
        stock(wake_at=AT + days(7) + hours(12)),
    ),
    watched(
        "one open line is looked at beside five completed ones",
        (learned(7, 7, 7, 7, 7), ordered(1, -days(1))),
        7,
        stock(wake_at=AT + days(7) + hours(12)),
    ),
    Rule(
        "a line that gets more after it was complete took until then",
        given(
            START,
            *(ordered(number, -days(12)) for number in range(5)),
            *(received(10, number, 0) for number in range(5)),
            policy_of(7),
        ),
        received(1, 0, days(28)),
        then(
            stock(available=151), line(number="0"), plan(), alert("opened", "over_receipt"), off("resolved", samples=5)
        ),
    ),
    watched(
        "each late line counts, however many have been completed",
        (learned(7, 7, 7, 7, 7), ordered(1, -days(30)), ordered(2, -days(20)), ordered(3, MIDNIGHT - days(8))),
        7,
        stock(),
        rules=Rules(clock="log", lead_time_drift_days=99),
    ),
    watched(
        "each late line is told, the one that is late since midnight as well",
        (
            learned(30, 30, 30, 30, 30),
            ordered(1, MIDNIGHT - days(30)),
            ordered(2, MIDNIGHT - days(30)),
            ordered(3, MIDNIGHT - days(8)),
        ),
        7,
        off("opened", samples=8, open_and_late=3),
    ),
    watched(
        "a line of which all is in transit may be late",
        (learned(9, 9, 9, 9), ordered(1, -days(12)), notified("A", 10, day(30))),
        7,
        off("opened", samples=5, open_and_late=1),
    ),
    Rule(
        "a late line that is told after younger ones counts",
        given(START, learned(9, 9, 9, 9), ordered(1, -days(1)), policy_of(7)),
        ordered(2, -days(12)),
        then(stock(on_order=20), line(number="2"), plan(), off("opened", samples=5, open_and_late=1)),
    ),
    Rule(
        "lines of different ages all count at each look",
        given(START, *(ordered(number, -days(12) + number) for number in range(5)), policy_of(99)),
        policy_of(7, 1),
        then(plan(), off("opened", samples=5, open_and_late=5)),
    ),
    Rule(
        "a line that opens again leaves too few lead times for a drift",
        given(
            START,
            *(ordered(number, -days(9)) for number in range(5)),
            *(received(10, number, -days(2)) for number in range(5)),
            policy_of(30),
        ),
        event("order.changed", order="PO", line=4, qty=20),
        then(stock(on_order=10), line(number="4"), plan(), off("resolved")),
    ),
    Rule(
        "a line whose last receipt turns out to be another line's gives way to one that was received since",
        given(
            START,
            *(ordered(number, -days(9)) for number in range(1, 29)),
            *(received(10, number, -days(2) + number) for number in range(1, 27)),
            notified("A", 5, day(3), 27, at=-days(1)),
            received(10, 27, -days(3)),
            of_shipment("A", 5, -days(1)),
        ),
        notified("A", 5, day(3), 28, at=-days(8)),
        then(
            stock(on_order=5),
            line(number="27", received=10),
            line(number="28", received=5),
            piece("A", number="27", received=0),
            piece("A", number="28", received=5),
            shipment("A", line="28"),
            plan(
                completed=[
                    (AT - days(2) + number, f"PO\0{chr(len(str(number)))}{number}", 7) for number in range(1, 27)
                ]
            ),
            alert("resolved", "over_receipt"),
        ),
    ),
]

SAID: dict[str, Any] = {"safety_stock": 0, "review_days": 7}
TEN_A_DAY = base("v", 1000, length=100)

FOLLOWED = [
    Rule(
        "a longer lead time that is learned raises the point at which the row orders",
        given(
            stock(available=140),
            plan(**{**policy("forecast", **SAID).named, "completed": learned(20, 20, 20, 20).named["completed"]}),
            placed(10, at=-days(20)),
            TEN_A_DAY,
        ),
        received(10, at=0),
        then(
            stock(available=150, on_order=0),
            line(),
            plan(),
            signal("opened", qty=120),
            alert("opened", "projected_stockout"),
        ),
    ),
    Rule(
        "a longer lead time of the policy looks further ahead for a stock-out",
        given(stock(available=100), policy_of(2), TEN_A_DAY),
        policy_of(20, 1),
        then(plan(), stock(), alert("opened", "projected_stockout", date=day(10).isoformat(), projected=-10)),
    ),
]

TABLE: list[AnyRule] = [*FACTORS, *LIMITS, *LEAD_TIMES, *FOLLOWED]
