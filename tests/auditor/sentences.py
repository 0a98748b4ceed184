"""The contract's sentences on row arithmetic and on the days to come, each with events and what must follow.

Sentence -> (events of row A at X, what the row or the projection must be); the clock stands at midnight of 4 March 2026
for rows, at noon of 2 March for the days to come.
"""

from __future__ import annotations

from itertools import permutations

from tests.auditor.events import (
    acknowledged,
    arrived,
    counted,
    defined,
    event,
    forecast,
    issued,
    line_received,
    placed,
    received,
    released,
    reserved,
    sent,
    shipped,
)
from tests.auditor.model import Event, Row

STOCK = {
    "without a count, the sum of all movements": (
        [received(1, 10), issued(2, 3), event("stock.adjusted", 3, qty=-2, reason="x")],
        Row(available=5),
    ),
    "a receipt moves qty to available and held to held, damaged to nothing": (
        [received(1, 10, held=4, damaged=2)],
        Row(available=10, held=4),
    ),
    "the latest count plus the movements with a later time": (
        [received(1, 10), counted(2, 50), issued(3, 5)],
        Row(available=45),
    ),
    "a movement at the moment of the count is in it": ([counted(2, 50), received(2, 10)], Row(available=50)),
    "a count may be 0": ([received(1, 10), counted(2, 0)], Row()),
    "of two counts at one moment one stands, whatever comes first": (
        [counted(2, 50, source="b"), counted(2, 40, source="a")],
        Row(available=50),
    ),
    "a count of one status leaves the other": (
        [received(1, 10, held=4), counted(2, 1, status="held")],
        Row(available=10, held=1),
    ),
    "an earlier count yields to a later": ([counted(5, 7), counted(2, 50), received(3, 9)], Row(available=7)),
    "held moves available to held, released moves it back": (
        [received(1, 10), event("stock.held", 2, qty=6), event("stock.released", 3, qty=2)],
        Row(available=6, held=4),
    ),
    "a return goes where its disposition says": (
        [event("stock.returned", 1, qty=n, disposition=to) for n, to in ((1, "available"), (2, "held"), (4, "scrap"))],
        Row(available=1, held=2),
    ),
    "negative stock keeps its sign": ([issued(1, 8)], Row(available=-8)),
    "an adjustment names the status it corrects": (
        [event("stock.adjusted", 1, qty=3, status="held", reason="x")],
        Row(held=3),
    ),
    "what the ERP believes is never applied": (
        [received(1, 10), event("balance.reported", 2, on_hand=99, held=9, on_order=9)],
        Row(available=10),
    ),
    "a quantity in another unit is converted exactly": (
        [defined(case=12), received(1, 2, held=1, uom="case"), counted(2, 3, status="held", uom="case")],
        Row(available=24, held=36),
    ),
    "the base unit is a unit too": ([defined(case=12), received(1, 2, uom="each")], Row(available=2)),
}

LINES = {
    "ordered, not shipped, not received": ([placed()], Row(on_order=100)),
    "trap 1: order 100, ASN 60, receipt 60": (
        [placed(), shipped(1, 60), line_received(2, 60)],
        Row(available=60, on_order=40),
    ),
    "shipped units are in transit, not on order": ([placed(), shipped(1, 60)], Row(on_order=40, in_transit=60)),
    "a receipt before its order": ([line_received(1, 30), placed(2)], Row(available=30, on_order=70)),
    "an acknowledgement alone is no supply": ([acknowledged(1, ("accepted", 80))], Row()),
    "trap 2: shipped more than ordered": ([placed(), shipped(1, 130)], Row(in_transit=130)),
    "trap 2: received more than ordered": ([placed(), line_received(1, 130)], Row(available=130)),
    "trap 2: acknowledged more than ordered": ([placed(), acknowledged(1, ("accepted", 130))], Row(on_order=100)),
    "trap 3: what is not mentioned is no supply": ([placed(), acknowledged(1, ("accepted", 70))], Row(on_order=70)),
    "trap 3: rejected is no supply": (
        [placed(), acknowledged(1, ("rejected", 60), ("accepted", 30))],
        Row(on_order=30),
    ),
    "an empty acknowledgement promises nothing": ([placed(), acknowledged(1)], Row()),
    "pending, accepted, changed and backordered count": (
        [placed(), acknowledged(1, ("pending", 1), ("accepted", 2), ("changed", 4), ("backordered", 8))],
        Row(on_order=15),
    ),
    "the latest acknowledgement replaces the earlier": (
        [placed(), acknowledged(3, ("accepted", 20)), acknowledged(2, ("accepted", 90))],
        Row(on_order=20),
    ),
    "trap 4: closed short after a partial receipt": (
        [placed(), line_received(1, 30), event("order.closed", 2, order="P", line=1)],
        Row(available=30),
    ),
    "closed by the receipt itself": ([placed(), line_received(1, 30, closes_line=True)], Row(available=30)),
    "a cancelled line has nothing in transit either": (
        [placed(), shipped(1, 60), event("order.cancelled", 2, order="P", line=1)],
        Row(),
    ),
    "cancelled before placed, and for good": (
        [event("order.cancelled", 1, order="P", line=1), placed(2, revision=5)],
        Row(),
    ),
    "trap 5: damaged and held count against the order": (
        [placed(), line_received(1, 10, held=20, damaged=30)],
        Row(available=10, held=20, on_order=40),
    ),
    "the highest revision wins": (
        [
            event("order.changed", 1, order="P", line=1, qty=40, revision=2),
            event("order.changed", 9, order="P", line=1, qty=60, revision=1),
            placed(0),
        ],
        Row(on_order=40),
    ),
    "of one revision the latest time wins, absent is 0": (
        [event("order.changed", 1, order="P", line=1, qty=40), placed(2, qty=90, revision=0)],
        Row(on_order=90),
    ),
    "a change without a quantity leaves it": (
        [placed(), event("order.changed", 1, order="P", line=1, due="2026-04-01", revision=9)],
        Row(on_order=100),
    ),
    "changed to 0 is nothing on order": ([placed(), event("order.changed", 1, order="P", line=1, qty=0)], Row()),
    "an order of cases": ([defined(case=12), placed(qty=5, uom="case")], Row(on_order=60)),
    "an acknowledgement of cases": (
        [
            defined(case=12),
            placed(),
            event("order.acknowledged", 1, order="P", line=1, uom="case", schedule=[{"status": "accepted", "qty": 2}]),
        ],
        Row(on_order=24),
    ),
    "a receipt that names no line goes to the lines in ascending order": (
        [placed(line=2), placed(line=1, qty=50), received(1, 70, order="P")],
        Row(available=70, on_order=80),
    ),
    "what is shipped beyond the order is owed too": (
        [placed(line=1, qty=10), shipped(1, 30), placed(line=2, qty=10), received(2, 25, order="P")],
        Row(available=25, on_order=10, in_transit=5),
    ),
    "what no line owes goes to the first": (
        [placed(line=1, qty=10), placed(line=2, qty=10), received(2, 25, order="P"), shipped(3, 30)],
        # the shipment comes last and makes line 1 owe 30: the receipt of 25 is all its own
        Row(available=25, on_order=10, in_transit=5),
    ),
    "a closed line owes nothing": (
        [placed(line=1), event("order.closed", 1, order="P", line=1), placed(line=2), received(2, 30, order="P")],
        Row(available=30, on_order=70),
    ),
    "a receipt that names only a shipment belongs to its line": (
        [placed(line=1), placed(line=2), shipped(1, 60, line=2), received(2, 60, shipment="N")],
        Row(available=60, on_order=140),
    ),
    "a receipt of an unknown shipment is stock and nothing else": (
        [placed(), received(2, 60, shipment="?")],
        Row(available=60, on_order=100),
    ),
    "a receipt without an order is stock and nothing else": (
        [placed(), received(2, 60)],
        Row(available=60, on_order=100),
    ),
}

RESERVATIONS = {
    "a reservation is open": ([reserved(1, 9)], Row(reserved=9)),
    "released in part": ([reserved(1, 9), released(2, qty=4)], Row(reserved=5)),
    "released without qty is 0 for good": ([reserved(1, 9), released(2), reserved(3, 7)], Row()),
    "a release before its reservation": ([released(1, qty=4), reserved(2, 9)], Row(reserved=5)),
    "an issue against it leaves both": ([reserved(1, 9), issued(2, 4, reservation="V")], Row(-4, 0, 5)),
    "an issue beyond it": ([reserved(1, 9), issued(2, 14, reservation="V")], Row(-14)),
    "reserved again replaces the quantity": ([reserved(3, 5), reserved(1, 9)], Row(reserved=5)),
    "expired at its moment": ([reserved(1, 9, expires=48)], Row()),
    "not expired before": ([reserved(1, 9, expires=48.01)], Row(reserved=9)),
    "the latest reserve says when it expires": (
        [reserved(1, 9, expires=5), reserved(2, 7), reserved(0, 3, expires=4)],
        Row(reserved=7),
    ),
    "released without a reservation is nothing": ([released(1, qty=4)], Row()),
}

TRANSFERS = {
    "leaves from, in transit at to": ([sent(1, 9)], (Row(-9), Row(in_transit=9))),
    "arrives, held too": ([sent(1, 9), arrived(2, 5, held=1)], (Row(-9), Row(5, 1, 0, 0, 3))),
    "arrives before it is shipped": ([arrived(2, 5)], (Row(), Row(5))),
    "more arrives than was shipped": ([sent(1, 9), arrived(2, 12)], (Row(-9), Row(12))),
    "two legs, one transfer": ([sent(1, 9), sent(2, 5), arrived(3, 10)], (Row(-14), Row(10, 0, 0, 0, 4))),
}

# projected sellable stock at the end of each of five days, the first being today
DAYS = {
    "opening stock, the order on its day": ([received(1, 5), placed(due="2026-03-04")], [5, 5, 105, 105, 105]),
    "due today counts today": ([placed(due="2026-03-02")], [100] * 5),
    "trap 13: overdue counts tomorrow": ([placed(due="2026-03-01")], [0, 100, 100, 100, 100]),
    "a reservation is not sellable": ([received(1, 5), reserved(1, 2)], [3] * 5),
    "the promised date moves the bucket": (
        [placed(due="2026-03-04"), acknowledged(1, ("changed", 100, "2026-03-05"))],
        [0, 0, 0, 100, 100],
    ),
    "a promise without a date keeps the order's": (
        [placed(due="2026-03-04"), acknowledged(1, ("accepted", 100))],
        [0, 0, 100, 100, 100],
    ),
    "backordered counts at its date, or not at all": (
        [
            placed(due="2026-03-03"),
            acknowledged(1, ("accepted", 20), ("backordered", 30, "2026-03-05"), ("backordered", 50)),
        ],
        [0, 20, 20, 50, 50],
    ),
    "what came first was promised first": (
        [
            placed(),
            acknowledged(1, ("accepted", 40, "2026-03-05"), ("accepted", 60, "2026-03-03")),
            line_received(2, 50),
        ],
        [50, 60, 60, 100, 100],
    ),
    "a shipment counts at its eta, the rest at its due date": (
        [placed(due="2026-03-05"), shipped(1, 60, eta="2026-03-04")],
        [0, 0, 60, 100, 100],
    ),
    "a receipt reduces the shipment that it names": (
        [
            placed(qty=60),
            shipped(1, 30, shipment="M", eta="2026-03-03"),
            shipped(1, 30, shipment="N", eta="2026-03-05"),
            line_received(2, 20, shipment="N"),
        ],
        [20, 50, 50, 60, 60],
    ),
    "the forecast is spread evenly, earlier days take the remainder": (
        [received(1, 100), forecast(1, "v1", ("2026-03-02", 3, 11))],
        [96, 92, 89, 89, 89],
    ),
    "what was issued consumes the bucket, earliest day first": (
        [received(1, 100), forecast(1, "v1", ("2026-03-02", 3, 12)), issued(2, 6)],
        [94, 92, 88, 88, 88],
    ),
    "what was issued before the bucket does not": (
        [received(-30, 100), forecast(1, "v1", ("2026-03-02", 3, 12)), issued(-1, 6)],
        [90, 86, 82, 82, 82],
    ),
    "days that are gone are gone": (
        [received(1, 100), forecast(1, "v1", ("2026-03-01", 3, 12))],
        [96, 92, 92, 92, 92],
    ),
    "a delta amends the version that it names, whatever comes first": (
        [
            forecast(2, "v3", ("2026-03-02", 2, -6), base="v2"),
            forecast(3, "v2", ("2026-03-02", 2, 4), base="v1"),
            received(1, 100),
            forecast(1, "v1", ("2026-03-02", 2, 12)),
        ],
        [95, 90, 90, 90, 90],
    ),
    "a delta whose base is missing waits": (
        [
            received(1, 100),
            forecast(1, "v1", ("2026-03-02", 2, 12)),
            forecast(2, "v3", ("2026-03-02", 2, 9), base="v2"),
        ],
        [94, 88, 88, 88, 88],
    ),
    "the latest replacement stands": (
        [
            received(1, 100),
            forecast(4, "w1", ("2026-03-03", 1, 50)),
            forecast(1, "v1", ("2026-03-02", 2, 12)),
            forecast(2, "v2", ("2026-03-02", 2, 9), base="v1"),
        ],
        [100, 50, 50, 50, 50],
    ),
}


def in_any_order(events: list[Event]) -> list[list[Event]]:
    """All orders of a short list, definitions first."""
    first = [event for event in events if event["type"] == "item.defined"]
    rest = [event for event in events if event["type"] != "item.defined"]
    return [[*first, *order] for order in permutations(rest)]
