"""Purchase orders: lines, acknowledgements, shipments, receipts, and the alerts of a line."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.unit.rules.given import line, piece, plan, shipment, stock
from tests.unit.rules.rule import Rule, alert, given, then
from tests.unit.rules.world import AT, TODAY, Happening, day, days, event, hours, tick

DUE = day(7)


def placed(qty: int = 100, number: int = 1, at: int | None = None, due: date = DUE, **data: Any) -> Happening:
    named = {"order": "PO", "line": number, "supplier": "ACME", **data}
    return event("order.placed", at, named.pop("id", None), qty=qty, due=due, **named)


def acknowledged(*schedule: tuple[str, int, date | None], at: int | None = None, id: str | None = None) -> Happening:
    said = [{"status": status, "qty": qty, "due": due} for status, qty, due in schedule]
    return event("order.acknowledged", at, id, order="PO", line=1, schedule=said)


def notified(
    name: str, qty: int, eta: date | None = None, number: int = 1, at: int | None = None, **named: Any
) -> Happening:
    return event(
        "shipment.notified", at, named.pop("id", None), shipment=name, order="PO", line=number, qty=qty, eta=eta
    )


def received(qty: int, number: int | None = 1, at: int | None = None, **data: Any) -> Happening:
    named = {"order": "PO", "line": number, **data}
    return event("goods.received", at, receipt="G", qty=qty, **named)


def of_shipment(name: str, qty: int, at: int | None = None, **data: Any) -> Happening:
    """A receipt that names only a shipment."""
    return event("goods.received", at, receipt="G", qty=qty, shipment=name, **data)


MARCH_17 = "2026-03-17"

LINES = [
    Rule(
        "what is ordered is on order",
        given(),
        placed(100),
        then(
            stock(on_order=100, supply_at=AT, wake_at=AT - hours(12) + days(8)),
            line(supplier="ACME", ordered=100, due=TODAY + 7, placed_at=AT, look_at=AT - hours(12) + days(8)),
        ),
    ),
    Rule(
        "the highest revision of a line wins, also where it is older",
        given(placed(100, revision=1, at=0)),
        placed(60, revision=2, at=-hours(1), supplier="BEST", due=day(9)),
        then(
            stock(on_order=60, supply_at=AT),
            line(ordered=60, supplier="BEST", due=TODAY + 9, placed_at=AT - hours(1)),
        ),
    ),
    Rule(
        "a lower revision of a line changes nothing but when it was placed first",
        given(placed(60, revision=2)),
        placed(100, revision=1, at=hours(1), supplier="BEST", due=day(9)),
        then(stock(), line(ordered=60, supplier="ACME", due=TODAY + 7, placed_at=AT)),
    ),
    Rule(
        "of one revision the later one wins",
        given(placed(100)),
        placed(60, at=1),
        then(stock(on_order=60), line(ordered=60)),
    ),
    Rule(
        "of two orders of one moment the digest of their event decides",
        given(placed(100, at=0, id="a")),
        placed(60, at=0, id="b", supplier="BEST", due=day(9)),
        then(stock(), line(ordered=100, supplier="ACME", due=TODAY + 7)),
    ),
    Rule(
        "a change states a quantity and leaves the date",
        given(placed(100)),
        event("order.changed", 1, order="PO", line=1, qty=70),
        then(stock(on_order=70), line(ordered=70, due=TODAY + 7, supplier="ACME")),
    ),
    Rule(
        "a change states a date and leaves the quantity",
        given(placed(100)),
        event("order.changed", 1, order="PO", line=1, due=day(9)),
        then(stock(), line(ordered=100, due=TODAY + 9)),
    ),
    Rule(
        "a change to 0 is a quantity",
        given(placed(100)),
        event("order.changed", 1, order="PO", line=1, qty=0),
        then(stock(on_order=0), line(ordered=0, look_at=None)),
    ),
    Rule(
        "a change that comes before its order is kept, and wins by its revision",
        given(event("order.changed", order="PO", line=1, qty=70, revision=1)),
        placed(100, at=hours(1)),
        then(stock(), line(ordered=70, due=TODAY + 7, supplier="ACME", placed_at=AT + hours(1))),
    ),
    Rule(
        "a change of a line of which no quantity is known states the date only",
        given(),
        event("order.changed", order="PO", line=1, due=day(9)),
        then(stock(), line(ordered=None, due=TODAY + 9)),
    ),
    *(
        Rule(
            f"nothing more is expected of a line after `{kind}`, for good",
            given(placed(100), received(40)),
            event(kind, order="PO", line=1),
            then(stock(on_order=0), line(ended=True, look_at=None), plan(completed=[(AT, "PO\0\x011", 0)])),
        )
        for kind in ("order.cancelled", "order.closed")
    ),
    Rule(
        "a line that was cancelled before it was placed stays so",
        given(event("order.cancelled", order="PO", line=1)),
        placed(100),
        then(stock(), line(ordered=100, ended=True)),
    ),
    Rule(
        "a receipt reduces what its line owes",
        given(placed(100)),
        received(60),
        then(stock(available=60, on_order=40), line(received=60, received_at=AT, last_received_at=AT)),
    ),
    Rule(
        "held and damaged goods reduce what a line owes",
        given(placed(100)),
        received(10, held=20, damaged=30),
        then(
            stock(available=10, held=20, on_order=40), line(received=60), alert("opened", "damaged_receipt", order="PO")
        ),
    ),
    Rule(
        "a receipt that comes before its order counts against it",
        given(received(60)),
        placed(100),
        then(stock(on_order=40), line(received=60, ordered=100)),
    ),
    Rule(
        "a receipt that closes its line leaves nothing on order",
        given(placed(100)),
        received(60, closes_line=True),
        then(stock(available=60, on_order=0), line(ended=True), plan(completed=[(AT, "PO\0\x011", 0)])),
    ),
    Rule(
        "a late receipt leaves the latest one in place",
        given(placed(100), received(10, at=hours(2))),
        received(10, at=hours(1)),
        then(
            stock(available=20, on_order=80),
            line(received=20, received_at=AT + hours(2), last_received_at=AT + hours(2)),
        ),
    ),
    Rule(
        "a receipt that names neither order nor shipment brings stock and nothing else",
        given(placed(100)),
        event("goods.received", receipt="G", qty=5),
        then(stock(available=5)),
    ),
]

WITHOUT_LINE = [
    Rule(
        "a receipt that names only its order fills its lines in the order of their numbers",
        given(placed(10, 2), placed(10, 10), placed(10, 1)),
        received(15, None),
        then(
            stock(available=15, on_order=15),
            line(number="1", unlined=10),
            line(number="2", unlined=5),
        ),
    ),
    Rule(
        "a line of a number with fewer digits comes first",
        given(placed(10, 10)),
        placed(10, 9),
        then(stock(on_order=20), line(number="9", ordered=10)),
    ),
    Rule(
        "goods that came before the lines of their order fill the first line that is known",
        given(received(12, None)),
        placed(10, 2),
        then(
            stock(on_order=0),
            line(number="2", unlined=10, excess=2),
            alert("opened", "over_receipt", received=12, ordered=10),
        ),
    ),
    Rule(
        "what was too much for the lines fills another one, and is not too much any more",
        given(received(12, None), placed(10, 2)),
        placed(10, 1),
        then(
            stock(on_order=8),
            line(number="1", unlined=10, excess=0),
            line(number="2", unlined=2, excess=0),
            alert("resolved", "over_receipt"),
        ),
    ),
    Rule(
        "a receipt that names a line takes the room that one without a line had filled",
        given(placed(10, 1), placed(5, 2), received(12, None)),
        received(3, 1),
        then(
            stock(available=15, on_order=0),
            line(number="1", unlined=7, received=3),
            line(number="2", unlined=5),
            plan(),
        ),
    ),
    Rule(
        "goods for an order that has no room left are too much, which its first line shows",
        given(placed(10, 1), placed(5, 2), received(15, None)),
        received(1, None),
        then(
            stock(available=16),
            line(number="1", unlined=10, excess=1),
            alert(
                "opened",
                "over_receipt",
                severity="warning",
                line="PO/1",
                ordered=10,
                received=11,
                shipped=0,
                acknowledged=0,
                supplier="ACME",
                events=["test/4"],
            ),
        ),
    ),
    Rule(
        "a line that grows takes up what was too much",
        given(placed(10, 1), received(14, None)),
        event("order.changed", 1, order="PO", line=1, qty=20),
        then(stock(on_order=6), line(unlined=14, excess=0, ordered=20), alert("resolved", "over_receipt")),
    ),
    Rule(
        "a line that shrinks gives what it had to the next line",
        given(placed(10, 1), placed(10, 2), received(8, None)),
        event("order.changed", 1, order="PO", line=1, qty=5),
        then(stock(on_order=7), line(unlined=5, ordered=5), line(number="2", unlined=3)),
    ),
    Rule(
        "a line that grows takes back what had gone to the next line",
        given(placed(5, 1), placed(10, 2), received(8, None)),
        event("order.changed", 1, order="PO", line=1, qty=10),
        then(stock(on_order=12), line(unlined=8), line(number="2", unlined=0)),
    ),
    Rule(
        "a line that ends gives what it had to the next line",
        given(placed(10, 1), placed(10, 2), received(8, None)),
        event("order.closed", order="PO", line=1),
        then(stock(on_order=2), line(unlined=0, ended=True), line(number="2", unlined=8)),
    ),
    Rule(
        "a receipt for an order of one line closes that line where it says so",
        given(placed(10, 1)),
        received(6, None, closes_line=True),
        then(stock(available=6, on_order=0), line(unlined=0, excess=6, order_closes=True)),
    ),
    Rule(
        "such a receipt that comes first closes the line that follows",
        given(received(6, None, closes_line=True)),
        placed(10, 1),
        then(stock(), line(order_closes=True, excess=6)),
    ),
    Rule(
        "what closed the one line of an order closes none once a second line is known",
        given(placed(10, 1), received(6, None, closes_line=True)),
        placed(10, 2),
        then(stock(on_order=14), line(order_closes=False, unlined=6, excess=0), line(number="2", order_closes=False)),
    ),
    Rule(
        "a receipt for an order of several lines closes none",
        given(placed(10, 1), placed(10, 2)),
        received(6, None, closes_line=True),
        then(stock(available=6, on_order=14), line(order_closes=False, unlined=6)),
    ),
    Rule(
        "orders of one row do not share what they received",
        given(placed(10, 1), placed(10, 1, order="QO")),
        received(6, None),
        then(stock(available=6, on_order=14), line(unlined=6)),
    ),
    Rule(
        "a receipt for an order of which no line is known waits for one",
        given(),
        received(6, None),
        then(stock(available=6)),
    ),
    Rule(
        "two of them wait together",
        given(received(6, None)),
        received(3, None),
        then(stock(available=9)),
    ),
    Rule(
        "both fill the line that comes",
        given(received(6, None), received(3, None)),
        placed(10, 1),
        then(stock(on_order=1), line(unlined=9, excess=0)),
    ),
]

GIVEN_BACK = [
    Rule(
        "a line that grows takes back from a later line, and from the one after it",
        given(placed(5, 1), placed(2, 2), placed(10, 3), received(10, None)),
        event("order.changed", 1, order="PO", line=1, qty=9),
        then(
            stock(on_order=11),
            line(number="1", unlined=9),
            line(number="2", unlined=1),
            line(number="3", unlined=0),
        ),
    ),
    Rule(
        "a shipment that comes by name takes back what it had been credited from the last one first",
        given(placed(20), notified("A", 4, day(3)), notified("B", 4, day(4)), notified("C", 4, day(5)), received(9)),
        of_shipment("Z", 1),
        then(stock(available=10), shipment("Z", received=1)),
    ),
    Rule(
        "receipts that move to another line take back what they had brought to this one",
        given(
            placed(20),
            placed(20, 2),
            notified("A", 4, day(3), 1, at=hours(1)),
            notified("B", 3, day(4), 1, at=hours(1)),
            notified("C", 3, day(5), 1, at=hours(1)),
            of_shipment("A", 10, at=hours(2)),
        ),
        notified("A", 4, day(3), 2, at=0),
        then(
            stock(on_order=20, in_transit=10),
            line(number="1", received=0, taken=0),
            line(number="2", received=10),
            piece("A", received=0),
            piece("B", taken=0),
            piece("C", taken=0),
            piece("A", number="2", received=10, qty=4),
            shipment("A", line="2"),
        ),
    ),
]

PROMISES = [
    Rule(
        "what a supplier does not confirm is no supply",
        given(placed(100)),
        acknowledged(("accepted", 80, day(9))),
        then(
            stock(on_order=80),
            line(promises=[("accepted", 80, TODAY + 9)]),
            alert(
                "opened",
                "short_ack",
                severity="warning",
                line="PO/1",
                ordered=100,
                promised=80,
                missing=20,
                supplier="ACME",
                schedule=[{"status": "accepted", "qty": 80, "due": "2026-03-19"}],
            ),
            alert("opened", "late_supply", open=80, due=MARCH_17, promised="2026-03-19", overdue=False),
        ),
    ),
    Rule(
        "what a supplier rejects is no supply",
        given(placed(100)),
        acknowledged(("accepted", 80, None), ("rejected", 20, None)),
        then(stock(on_order=80), line(), alert("opened", "short_ack", missing=20)),
    ),
    Rule(
        "a line that is rejected whole is short, though nothing of it is open",
        given(placed(100)),
        acknowledged(("rejected", 100, day(30))),
        then(stock(on_order=0), line(), alert("opened", "short_ack", promised=0, missing=100)),
    ),
    Rule(
        "what is changed, backordered or pending is still promised",
        given(placed(100)),
        acknowledged(("changed", 30, DUE), ("backordered", 30, None), ("pending", 40, None)),
        then(stock(), line()),
    ),
    Rule(
        "the latest acknowledgement replaces the ones before",
        given(placed(100), acknowledged(("accepted", 80, None))),
        acknowledged(("accepted", 100, None), at=1),
        then(stock(on_order=100), line(), alert("resolved", "short_ack")),
    ),
    Rule(
        "an older acknowledgement changes nothing",
        given(placed(100), acknowledged(("accepted", 80, None))),
        acknowledged(("accepted", 100, None), at=-hours(1)),
        then(stock(), line(promises=[("accepted", 80, None)])),
    ),
    Rule(
        "of two acknowledgements of one moment the digest of their event decides",
        given(placed(100), acknowledged(("accepted", 80, None), at=0, id="a")),
        acknowledged(("accepted", 70, None), at=0, id="b"),
        then(stock(), line(promises=[("accepted", 80, None)])),
    ),
    Rule(
        "more than is ordered is not on order, and is too much",
        given(placed(100)),
        acknowledged(("accepted", 120, None)),
        then(stock(), line(), alert("opened", "over_receipt", acknowledged=120, ordered=100, received=0)),
    ),
    Rule(
        "a short line that has received what was promised is short no longer",
        given(placed(100), acknowledged(("accepted", 80, None))),
        received(80),
        then(stock(available=80, on_order=0), line(received=80), plan(), alert("resolved", "short_ack")),
    ),
    Rule(
        "a short line that has received nearly all that was promised is still short",
        given(placed(100), acknowledged(("accepted", 80, None))),
        received(79),
        then(stock(available=79, on_order=1), line(received=79)),
    ),
    Rule(
        "a line that ends is short no longer",
        given(placed(100), acknowledged(("accepted", 80, None))),
        event("order.closed", order="PO", line=1),
        then(stock(on_order=0), line(), alert("resolved", "short_ack")),
    ),
    Rule(
        "an acknowledgement of a line that is not known promises nothing yet",
        given(),
        acknowledged(("accepted", 80, None)),
        then(stock(), line(ordered=None)),
    ),
    Rule(
        "what a receipt leaves is on order for the later promise",
        given(placed(10), acknowledged(("accepted", 6, day(9)), ("accepted", 4, day(3)))),
        received(5),
        then(stock(available=5, on_order=5), line(received=5), alert("updated", "late_supply", open=5)),
    ),
    Rule(
        "promises beyond the order do not count, and the latest go first",
        given(placed(8), acknowledged(("accepted", 4, day(3)), ("accepted", 6, day(5)))),
        received(1),
        then(stock(available=1, on_order=7), line(received=1), alert("updated", "over_receipt", received=1)),
    ),
]

SHIPMENTS = [
    Rule(
        "a notice moves what is open of a line to in transit",
        given(placed(100)),
        notified("A", 60, day(5)),
        then(
            stock(on_order=40, in_transit=60),
            line(shipped=60, latest_eta=TODAY + 5),
            piece("A", qty=60, eta=TODAY + 5),
            shipment("A", order="PO", line="1", received=0),
        ),
    ),
    Rule(
        "order 100, notice 60, receipt 60 leaves 40 on order and none in transit",
        given(placed(100), notified("A", 60, day(5))),
        received(60),
        then(stock(available=60, on_order=40, in_transit=0), line(received=60, taken=60), piece("A", taken=60)),
    ),
    Rule(
        "two notices of one shipment add up, and the later one's eta counts",
        given(placed(100), notified("A", 30, day(5))),
        notified("A", 20, day(6), at=1),
        then(
            stock(on_order=50, in_transit=50), line(shipped=50, latest_eta=TODAY + 6), piece("A", qty=50, eta=TODAY + 6)
        ),
    ),
    Rule(
        "an earlier notice adds its quantity and leaves the eta",
        given(placed(100), notified("A", 30, day(5))),
        notified("A", 20, day(6), at=-hours(1)),
        then(
            stock(on_order=50, in_transit=50),
            line(latest_eta=TODAY + 5),
            piece("A", qty=50, eta=TODAY + 5),
            shipment("A", order="PO", line="1"),
        ),
    ),
    Rule(
        "of two notices of one moment the digest of their event decides on the eta",
        given(placed(100), notified("A", 30, day(5), at=0, id="a")),
        notified("A", 20, day(6), at=0, id="b"),
        then(stock(on_order=50, in_transit=50), line(), piece("A", eta=TODAY + 5), shipment("A", line="1")),
    ),
    Rule(
        "a notice without an eta keeps the one that is known",
        given(placed(100), notified("A", 30, day(5))),
        notified("A", 20, at=1),
        then(stock(on_order=50, in_transit=50), line(undated=0), piece("A", qty=50, eta=TODAY + 5)),
    ),
    Rule(
        "a receipt that names no shipment uses up the shipment that is expected first",
        given(placed(10), notified("A", 4, day(5)), notified("B", 6, day(3))),
        received(7),
        then(stock(available=7, in_transit=3), line(taken=7), piece("B", taken=6), piece("A", taken=1)),
    ),
    Rule(
        "shipments of one day are used up by name",
        given(placed(10), notified("B", 4, day(5)), notified("A", 6, day(5))),
        received(7),
        then(stock(available=7, in_transit=3), line(), piece("A", taken=6), piece("B", taken=1)),
    ),
    Rule(
        "a shipment without an eta is used up last, and counts on the latest day promised",
        given(placed(10), notified("A", 4), notified("B", 6, day(5))),
        received(7),
        then(stock(available=7, in_transit=3), line(undated=3), piece("B", taken=6), piece("A", taken=1)),
    ),
    Rule(
        "a receipt that names its shipment uses up that one",
        given(placed(10), notified("A", 4, day(5)), notified("B", 6, day(3))),
        received(4, shipment="A"),
        then(
            stock(available=4, in_transit=6), line(received=4, matched=4, latest_eta=TODAY + 3), piece("A", received=4)
        ),
    ),
    Rule(
        "a receipt by name gives what others had taken of its shipment to the others",
        given(placed(10), notified("A", 4, day(5)), notified("B", 6, day(3)), received(5)),
        received(6, shipment="B"),
        then(
            stock(available=11, in_transit=0),
            line(received=11),
            piece("B", received=6, taken=0),
            piece("A", taken=4),
            plan(),
            alert("opened", "over_receipt", received=11),
        ),
    ),
    Rule(
        "a shipment that is expected earlier than one that was used up takes its place",
        given(placed(10), notified("A", 4, day(5)), received(3)),
        notified("B", 6, day(3)),
        then(
            stock(on_order=0, in_transit=7),
            line(taken=3),
            piece("A", taken=0),
            piece("B", taken=3),
            shipment("B", line="1"),
        ),
    ),
    Rule(
        "a shipment that is put off gives what was taken of it to one that is expected earlier",
        given(placed(10), notified("A", 4, day(3)), notified("B", 6, day(5)), received(3)),
        notified("A", 1, day(9), at=1),
        then(
            stock(in_transit=8),
            line(latest_eta=TODAY + 9),
            piece("A", qty=5, taken=0, eta=TODAY + 9),
            piece("B", taken=3),
            alert("opened", "over_receipt", shipped=11),
            alert("opened", "late_supply", promised="2026-03-19", open=8, overdue=False),
        ),
    ),
    Rule(
        "the latest eta of a line is that of what has not come yet",
        given(placed(10), notified("A", 4, day(5)), notified("B", 6, day(3))),
        received(10),
        then(
            stock(available=10, in_transit=0),
            line(latest_eta=TODAY + 5),
            piece("A", taken=4),
            piece("B", taken=6),
            plan(),
        ),
    ),
    Rule(
        "a line of which all shipments have come by name has no eta left",
        given(placed(10), notified("A", 4, day(5))),
        received(4, shipment="A"),
        then(stock(available=4, in_transit=0), line(latest_eta=None), piece("A", received=4)),
    ),
    Rule(
        "more than is ordered may be shipped, and is too much",
        given(placed(10)),
        notified("A", 12, day(5)),
        then(
            stock(on_order=0, in_transit=12),
            line(shipped=12),
            piece("A", qty=12),
            shipment("A", line="1"),
            alert("opened", "over_receipt", shipped=12, ordered=10),
        ),
    ),
    Rule(
        "what was received before its notice is in no transit",
        given(placed(10), received(4)),
        notified("A", 6, day(5)),
        then(stock(on_order=4, in_transit=2), line(shipped=6, taken=4), piece("A", taken=4), shipment("A", line="1")),
    ),
    Rule(
        "a line that ends has nothing in transit",
        given(placed(10), notified("A", 4, day(5)), notified("B", 2)),
        event("order.closed", order="PO", line=1),
        then(stock(on_order=0, in_transit=0), line(ended=True)),
    ),
    Rule(
        "a receipt that names only a shipment counts for the line of its notice",
        given(placed(10), notified("A", 4, day(5))),
        of_shipment("A", 3, hours(1)),
        then(
            stock(available=3, in_transit=1),
            line(received=3, last_received_at=AT + hours(1), received_at=-1),
            piece("A", received=3),
            shipment("A", received=3, last_received_at=AT + hours(1)),
        ),
    ),
    Rule(
        "a late receipt of a shipment leaves its latest one in place",
        given(placed(10), notified("A", 4, day(5)), of_shipment("A", 3, hours(1))),
        of_shipment("A", 1, -hours(1)),
        then(
            stock(available=4, in_transit=0),
            line(received=4, last_received_at=AT + hours(1)),
            piece("A", received=4),
            shipment("A", received=4, last_received_at=AT + hours(1)),
        ),
    ),
    Rule(
        "a receipt that names only a shipment waits for its notice",
        given(placed(10)),
        of_shipment("A", 3),
        then(stock(available=3), shipment("A", received=3, order=None, closes=False)),
    ),
    Rule(
        "and then counts for the line that the notice names",
        given(placed(10), of_shipment("A", 3, hours(1))),
        notified("A", 4, day(5), at=0),
        then(
            stock(on_order=6, in_transit=1, supply_at=AT + hours(1)),
            line(received=3, last_received_at=AT + hours(1)),
            piece("A", qty=4, received=3),
            shipment("A", order="PO", line="1"),
        ),
    ),
    Rule(
        "receipts of a shipment move to the line of an earlier notice",
        given(placed(10), placed(10, 2), notified("A", 4, day(5), 2, at=hours(1)), of_shipment("A", 3, at=hours(2))),
        notified("A", 4, day(5), 1, at=0),
        then(
            stock(on_order=12, in_transit=5),
            line(number="1", received=3, last_received_at=AT + hours(2)),
            line(number="2", received=0, last_received_at=-1),
            piece("A", qty=4, received=3),
            piece("A", number="2", qty=4, received=0),
            shipment("A", line="1"),
        ),
    ),
    Rule(
        "receipts of a shipment stay with the line of the earlier notice",
        given(placed(10), placed(10, 2), notified("A", 4, day(5), 2), of_shipment("A", 3)),
        notified("A", 4, day(5), 1, at=hours(1)),
        then(
            stock(on_order=12, in_transit=5),
            line(number="1", received=0),
            piece("A", qty=4, received=0),
        ),
    ),
    Rule(
        "a receipt of a shipment that closes its line leaves nothing on order",
        given(placed(10), notified("A", 4, day(5)), notified("B", 2, day(5))),
        of_shipment("A", 3, closes_line=True),
        then(
            stock(available=3, on_order=0, in_transit=0),
            line(closing_shipments=1),
            piece("A", received=3),
            shipment("A", closes=True),
            plan(),
        ),
    ),
    Rule(
        "a line that a moved shipment had closed opens again",
        given(
            placed(10),
            placed(10, 2),
            notified("B", 5, day(6), 2),
            notified("A", 4, day(5), 2, at=hours(1)),
            of_shipment("A", 3, at=hours(2), closes_line=True),
        ),
        notified("A", 4, day(5), 1, at=0),
        then(
            stock(on_order=1, in_transit=9),
            line(number="1", received=3, closing_shipments=1),
            line(number="2", received=0, closing_shipments=0),
            piece("A", qty=4, received=3),
            piece("A", number="2", qty=4, received=0),
            shipment("A", line="1", closes=True),
            plan(),
        ),
    ),
    Rule(
        "what a receipt of a shipment brings beyond it is loose and uses up the others",
        given(placed(10), notified("A", 4, day(5)), notified("B", 6, day(6))),
        of_shipment("A", 6),
        then(
            stock(available=6, in_transit=4),
            line(received=6),
            piece("A", received=6),
            piece("B", taken=2),
            shipment("A", received=6),
        ),
    ),
]

LATE = [
    Rule(
        "a line is overdue once its day is over",
        given(placed(100)),
        tick(days(7) + hours(12)),
        then(
            line(look_at=None),
            alert(
                "opened",
                "late_supply",
                severity="warning",
                line="PO/1",
                open=100,
                due=MARCH_17,
                promised=MARCH_17,
                overdue=True,
                supplier="ACME",
            ),
        ),
    ),
    Rule(
        "a line is not overdue on its day",
        given(placed(100)),
        tick(days(7) + hours(12) - 1),
        then(),
    ),
    Rule(
        "an order that is placed for a day that is over is late at once",
        given(),
        placed(100, due=day(-1)),
        then(stock(on_order=100), line(look_at=None), alert("opened", "late_supply", overdue=True)),
    ),
    Rule(
        "an order for today is not late",
        given(),
        placed(100, due=day(0)),
        then(stock(on_order=100), line(look_at=AT + hours(12))),
    ),
    Rule(
        "a late line that is received is late no longer",
        given(placed(100, due=day(-1))),
        received(100),
        then(stock(available=100, on_order=0), line(), plan(), alert("resolved", "late_supply")),
    ),
    Rule(
        "a late line that is put off is not late before that day",
        given(placed(100, due=day(-1))),
        event("order.changed", 1, order="PO", line=1, due=day(3)),
        then(stock(), line(due=TODAY + 3, look_at=AT - hours(12) + days(4)), alert("resolved", "late_supply")),
    ),
    Rule(
        "a shipment that is expected after the day of its line makes it late, and not overdue",
        given(placed(100)),
        notified("A", 100, day(8)),
        then(
            stock(on_order=0, in_transit=100),
            line(look_at=AT - hours(12) + days(9)),
            piece("A", qty=100),
            shipment("A", line="1"),
            alert("opened", "late_supply", promised="2026-03-18", overdue=False),
        ),
    ),
    Rule(
        "a promise of nothing, or one that is rejected, makes no line late",
        given(placed(100)),
        acknowledged(("accepted", 100, DUE), ("accepted", 0, day(20)), ("rejected", 5, day(21))),
        then(
            stock(),
            line(promises=[("accepted", 100, TODAY + 7), ("accepted", 0, TODAY + 20), ("rejected", 5, TODAY + 21)]),
        ),
    ),
    Rule(
        "a line that changes after its day is still overdue, by what is open",
        given(placed(100, due=day(-1))),
        received(40),
        then(stock(available=40, on_order=60), line(), alert("updated", "late_supply", open=60)),
    ),
]

TABLE = [*LINES, *WITHOUT_LINE, *GIVEN_BACK, *PROMISES, *SHIPMENTS, *LATE]
