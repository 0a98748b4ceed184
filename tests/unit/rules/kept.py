"""What a row keeps as of the past: balances at a report, counts between others, buckets and issues by day."""

from __future__ import annotations

from agents.demand import demand_ahead, issued_since, open_buckets
from agents.turn import Turn
from tables import keys
from tables.demand import Issued, issued_key
from tables.ledger import IS_COUNT, Movement, movement_key
from tests.unit.rules.figures import view
from tests.unit.rules.forecasts import FULL, base, delta
from tests.unit.rules.given import Row, plan, report, stock
from tests.unit.rules.rule import AnyRule, Figure, Gone, Rule, alert, given, then
from tests.unit.rules.stock import adjusted
from tests.unit.rules.world import AT, TODAY, Happening, World, days, event, hours, tick

ROW = keys.row("S", "L")
START = stock(available=100, held=10)


def issued(qty: int, at: int) -> Happening:
    return event("stock.issued", at, qty=qty)


def counted(qty: int, at: int, status: str = "available") -> Happening:
    return event("stock.counted", at, qty=qty, status=status)


def held(qty: int, at: int) -> Happening:
    return adjusted(qty, at, "held")


HELD_COUNT = event("stock.counted", 0, "c", qty=4, status="held")


def identity_of(happening: Happening) -> bytes:
    turn = World().turn(happening)
    assert isinstance(turn, Turn)
    return turn.identity


def reported(on_hand: int, at: int) -> Happening:
    return event("balance.reported", at, on_hand=on_hand)


# balances as of the past ----------------------------------------------------------------------------------------------

AS_OF = [
    Rule(
        "a report is compared with the last report and the movements between the two",
        given(
            START, issued(10, 0), reported(100, 0), issued(5, 1), *(issued(1, hours(later)) for later in (2, 3, 4, 5))
        ),
        reported(95, hours(1)),
        then(report(available=85, held=10, difference=0)),
    ),
    Rule(
        "a report is compared with the present balance less the movements after it",
        given(START, *(issued(1, -hours(ago)) for ago in (4, 3, 2, 1)), issued(10, 0), issued(5, 1), held(7, 1)),
        reported(96, 0),
        then(report(available=86, held=10, difference=0)),
    ),
    Rule(
        "a count from after the report says nothing of it",
        given(START, *(issued(1, -hours(ago)) for ago in (5, 4, 3, 2)), counted(50, hours(3))),
        reported(106, hours(1)),
        then(report(available=96, held=10, difference=0)),
    ),
    Rule(
        "a last report from before what is kept is no base for the next one",
        given(
            START,
            reported(110, 0),
            issued(10, hours(1)),
            issued(20, hours(2)),
            *(issued(1, hours(later)) for later in (80, 90, 91, 92)),
        ),
        reported(79, hours(85)),
        then(report(available=69, held=10, difference=0)),
    ),
    Rule(
        "a movement of the very moment of the report belongs to it, though it comes later",
        given(START, reported(110, 0)),
        issued(3, 0),
        then(
            report(available=97, difference=3),
            stock(available=97),
            alert("opened", "balance_drift", kept=107),
        ),
    ),
    Rule(
        "a count of the very moment of the report belongs to it, though it comes later",
        given(START, reported(110, 0)),
        counted(96, 0),
        then(
            report(available=96, difference=4),
            stock(available=96),
            alert("opened", "balance_drift", kept=106),
        ),
    ),
]

COUNTS = [
    Rule(
        "a count takes in what came before it, also at its own moment, and nothing that came after",
        given(START, *(issued(1, -hours(ago)) for ago in (9, 8, 7, 6)), issued(4, -hours(2)), issued(3, -hours(2) + 1)),
        counted(30, -hours(2)),
        then(stock(available=27)),
    ),
    Rule(
        "a count after another one leaves out what is in that one, and what came between the two",
        given(
            START,
            counted(50, -hours(9)),
            held(6, -hours(8)),
            counted(9, -hours(8), "held"),
            held(2, -hours(8) + 1),
            *(held(1, -minutes) for minutes in range(1, 8)),
        ),
        counted(20, -hours(6), "held"),
        then(stock(available=50, held=27)),
    ),
    Rule(
        "a count of held stock is kept as one, and states no available stock",
        given(START),
        HELD_COUNT,
        then(
            stock(held=4),
            Row(
                movement_key(ROW, AT, IS_COUNT, identity_of(HELD_COUNT)),
                Movement,
                {"available": 0, "held": 4, "count": 2, "counted_at": AT},
                {},
            ),
        ),
    ),
    Rule(
        "a count as of the newest that is no longer kept states the sum of all that is not",
        given(START),
        counted(30, -days(3)),
        then(stock(available=30)),
    ),
    Rule(
        "a row lets movements go only when its latest moment moves on",
        given(START, adjusted(1, hours(80)), adjusted(2, 0)),
        adjusted(3, hours(80)),
        then(stock(available=106, floor_at=AT - days(3), fold_at=AT + hours(72))),
    ),
]

# demand ---------------------------------------------------------------------------------------------------------------


def kept_issues(offset: int, qty: int) -> Row:
    return Row(issued_key(ROW, TODAY + offset), Issued, {"qty": qty}, {})


def dropped_issues(offset: int) -> Gone:
    return Gone(issued_key(ROW, TODAY + offset))


def stock_on(day: int) -> Happening:
    """An event that lets the clock advance by days and sweeps nothing."""
    return event("location.defined", days(day), location="M", time_zone="UTC")


DEMAND: list[AnyRule] = [
    Rule(
        "what was issued is kept for five weeks",
        (FULL, *(issued(5, days(later)) for later in (0, 1, 35))),
        issued(1, days(36)),
        then(stock(available=10**6 - 16, issue_qty=1), dropped_issues(0), kept_issues(1, 5), kept_issues(35, 5)),
    ),
    Rule(
        "what was issued since the first bucket that has not ended began is kept as well, and no more",
        (FULL, issued(5, -days(1)), base("v1", at=0, length=100), issued(5, 0), issued(5, days(50))),
        issued(1, days(51)),
        then(stock(available=10**6 - 16), dropped_issues(-1), kept_issues(0, 5), kept_issues(50, 5)),
    ),
    Rule(
        "a bucket that goes on stays, and the row is looked at again when it or one to come can end",
        (FULL, base("v1", length=2), delta("d1", "v1", at=1, start=1, length=5), delta("d2", "v1", at=2, start=4)),
        tick(days(2)),
        then(plan(buckets=2, closes_at=TODAY + 5, closed_until=TODAY + 2), stock()),
    ),
    Rule(
        "without a bucket to come it is looked at again when the one that goes on ends",
        (FULL, base("v1", length=2), delta("d1", "v1", at=1, start=1, length=5)),
        tick(days(2)),
        then(plan(buckets=1, closes_at=TODAY + 6), stock()),
    ),
    Rule(
        "a bucket that begins today may be over tomorrow",
        (FULL, base("v1", length=2), delta("d1", "v1", at=1, start=2, length=5)),
        tick(days(2)),
        then(plan(buckets=1, closes_at=TODAY + 3), stock()),
    ),
    Rule(
        "without any bucket nothing ends for longer than the longest bucket",
        (FULL, base("v1", length=2)),
        tick(days(2)),
        then(plan(buckets=0, closes_at=TODAY + 2 + 1 + 366), stock()),
    ),
    Figure(
        "a bucket that ended yesterday is not open",
        lambda: list(open_buckets(view(base("v1", length=2), stock_on(2)), TODAY + 9)),
        [],
    ),
    Figure(
        "a bucket whose last day is today is open",
        lambda: list(open_buckets(view(base("v1", length=2), stock_on(1)), TODAY + 9)),
        [(TODAY, 2, 70)],
    ),
    Figure(
        "what was issued before the day asked for is not told",
        lambda: issued_since(view(issued(5, 0)), TODAY + 1),
        [],
    ),
    Figure(
        "each of two buckets is consumed by what was issued since it began itself",
        lambda: demand_ahead(view(base("v1"), delta("d", "v1", at=1, start=1), issued(15, 2), stock_on(1)), 2),
        [6, 11],
    ),
]


TABLE: list[AnyRule] = [*AS_OF, *COUNTS, *DEMAND]
