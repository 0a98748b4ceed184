"""What is taken back or stated anew: shipments that change, receipts that are reversed."""

from __future__ import annotations

from datetime import date
from typing import Any

from agents.receipts import MAX_PARTS
from tables.purchasing import NOT_CLOSED, Closing
from tests.unit.rules.given import COUNTED_AT, line, piece, plan, report, shipment, stock
from tests.unit.rules.orders import notified, placed, received
from tests.unit.rules.rule import Rule, alert, given, rejected, then
from tests.unit.rules.world import AT, TODAY, Happening, day, event, hours


def changed(name: str = "A", at: int | None = None, eta: date | None = None, **data: Any) -> Happening:
    """What is said of a shipment in place of its notice."""
    named = {"order": "PO", "line": 1, "eta": eta, **data}
    return event("shipment.changed", at, named.pop("id", None), shipment=name, **named)


def cancelled(name: str = "A", at: int | None = None, **data: Any) -> Happening:
    return event("shipment.cancelled", at, shipment=name, **{"order": "PO", "line": 1, **data})


def taken_back(at: int | None = None, **data: Any) -> Happening:
    """A reversal of the receipt that `received` tells."""
    return event("receipt.reversed", at, data.pop("id", None), receipt="G", **data)


def brought(receipt: str, qty: int, at: int | None = None, **data: Any) -> Happening:
    """A receipt of any number that names what it is given."""
    return event("goods.received", at, receipt=receipt, qty=qty, **data)


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

RECEIPTS = [
    Rule(
        "a reversal takes back all of a receipt, and the line owes it again",
        given(stock(available=5), placed(100), received(60, held=6)),
        taken_back(hours(1)),
        then(
            stock(available=5, held=0, on_order=100, moved_at=AT + hours(1), supply_at=AT + hours(1)),
            line(received=0, received_at=AT),
        ),
    ),
    Rule(
        "a reversal with quantities takes back so much of each status",
        given(placed(100), received(60, held=6)),
        taken_back(qty=10, held=2),
        then(stock(available=50, held=4, on_order=46), line(received=54)),
    ),
    Rule(
        "a reversal that names a quantity leaves what was held",
        given(placed(100), received(60, held=6)),
        taken_back(qty=10),
        then(stock(available=50, on_order=44), line(received=56)),
    ),
    Rule(
        "what was damaged is owed again too, and moves no stock",
        given(placed(100), received(0, damaged=6)),
        taken_back(damaged=4),
        then(stock(on_order=98), line(received=2)),
    ),
    Rule(
        "a reversal takes no more than its receipt had",
        given(stock(available=40), placed(100), received(6)),
        taken_back(qty=10),
        then(stock(available=40, on_order=100), line(received=0)),
    ),
    Rule(
        "what it could not take it takes of the next receipt of the number",
        given(stock(available=40), placed(100), received(6), taken_back(hours(1), qty=10)),
        received(20, at=hours(2)),
        then(stock(available=56, on_order=84), line(received=16, received_at=AT + hours(2))),
    ),
    Rule(
        "a second reversal without quantities finds nothing",
        given(stock(available=40), placed(100), received(6), taken_back(hours(1))),
        taken_back(hours(2)),
        then(stock(available=40, supply_at=AT + hours(2))),
    ),
    Rule(
        "one without quantities takes what one with them has left",
        given(stock(available=40), placed(100), received(6), taken_back(hours(1), qty=2)),
        taken_back(hours(2)),
        then(stock(available=40, on_order=100), line(received=0)),
    ),
    Rule(
        "a reversal that comes before its receipt waits",
        given(stock(available=40), placed(100)),
        taken_back(hours(1)),
        then(stock(moved_at=COUNTED_AT)),
    ),
    Rule(
        "its receipt then leaves everything as it was",
        given(stock(available=40), placed(100), taken_back(hours(1))),
        received(60, at=0),
        then(stock(available=40, moved_at=AT + hours(1)), line(received=0, received_at=AT)),
    ),
    Rule(
        "a reversal of another number takes nothing",
        given(stock(available=40), placed(100), received(6)),
        event("receipt.reversed", receipt="H"),
        then(stock()),
    ),
    Rule(
        "a count after the reversal holds both",
        given(received(60, None, order=None), event("stock.counted", hours(2), qty=50)),
        taken_back(hours(1)),
        then(stock()),
    ),
    Rule(
        "a count between receipt and reversal holds the receipt only",
        given(received(60, None, order=None), event("stock.counted", hours(1), qty=50)),
        taken_back(hours(2), qty=5),
        then(stock(available=45)),
    ),
    Rule(
        "a receipt that comes late moves stock at the time of the reversal that waits for it",
        given(event("stock.counted", hours(1), qty=50), taken_back(hours(2), qty=5)),
        received(60, None, order=None, at=0),
        then(stock(available=45)),
    ),
    Rule(
        "an earlier reversal takes what a later one had, at its own moment, also where a count comes between",
        given(received(10, None, order=None), taken_back(hours(3)), taken_back(hours(1))),
        event("stock.counted", hours(2), qty=30),
        then(stock(available=30)),
    ),
    Rule(
        "of a receipt with two lines a reversal takes what its names share",
        given(placed(10, 1), placed(10, 2), received(10, 1), received(10, 2)),
        taken_back(qty=4, order="PO", line=2),
        then(stock(available=16, on_order=4), line(number="2", received=6), plan()),
    ),
    Rule(
        "one that names nothing but the number takes of the first line first",
        given(placed(10, 1), placed(10, 2), received(10, 1), received(10, 2)),
        taken_back(qty=14),
        then(stock(available=6, on_order=14), line(number="1", received=0), line(number="2", received=6), plan()),
    ),
    Rule(
        "one that names another line takes nothing",
        given(placed(10, 1), received(10, 1)),
        taken_back(order="PO", line=2),
        then(stock()),
    ),
    Rule(
        "one that names the order takes of a receipt that names its shipment only",
        given(placed(10), notified("A", 10, day(5)), brought("G", 10, shipment="A")),
        taken_back(order="PO", line=1),
        then(
            stock(available=0, in_transit=10),
            line(received=0),
            piece("A", received=0),
            shipment("A", received=0),
            plan(completed=[]),
        ),
    ),
    Rule(
        "a shipment that a reversed receipt names is in transit again",
        given(placed(10), notified("A", 10, day(5)), received(10, shipment="A")),
        taken_back(qty=4),
        then(
            stock(available=6, in_transit=4),
            line(received=6, matched=6, latest_eta=TODAY + 5),
            piece("A", received=6),
            plan(completed=[]),
        ),
    ),
    Rule(
        "a shipment that was used up without its name is in transit again",
        given(placed(10), notified("A", 6, day(3)), notified("B", 4, day(5)), received(8)),
        taken_back(qty=4),
        then(stock(available=4, in_transit=6), line(received=4, taken=4), piece("A", taken=4), piece("B", taken=0)),
    ),
    Rule(
        "what a receipt brought that names only its order leaves the last line that it filled first",
        given(placed(10, 1), placed(10, 2), received(15, None)),
        taken_back(qty=7),
        then(stock(available=8, on_order=12), line(number="1", unlined=8), line(number="2", unlined=0)),
    ),
    Rule(
        "what was too much goes first",
        given(placed(10, 1), received(15, None)),
        taken_back(qty=7),
        then(stock(available=8, on_order=2), line(unlined=8, excess=0), alert("resolved", "over_receipt")),
    ),
    Rule(
        "what was too much for an order of which nothing is known any more is nobody's excess",
        given(event("order.changed", order="PO", line=1, due=day(9)), received(15, None)),
        taken_back(),
        then(stock(available=0), line(unlined=0, excess=0)),
    ),
    Rule(
        "a receipt without order and shipment gives back stock only",
        given(stock(available=40), received(15, None, order=None)),
        taken_back(),
        then(stock(available=40)),
    ),
    Rule(
        "stock that is gone already leaves a balance below 0",
        given(received(15, None, order=None), event("stock.issued", qty=10)),
        taken_back(hours(1)),
        then(stock(available=-10), alert("opened", "negative_stock", lowest=-10)),
    ),
    Rule(
        "a reversal is compared with the report that should have held it",
        given(received(15, None, order=None), event("balance.reported", hours(2), on_hand=15)),
        taken_back(hours(1), qty=5),
        then(stock(available=10), report(difference=5), alert("opened", "balance_drift", difference=5, kept=10)),
    ),
    Rule(
        "a receipt after that report, of which a part was taken back before it, is compared too",
        given(stock(available=7), taken_back(hours(1), qty=5), event("balance.reported", hours(2), on_hand=7)),
        received(15, None, order=None, at=hours(3)),
        then(stock(available=17), report(difference=5), alert("opened", "balance_drift", difference=5, kept=2)),
    ),
]

CLOSED = [
    Rule(
        "a line that its receipt closed stays closed",
        given(placed(100), received(60, closes_line=True)),
        taken_back(hours(1)),
        then(stock(available=0), line(received=0), plan(completed=[])),
    ),
    Rule(
        "it opens again where the reversal says so",
        given(placed(100), received(60, closes_line=True)),
        taken_back(hours(1), qty=20, reopens_line=True),
        then(stock(available=40, on_order=60), line(received=40), plan(completed=[])),
    ),
    Rule(
        "so does a line that was closed by an event of its own before",
        given(placed(100), received(60), event("order.closed", hours(1), order="PO", line=1)),
        taken_back(hours(2), reopens_line=True),
        then(stock(available=0, on_order=100), line(received=0), plan(completed=[])),
    ),
    Rule(
        "one that is closed after that is closed for good",
        given(placed(100), received(60), taken_back(hours(1), reopens_line=True)),
        event("order.cancelled", hours(2), order="PO", line=1),
        then(stock(on_order=0), line(ended=True)),
    ),
    Rule(
        "what closed it before comes too late, where it arrives after that",
        given(placed(100), received(60), taken_back(hours(2), reopens_line=True)),
        event("order.closed", hours(1), order="PO", line=1),
        then(stock(), line(ended=True)),
    ),
    Rule(
        "at one moment the line is open",
        given(placed(100), received(60, closes_line=True)),
        taken_back(reopens_line=True),
        then(stock(available=0, on_order=100), line(received=0), plan(completed=[])),
    ),
    Rule(
        "a line that a receipt closed by its order opens again",
        given(placed(100), received(60, None, closes_line=True)),
        taken_back(hours(1), qty=10, reopens_line=True),
        then(stock(available=50, on_order=50), line(unlined=50, excess=0)),
    ),
    Rule(
        "a second line of the order makes it open in any case",
        given(placed(100), received(60, None, closes_line=True), taken_back(hours(1), reopens_line=True)),
        placed(50, 2),
        then(stock(on_order=150), line(order_closes=False), line(number="2")),
    ),
    Rule(
        "what opened the line of an order with one line opens none of an order with two",
        given(
            placed(100),
            event("order.closed", order="PO", line=1),
            received(60, None),
            taken_back(hours(1), reopens_line=True),
        ),
        placed(50, 2),
        then(stock(on_order=50), line(ended=True), line(number="2")),
    ),
    Rule(
        "a line that a receipt closed by its shipment opens again",
        given(placed(100), notified("A", 60, day(5)), brought("G", 60, shipment="A", closes_line=True)),
        taken_back(hours(1), qty=20, reopens_line=True),
        then(
            stock(available=40, on_order=40, in_transit=20),
            line(received=40, closing_shipments=1),
            piece("A", received=40),
            shipment("A", received=40),
            plan(completed=[]),
        ),
    ),
    Rule(
        "an earlier notice moves what closed and opened a line to its own line",
        given(
            placed(100, 1),
            placed(50, 2),
            notified("A", 60, day(5), number=1, at=hours(3)),
            brought("G", 60, at=0, shipment="A", closes_line=True),
            taken_back(hours(1), qty=20, reopens_line=True),
        ),
        notified("A", 10, day(5), number=2, at=hours(2)),
        then(
            stock(on_order=50, in_transit=60),
            line(number="1", received=0, closing_shipments=0, shipments_closing=NOT_CLOSED),
            line(number="2", received=40, closing_shipments=1, shipments_closing=Closing(AT, AT + hours(1))),
            piece("A", number="1", received=0),
            piece("A", number="2", received=40),
            shipment("A", line="2"),
        ),
    ),
]


def lines_of(number: int) -> list[Happening]:
    """So many receipts of one number, each of another order."""
    return [brought("G", 1, order=f"Q{place}", line=1) for place in range(number)]


MANY = [
    Rule(
        "a number of very many receipts is received without an end",
        given(stock(available=0), *lines_of(MAX_PARTS)),
        brought("G", 1),
        then(stock(available=101)),
    ),
    Rule(
        "what it stands for cannot be taken back",
        given(stock(available=0), *lines_of(MAX_PARTS), brought("G", 1)),
        taken_back(),
        rejected("row_too_large"),
    ),
    Rule(
        "nor does it take another line once something of it is taken back",
        given(stock(available=0), *lines_of(MAX_PARTS), taken_back(qty=1)),
        brought("G", 1),
        rejected("row_too_large"),
    ),
    Rule(
        "a number has so many reversals at most",
        given(stock(available=0), *(taken_back(number, qty=1) for number in range(MAX_PARTS))),
        taken_back(hours(1), qty=1),
        rejected("row_too_large"),
    ),
]

TABLE = [*SHIPMENTS, *RECEIPTS, *CLOSED, *MANY]
