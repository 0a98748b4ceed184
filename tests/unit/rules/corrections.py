"""What is taken back or stated anew: shipments that change, receipts that are reversed."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.unit.rules.given import line, piece, shipment, stock
from tests.unit.rules.orders import notified, placed, received
from tests.unit.rules.rule import Rule, alert, given, then
from tests.unit.rules.world import TODAY, Happening, day, event, hours


def changed(name: str = "A", at: int | None = None, eta: date | None = None, **data: Any) -> Happening:
    """What is said of a shipment in place of its notice."""
    named = {"order": "PO", "line": 1, "eta": eta, **data}
    return event("shipment.changed", at, named.pop("id", None), shipment=name, **named)


def cancelled(name: str = "A", at: int | None = None, **data: Any) -> Happening:
    return event("shipment.cancelled", at, shipment=name, **{"order": "PO", "line": 1, **data})


NOTICED = given(placed(100), notified("A", 60, day(5)))

SHIPMENTS = [
    Rule(
        "a change states what a shipment brings in place of its notice",
        NOTICED,
        changed(qty=45, eta=day(6), revision=1),
        then(
            stock(on_order=55, in_transit=45),
            line(shipped=45, latest_eta=TODAY + 6),
            piece("A", qty=45, eta=TODAY + 6),
        ),
    ),
    Rule(
        "a change of the quantity leaves the eta",
        NOTICED,
        changed(qty=70, revision=1),
        then(stock(on_order=30, in_transit=70), line(shipped=70), piece("A", qty=70, eta=TODAY + 5)),
    ),
    Rule(
        "a change of the eta leaves the quantity, to which a further notice adds",
        given(*NOTICED, changed(eta=day(8), revision=1)),
        notified("A", 5, day(9), at=hours(1)),
        then(stock(on_order=35, in_transit=65), line(shipped=65), piece("A", qty=65, eta=TODAY + 8)),
    ),
    Rule(
        "of changes the highest revision wins, also where it is older",
        given(*NOTICED, changed(qty=45, revision=2, at=-hours(2))),
        changed(qty=30, revision=1, at=hours(1)),
        then(stock(), line(), piece("A", qty=45)),
    ),
    Rule(
        "of changes of one revision the later one wins",
        given(*NOTICED, changed(qty=45, revision=1)),
        changed(qty=30, revision=1, at=hours(1)),
        then(stock(on_order=70, in_transit=30), line(), piece("A", qty=30)),
    ),
    Rule(
        "a change without a revision yields to a notice that is later",
        given(notified("A", 60, day(5)), placed(100)),
        changed(qty=45, at=-hours(1)),
        then(stock(), line(), piece("A", qty=60)),
    ),
    Rule(
        "an earlier notice ranks the notices lower, so the change counts after all",
        given(placed(100), notified("A", 60, day(5)), changed(qty=45, at=-hours(1))),
        notified("A", 10, day(5), at=-hours(2)),
        then(stock(on_order=55, in_transit=45), line(), piece("A", qty=45), shipment("A")),
    ),
    Rule(
        "a change that comes before its notice is kept, and its notice adds nothing",
        given(placed(100), changed(qty=45, eta=day(6), revision=1)),
        notified("A", 60, day(5)),
        then(stock(), line(), piece("A", qty=45, eta=TODAY + 6), shipment("A", order="PO", line="1")),
    ),
    Rule(
        "a change whose notice is not known counts by itself",
        given(placed(100)),
        changed(qty=45, eta=day(6)),
        then(stock(on_order=55, in_transit=45), line(shipped=45), piece("A", qty=45)),
    ),
    Rule(
        "a further notice adds nothing to what a change has stated",
        given(*NOTICED, changed(qty=45, revision=1)),
        notified("A", 5, day(5), at=hours(1)),
        then(stock(), line(), piece("A", qty=45)),
    ),
    Rule(
        "of a shipment that is cancelled nothing is in transit, and its quantity is on order again",
        NOTICED,
        cancelled(revision=1),
        then(stock(on_order=100, in_transit=0), line(shipped=0, latest_eta=None), piece("A", qty=0)),
    ),
    Rule(
        "what a cancellation says of quantity and eta changes nothing more",
        NOTICED,
        cancelled(revision=1, qty=20, eta=day(9)),
        then(stock(on_order=100, in_transit=0), line(latest_eta=None), piece("A", qty=0, eta=TODAY + 5)),
    ),
    Rule(
        "a cancellation that comes before its notice leaves nothing in transit of it",
        given(placed(100), cancelled(revision=1)),
        notified("A", 60, day(5)),
        then(stock(), line(), piece("A", qty=0), shipment("A", order="PO", line="1")),
    ),
    Rule(
        "a change of a higher revision revives a shipment that was cancelled",
        given(*NOTICED, cancelled(revision=1)),
        changed(qty=60, revision=2),
        then(stock(on_order=40, in_transit=60), line(), piece("A", qty=60)),
    ),
    Rule(
        "a change of a lower revision does not",
        given(*NOTICED, cancelled(revision=2)),
        changed(qty=60, revision=1),
        then(stock(), line(), piece("A", qty=0)),
    ),
    Rule(
        "what has come of a shipment that shrinks stays received, and uses up the next one",
        given(placed(100), notified("A", 60, day(5)), notified("B", 30, day(8)), received(40)),
        changed(qty=10, revision=1),
        then(
            stock(on_order=60, in_transit=0),
            line(shipped=40, taken=40),
            piece("A", qty=10, taken=10),
            piece("B", taken=30),
        ),
    ),
    Rule(
        "a shipment that grows beyond the order is too much until a change says less",
        given(placed(50), notified("A", 60, day(5))),
        changed(qty=50, revision=1),
        then(stock(in_transit=50), line(), piece("A", qty=50), alert("resolved", "over_receipt")),
    ),
    Rule(
        "of a line that is closed a change brings nothing",
        given(*NOTICED, event("order.closed", order="PO", line=1)),
        changed(qty=80, revision=1),
        then(stock(), line(shipped=80), piece("A", qty=80)),
    ),
]

TABLE = [*SHIPMENTS]
