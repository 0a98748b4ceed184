"""Stock: movements, counts, reservations, transfers, negative balances."""

from __future__ import annotations

from typing import Any

from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tests.unit.rules.given import Row, item, location, reservation, stock, transfer, unknown_stock
from tests.unit.rules.rule import Rule, alert, given, rejected, then
from tests.unit.rules.world import AT, TODAY, Happening, day, days, event, hours, moment, tick

ISSUED = event("stock.issued", qty=5)


def adjusted(qty: int, at: int | None = None, status: str = "available") -> Happening:
    return event("stock.adjusted", at, qty=qty, status=status, reason="found")


def with_balance(name: str, qty: int) -> Row:
    balances: dict[str, Any] = {name: qty}
    return stock(**balances)


MOVEMENTS = [
    Rule(
        "an adjustment adds its signed quantity to available stock",
        given(stock(available=40)),
        event("stock.adjusted", qty=-5, reason="lost"),
        then(stock(available=35, version=2, updated=AT, latest=AT, moved_at=AT)),
    ),
    Rule(
        "an adjustment of held stock leaves available stock alone",
        given(stock(available=40, held=5)),
        event("stock.adjusted", qty=2, status="held", reason="found"),
        then(stock(held=7)),
    ),
    Rule(
        "an issue leaves available stock and is demand of its local day",
        given(stock(available=40)),
        event("stock.issued", qty=5),
        then(stock(available=35, issue_day=TODAY, issue_qty=5)),
    ),
    Rule(
        "goods that go back to the supplier leave available stock, and are no demand",
        given(stock(available=40, held=5)),
        event("stock.returned_to_supplier", qty=4, reason="faulty"),
        then(stock(available=36, issue_qty=0)),
    ),
    Rule(
        "goods that go back to the supplier leave held stock where they lie there",
        given(stock(available=40, held=5)),
        event("stock.returned_to_supplier", qty=4, status="held"),
        then(stock(held=1)),
    ),
    Rule(
        "what goes back to the supplier stays received on its line, which expects nothing anew",
        given(
            stock(available=40),
            event("order.placed", order="PO", line=1, supplier="ACME", qty=10, due=day(7)),
            event("goods.received", receipt="G", order="PO", line=1, qty=10),
        ),
        event("stock.returned_to_supplier", hours(1), qty=4, order="PO", line=1),
        then(stock(available=46, on_order=0)),
    ),
    Rule(
        "issues of one day are added up",
        given(stock(available=40), event("stock.issued", qty=5)),
        event("stock.issued", hours(1), qty=3),
        then(stock(available=32, issue_day=TODAY, issue_qty=8)),
    ),
    Rule(
        "an issue after midnight at the location belongs to the next local day, though UTC has not got there",
        given(location(zone="Asia/Tokyo"), stock(available=40), event("stock.issued", hours(2.5), qty=5)),
        event("stock.issued", hours(3), qty=3),
        then(stock(available=32, issue_day=TODAY + 1, issue_qty=3)),
    ),
    Rule(
        "a receipt makes good units available, held ones held, and damaged ones nothing but a report",
        given(stock(available=40)),
        event("goods.received", receipt="G", qty=6, held=3, damaged=2),
        then(
            stock(available=46, held=3),
            alert(
                "opened", "damaged_receipt", severity="warning", damaged=2, receipt="G", order=None, events=["test/1"]
            ),
        ),
    ),
    Rule(
        "goods on hold are on hand but not sellable, so they are no part of the position",
        given(stock(available=40, reorder_at=None)),
        event("stock.held", qty=15),
        then(stock(available=25, held=15, position=25, sellable=25)),
    ),
    Rule(
        "released goods are available again",
        given(stock(available=25, held=15)),
        event("stock.released", qty=10),
        then(stock(available=35, held=5)),
    ),
    Rule(
        "a return that can be sold is available",
        given(stock(available=40)),
        event("stock.returned", qty=4, disposition="available"),
        then(stock(available=44, issue_qty=0)),
    ),
    Rule(
        "a return that must be looked at is held, and consumes no forecast",
        given(stock(available=40, held=1)),
        event("stock.returned", qty=4, disposition="held"),
        then(stock(held=5, issue_qty=0)),
    ),
    Rule(
        "a return that is scrap changes no balance",
        given(stock(available=40)),
        event("stock.returned", qty=4, disposition="scrap"),
        then(stock(version=2)),
    ),
    Rule(
        "an event that comes late leaves the row's latest moment where it is",
        given(stock(available=40, latest=AT)),
        adjusted(1, -hours(2)),
        then(stock(available=41, latest=AT, updated=AT - hours(2), moved_at=AT - hours(2))),
    ),
    Rule(
        "the first event of a row makes it, and says that its item is not known",
        (),
        event("stock.counted", qty=7),
        then(
            stock(available=7, version=1), alert("opened", "unknown_item", severity="info", sku="S", events=["test/1"])
        ),
    ),
    Rule(
        "a row whose item stays unknown says so only once",
        (event("stock.counted", qty=7),),
        event("stock.issued", 1, qty=1),
        then(stock(available=6, alerts=1, item_known=False)),
    ),
    Rule(
        "a row finds its item where it was defined first",
        (item(),),
        event("stock.counted", qty=7),
        then(stock(available=7, item_known=True, alerts=0)),
    ),
    Rule(
        "a balance beyond 64 bits is rejected",
        given(stock(available=MAX_BALANCE - 9)),
        event("stock.adjusted", qty=10, reason="found"),
        rejected("quantity_out_of_range"),
    ),
    Rule(
        "a balance of exactly 64 bits is kept",
        given(stock(available=MAX_BALANCE - 10, floor_at=0, moved_at=0)),
        event("stock.adjusted", qty=10, reason="found"),
        then(stock(available=MAX_BALANCE)),
    ),
    *(
        Rule(
            f"a row whose {name} alone reaches the limit takes nothing more",
            given(with_balance(name, MAX_BALANCE)),
            event("stock.adjusted", qty=1, reason="found"),
            rejected("quantity_out_of_range"),
        )
        for name in ("held", "reserved", "on_order", "in_transit")
    ),
    Rule(
        "two balances together may not leave 64 bits either, the negative one by its size",
        given(stock(available=-MAX_BALANCE + 5, held=5)),
        event("stock.adjusted", qty=1, status="held", reason="found"),
        rejected("quantity_out_of_range"),
    ),
    Rule(
        "a balance as of the past leaves room for a difference to a report",
        given(stock(held=MAX_BALANCE - MAX_QUANTITY - 1)),
        event("stock.adjusted", -days(4), qty=2, status="held", reason="found"),
        rejected("quantity_out_of_range"),
    ),
    Rule(
        "a balance as of the past that just leaves this room is kept",
        given(stock(held=MAX_BALANCE - MAX_QUANTITY - 1)),
        event("stock.adjusted", -days(4), qty=1, status="held", reason="found"),
        then(stock(held=MAX_BALANCE - MAX_QUANTITY)),
    ),
]

NEGATIVE = [
    Rule(
        "stock of 0 is not negative",
        given(stock(available=5)),
        ISSUED,
        then(stock(available=0, negative_since=None)),
    ),
    Rule(
        "negative stock keeps its sign and is told",
        given(stock(available=4)),
        ISSUED,
        then(
            stock(available=-1, negative_since=AT, negative_lowest=-1),
            alert(
                "opened",
                "negative_stock",
                severity="critical",
                lowest=-1,
                since="2026-03-10T12:00:00Z",
                events=["test/1"],
            ),
        ),
    ),
    Rule(
        "stock that falls further below 0 is told again, with when it began",
        given(stock(available=4), ISSUED),
        event("stock.issued", hours(1), qty=2),
        then(
            stock(available=-3, negative_since=AT, negative_lowest=-3),
            alert("updated", "negative_stock", lowest=-3, since="2026-03-10T12:00:00Z", revision=2),
        ),
    ),
    Rule(
        "stock that rises and is still below 0 is not told again",
        given(stock(available=4), ISSUED, event("stock.issued", qty=2)),
        adjusted(2),
        then(stock(available=-1, negative_lowest=-3)),
    ),
    Rule(
        "stock of 0 ends the alert of negative stock",
        given(stock(available=4), ISSUED),
        adjusted(1, hours(1)),
        then(
            stock(available=0, negative_since=None),
            alert("resolved", "negative_stock", lowest=-1, updated=moment(hours(1))),
        ),
    ),
    Rule(
        "stock that falls below 0 once more opens another alert with a lowest balance of its own",
        given(stock(available=4), event("stock.issued", qty=9), adjusted(5, hours(1))),
        event("stock.issued", hours(2), qty=1),
        then(
            stock(available=-1, negative_since=AT + hours(2), negative_lowest=-1),
            alert("opened", "negative_stock", lowest=-1, revision=1),
        ),
    ),
]

COUNTS = [
    Rule(
        "a count states the balance",
        given(stock(available=40)),
        event("stock.counted", qty=37),
        then(stock(available=37)),
    ),
    Rule(
        "a count of held stock leaves available stock alone",
        given(stock(available=40, held=9)),
        event("stock.counted", qty=7, status="held"),
        then(stock(held=7)),
    ),
    Rule(
        "movements after a count stay on top of it, though the count arrives later",
        given(stock(available=40), event("stock.issued", -hours(1), qty=4), event("stock.issued", -hours(3), qty=2)),
        event("stock.counted", -hours(2), qty=30),
        then(stock(available=26)),
    ),
    Rule(
        "a count as of the moment of a movement includes it",
        given(stock(available=40), event("stock.issued", -hours(2), qty=4)),
        event("stock.counted", -hours(2), qty=30),
        then(stock(available=30)),
    ),
    Rule(
        "a movement as of the moment of a count is in it",
        given(stock(available=40), event("stock.counted", qty=30)),
        event("stock.issued", 0, qty=4),
        then(stock(available=30)),
    ),
    Rule(
        "a movement from before a count is in it, also where it arrives later",
        given(stock(available=40), event("stock.counted", qty=30)),
        event("stock.issued", -hours(1), qty=4),
        then(stock(available=30)),
    ),
    Rule(
        "a movement from just after a count is not in it",
        given(stock(available=40), event("stock.counted", qty=30)),
        event("stock.issued", 1, qty=4),
        then(stock(available=26)),
    ),
    Rule(
        "a count never overwrites a later one",
        given(stock(available=40), event("stock.counted", qty=30)),
        event("stock.counted", -hours(1), qty=99),
        then(stock(available=30)),
    ),
    Rule(
        "counts of one moment rank by the digest of their event, whichever comes first",
        given(stock(available=40), event("stock.counted", 0, id="a", qty=30)),
        event("stock.counted", 0, id="b", qty=31),
        then(stock(available=30)),
    ),
    Rule(
        "counts of one moment rank by the digest of their event in the other order as well",
        given(stock(available=40), event("stock.counted", 0, id="b", qty=31)),
        event("stock.counted", 0, id="a", qty=30),
        then(stock(available=30)),
    ),
    Rule(
        "a count between two others carries the movements after it, held ones too",
        given(
            stock(available=40, held=9),
            event("stock.counted", -hours(5), qty=8, status="held"),
            event("stock.adjusted", -hours(4), qty=2, status="held", reason="x"),
            event("stock.adjusted", -hours(1), qty=-3, status="held", reason="x"),
        ),
        event("stock.counted", -hours(3), qty=20, status="held"),
        then(stock(held=17)),
    ),
    Rule(
        "a later count needs only what came after it, however much came before",
        given(
            stock(available=40),
            *(event("stock.issued", -hours(9) + step, qty=1) for step in range(9)),
            event("stock.counted", -hours(5), qty=8),
            *(event("stock.issued", -hours(4) + step, qty=1) for step in range(2)),
        ),
        event("stock.counted", -hours(3), qty=20),
        then(stock(available=20)),
    ),
    Rule(
        "a count that is older than what is kept is applied as of the oldest moment kept, and says so",
        given(stock(available=40, latest=AT), event("stock.issued", -hours(47), qty=4)),
        event("stock.counted", -hours(60), qty=30),
        then(
            stock(available=26),
            alert(
                "opened",
                "late_count",
                severity="info",
                counted_at="2026-03-08T00:00:00Z",
                applied_as_of="2026-03-08T12:00:00Z",
                qty=30,
                status="open",
                events=["test/2"],
            ),
        ),
    ),
    Rule(
        "a count from exactly the beginning of the window is not late",
        given(stock(available=40, latest=AT)),
        event("stock.counted", -hours(48), qty=30),
        then(stock(available=30)),
    ),
    Rule(
        "a late count that an earlier one outranks says nothing",
        given(stock(available=40, latest=AT), event("stock.counted", -hours(50), qty=31)),
        event("stock.counted", -hours(60), qty=30),
        then(stock(available=31)),
    ),
    Rule(
        "a movement from before all that is kept is added to what is no longer kept",
        given(stock(available=40)),
        event("stock.issued", -days(4), qty=3),
        then(stock(available=37)),
    ),
    Rule(
        "a movement as old as the newest that is no longer kept is added to that sum",
        given(stock(available=40)),
        event("stock.issued", -days(3), qty=3),
        then(stock(available=37)),
    ),
    Rule(
        "movements leave the window when the row has moved on by the window and a day",
        given(stock(available=40), event("stock.issued", 0, qty=3), event("stock.issued", hours(1), qty=2)),
        event("stock.issued", hours(72), qty=1),
        then(stock(available=34, floor_at=AT + hours(1), fold_at=AT + hours(72 + 72))),
    ),
    Rule(
        "no movement leaves the window before that",
        given(stock(available=40), event("stock.issued", 0, qty=3), event("stock.issued", hours(1), qty=2)),
        event("stock.issued", hours(72) - 1, qty=1),
        then(stock(available=34, floor_at=AT - days(3), fold_at=AT + hours(72))),
    ),
    Rule(
        "a movement from within the window stays where older ones leave it",
        given(stock(available=40), event("stock.issued", 0, qty=3), event("stock.issued", hours(24) + 1, qty=2)),
        event("stock.issued", hours(72), qty=1),
        then(stock(available=34, floor_at=AT, fold_at=AT + hours(24 + 72) + 1)),
    ),
    Rule(
        "a movement from the very beginning of the window leaves it",
        given(stock(available=40), event("stock.issued", 0, qty=3), event("stock.issued", hours(24), qty=2)),
        event("stock.issued", hours(72), qty=1),
        then(stock(available=34, floor_at=AT + hours(24))),
    ),
    Rule(
        "a count leaves the window with the movements, and later movements still stay on top",
        given(stock(available=40), event("stock.counted", 0, qty=30), event("stock.issued", hours(1), qty=2)),
        event("stock.issued", hours(80), qty=1),
        then(stock(available=27, floor_at=AT + hours(1))),
    ),
    Rule(
        "a movement after the window that is older than a count in it is still in that count",
        given(
            stock(available=40, held=5),
            event("stock.counted", 0, qty=30),
            event("stock.counted", 0, qty=7, status="held"),
            event("stock.issued", hours(80), qty=1),
        ),
        event("stock.adjusted", -hours(1), qty=9, status="held", reason="x"),
        then(stock(held=7)),
    ),
    Rule(
        "an old count that outranks none of the two in the window and what has left it changes neither",
        given(stock(available=40), event("stock.counted", 0, qty=30), event("stock.issued", hours(80), qty=1)),
        event("stock.counted", -hours(1), qty=99),
        then(stock(available=29)),
    ),
    Rule(
        "a late count is applied where the newest of what is no longer kept is later still",
        given(stock(available=40), event("stock.issued", 0, qty=2), event("stock.issued", hours(80), qty=1)),
        event("stock.counted", -hours(1), qty=50),
        then(
            stock(available=49),
            alert("opened", "late_count", applied_as_of="2026-03-11T20:00:00Z", counted_at="2026-03-10T11:00:00Z"),
        ),
    ),
    Rule(
        "a count states the stock of a row of which nothing was known",
        given(unknown_stock()),
        event("stock.counted", qty=0),
        then(stock(moved_at=AT)),
    ),
    Rule(
        "at most 64 movements leave the window with one event",
        given(stock(available=200), *(event("stock.issued", step, qty=1) for step in range(66))),
        event("stock.issued", days(9), qty=1),
        then(stock(available=133, floor_at=AT + 63, fold_at=AT + days(9))),
    ),
]

RESERVATIONS = [
    Rule(
        "reserved goods count as available and are not sellable",
        given(stock(available=40)),
        event("stock.reserved", reservation="R", qty=15),
        then(stock(reserved=15, sellable=25, position=25), reservation(qty=15, counted=15, expires=None)),
    ),
    Rule(
        "a reservation that is stated again has the quantity that was stated last",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("stock.reserved", hours(1), reservation="R", qty=4, expires=moment(hours(5))),
        then(stock(reserved=4), reservation(qty=4, counted=4, expires=AT + hours(5), due_at=AT + hours(5))),
    ),
    Rule(
        "an older statement of a reservation changes nothing",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("stock.reserved", -hours(1), reservation="R", qty=4, expires=moment(hours(5))),
        then(stock(), reservation(qty=15, counted=15, expires=None)),
    ),
    Rule(
        "of two statements of one moment the digest of their event decides",
        given(stock(available=40), event("stock.reserved", 0, id="a", reservation="R", qty=15)),
        event("stock.reserved", 0, id="b", reservation="R", qty=4),
        then(stock(), reservation(qty=15)),
    ),
    Rule(
        "a reservation that is released for good gives all of it back",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("reservation.released", reservation="R"),
        then(stock(reserved=0), reservation(over=True, counted=0)),
    ),
    Rule(
        "a part of a reservation is given back",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("reservation.released", reservation="R", qty=4),
        then(stock(reserved=11), reservation(released=4, counted=11)),
    ),
    Rule(
        "a release that comes before its reservation counts against it",
        given(stock(available=40), event("reservation.released", reservation="R", qty=4)),
        event("stock.reserved", reservation="R", qty=15),
        then(stock(reserved=11), reservation(qty=15, released=4)),
    ),
    Rule(
        "two releases of a reservation add up",
        given(
            stock(available=40),
            event("stock.reserved", reservation="R", qty=15),
            event("reservation.released", reservation="R", qty=4),
        ),
        event("reservation.released", reservation="R", qty=5),
        then(stock(reserved=6), reservation(released=9)),
    ),
    Rule(
        "more is never given back than was reserved",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("reservation.released", reservation="R", qty=20),
        then(stock(reserved=0), reservation(counted=0)),
    ),
    Rule(
        "an issue for a reservation uses it up",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15)),
        event("stock.issued", qty=6, reservation="R"),
        then(stock(available=34, reserved=9, issue_qty=6), reservation(issued=6, counted=9)),
    ),
    Rule(
        "two issues for a reservation add up",
        given(
            stock(available=40),
            event("stock.reserved", reservation="R", qty=15),
            event("stock.issued", qty=6, reservation="R"),
        ),
        event("stock.issued", qty=2, reservation="R"),
        then(stock(available=32, reserved=7), reservation(issued=8, counted=7)),
    ),
    Rule(
        "a reservation expires when the clock in the log says so",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15, expires=moment(hours(1)))),
        tick(hours(1)),
        then(stock(reserved=0, wake_at=None), reservation(counted=0, due_at=None)),
    ),
    Rule(
        "a reservation stands until its time is over",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15, expires=moment(hours(1)))),
        tick(hours(1) - 1),
        then(),
    ),
    Rule(
        "a reservation whose time is over already reserves nothing",
        given(stock(available=40)),
        event("stock.reserved", reservation="R", qty=15, expires=moment(0)),
        then(stock(), reservation(counted=0, due_at=None)),
    ),
    Rule(
        "the row is woken for the reservation that expires first",
        given(stock(available=40), event("stock.reserved", reservation="R", qty=15, expires=moment(hours(4)))),
        event("stock.reserved", reservation="Q", qty=1, expires=moment(hours(2))),
        then(stock(reserved=16, wake_at=AT + hours(2)), reservation("Q", qty=1)),
    ),
    Rule(
        "after one reservation has expired the row waits for the next",
        given(
            stock(available=40),
            event("stock.reserved", reservation="R", qty=15, expires=moment(hours(4))),
            event("stock.reserved", reservation="Q", qty=1, expires=moment(hours(2))),
        ),
        tick(hours(3)),
        then(stock(reserved=15, wake_at=AT + hours(4)), reservation("Q", counted=0)),
    ),
]

SHIPPED = event("transfer.shipped", transfer="T", origin="A", to="L", qty=10, eta=day(2))
BOTH = (stock(location="A", available=50), stock())

TRANSFERS = [
    Rule(
        "what a transfer ships leaves its origin and is in transit to its destination",
        BOTH,
        SHIPPED,
        then(
            stock(location="A", available=40),
            stock(in_transit=10),
            transfer(
                origin="A", shipped=10, received=0, eta=TODAY + 2, shipped_at=AT, due_at=AT - hours(12) + days(10)
            ),
        ),
    ),
    Rule(
        "what a transfer brings arrives, the held part on hold",
        (*BOTH, SHIPPED),
        event("transfer.received", transfer="T", to="L", qty=6, held=1),
        then(stock(available=6, held=1, in_transit=3), transfer(received=7)),
    ),
    Rule(
        "a receipt that comes before its transfer counts against it",
        (*BOTH, event("transfer.received", transfer="T", to="L", qty=6)),
        SHIPPED,
        then(stock(location="A", available=40), stock(in_transit=4), transfer(shipped=10, received=6)),
    ),
    Rule(
        "more than was shipped leaves nothing in transit",
        (*BOTH, SHIPPED),
        event("transfer.received", transfer="T", to="L", qty=12),
        then(stock(available=12, in_transit=0, wake_at=AT - hours(12) + days(10)), transfer(received=12, due_at=None)),
    ),
    Rule(
        "two shipments of one transfer add up, and the later one's eta counts",
        (*BOTH, SHIPPED),
        event("transfer.shipped", hours(1), transfer="T", origin="A", to="L", qty=5, eta=day(4)),
        then(
            stock(location="A", available=35),
            stock(in_transit=15),
            transfer(shipped=15, eta=TODAY + 4, shipped_at=AT + hours(1)),
        ),
    ),
    Rule(
        "an earlier shipment of a transfer keeps the later one's eta and moment",
        (*BOTH, SHIPPED),
        event("transfer.shipped", -hours(1), transfer="T", origin="A", to="L", qty=5, eta=day(4)),
        then(stock(location="A", available=35), stock(in_transit=15), transfer(eta=TODAY + 2, shipped_at=AT)),
    ),
    Rule(
        "of two shipments of one moment the digest of their event decides on the eta",
        (*BOTH, event("transfer.shipped", 0, id="a", transfer="T", origin="A", to="L", qty=5, eta=day(2))),
        event("transfer.shipped", 0, id="b", transfer="T", origin="A", to="L", qty=5, eta=day(4)),
        then(stock(location="A", available=40), stock(in_transit=10), transfer(eta=TODAY + 2)),
    ),
    Rule(
        "a shipment without an eta keeps the one that is known",
        (*BOTH, SHIPPED),
        event("transfer.shipped", hours(1), transfer="T", origin="A", to="L", qty=5),
        then(stock(location="A", available=35), stock(in_transit=15), transfer(eta=TODAY + 2)),
    ),
    Rule(
        "a transfer from two origins names the first by name",
        (*BOTH, stock(location="B", available=9), SHIPPED),
        event("transfer.shipped", transfer="T", origin="B", to="L", qty=5),
        then(stock(location="B", available=4), stock(in_transit=15), transfer(origin="A")),
    ),
    Rule(
        "a transfer of which the later shipment has the lower name names that one",
        (*BOTH, stock(location="B", available=9), event("transfer.shipped", transfer="T", origin="B", to="L", qty=5)),
        SHIPPED,
        then(stock(location="A", available=40), stock(in_transit=15), transfer(origin="A")),
    ),
    Rule(
        "a transfer is lost a week after the day of its eta",
        (*BOTH, SHIPPED),
        tick(days(9) + hours(12)),
        then(
            transfer(due_at=None),
            alert(
                "opened",
                "lost_in_transit",
                severity="warning",
                transfer="T",
                shipped=10,
                received=0,
                missing=10,
                shipped_at="2026-03-10T12:00:00Z",
                **{"from": "A"},
            ),
        ),
    ),
    Rule(
        "a transfer is not lost before a week after its eta is over",
        (*BOTH, SHIPPED),
        tick(days(9) + hours(12) - 1),
        then(),
    ),
    Rule(
        "a transfer without an eta is lost a week after it was shipped",
        (*BOTH, event("transfer.shipped", transfer="T", origin="A", to="L", qty=10)),
        tick(days(7)),
        then(transfer(due_at=None), alert("opened", "lost_in_transit", missing=10)),
    ),
    Rule(
        "a lost transfer that arrives in part is still lost",
        (*BOTH, SHIPPED, tick(days(20))),
        event("transfer.received", transfer="T", to="L", qty=4),
        then(stock(available=4, in_transit=6), transfer(received=4)),
    ),
    Rule(
        "a lost transfer that arrives is lost no longer",
        (*BOTH, SHIPPED, tick(days(20))),
        event("transfer.received", transfer="T", to="L", qty=10),
        then(
            stock(available=10, in_transit=0), transfer(received=10), alert("resolved", "lost_in_transit", missing=10)
        ),
    ),
    Rule(
        "the week of a transfer ends with the local day of its destination",
        (*BOTH, location(zone="America/New_York"), SHIPPED),
        tick(days(9) + hours(12)),
        then(),
    ),
]

TABLE = [*MOVEMENTS, *NEGATIVE, *COUNTS, *RESERVATIONS, *TRANSFERS]
