"""What is declared beside stock: items with their units, locations, suppliers, feeds, and the engine's clock."""

from __future__ import annotations

from decimal import Decimal

from engine.core.values import MAX_QUANTITY
from tests.unit.rules.given import (
    feed,
    item,
    line,
    location,
    plan,
    pulse,
    report,
    reservation,
    stock,
    supplier,
    transfer,
)
from tests.unit.rules.rule import AnyRule, Rule, alert, given, rejected, then
from tests.unit.rules.world import AT, Happening, day, days, event, hours, moment, tick

CASES = item(units={"case": 12})


def defined(at: int | None = None, id: str | None = None, **units: int) -> Happening:
    return event("item.defined", at, id, base_unit="each", units=units)


ITEMS = [
    Rule(
        "the latest definition of an item wins",
        given(defined(0, case=12)),
        event("item.defined", 1, base_unit="piece", units={"box": 6}, description="d", abc="A", substitutes=["T"]),
        then(item(base_unit="piece", units={"box": 6}, description="d", abc="A", substitutes=["T"])),
    ),
    Rule(
        "an older definition of an item changes nothing but the past",
        given(defined(0, case=12)),
        defined(-1, case=6),
        then(),
    ),
    Rule(
        "of two definitions of one moment the digest of their event decides",
        given(defined(0, "a", case=12)),
        defined(0, "b", case=6),
        then(),
    ),
    Rule(
        "a quantity in another unit is converted exactly",
        given(CASES),
        event("stock.issued", qty=2, uom="case"),
        then(stock(available=-24), alert("opened", "negative_stock", lowest=-24)),
    ),
    Rule(
        "the base unit is a unit of its own",
        given(CASES),
        event("stock.counted", qty=2, uom="each"),
        then(stock(available=2)),
    ),
    Rule(
        "a unit that the item does not declare is rejected",
        given(CASES),
        event("stock.issued", qty=2, uom="pallet"),
        rejected("unknown_unit"),
    ),
    Rule(
        "a unit of an item that is not defined is rejected",
        given(),
        event("stock.issued", qty=2, uom="each"),
        rejected("unknown_unit"),
    ),
    Rule(
        "a quantity that becomes too large in base units is rejected",
        given(CASES),
        event("stock.adjusted", qty=-(MAX_QUANTITY // 12) - 1, uom="case", reason="x"),
        rejected("quantity_out_of_range"),
    ),
    Rule(
        "a quantity that is just not too large is taken",
        given(item(units={"k": 1000})),
        event("stock.counted", qty=MAX_QUANTITY // 1000, uom="k"),
        then(stock(available=MAX_QUANTITY)),
    ),
    Rule(
        "a part of a schedule that becomes too large is rejected",
        given(CASES),
        event(
            "order.acknowledged",
            order="PO",
            line=1,
            uom="case",
            schedule=[{"status": "accepted", "qty": 1}, {"status": "accepted", "qty": MAX_QUANTITY}],
        ),
        rejected("quantity_out_of_range"),
    ),
    Rule(
        "a schedule is converted part by part",
        given(CASES),
        event(
            "order.acknowledged",
            order="PO",
            line=1,
            uom="case",
            schedule=[{"status": "accepted", "qty": 1}, {"status": "pending", "qty": 2}],
        ),
        then(stock(), line(promises=[("accepted", 12, None), ("pending", 24, None)])),
    ),
    Rule(
        "a forecast is converted bucket by bucket",
        given(CASES),
        event(
            "forecast.revised",
            version="v",
            mode="replace",
            uom="case",
            buckets=[{"start": day(5), "days": 2, "qty": 3}],
        ),
        then(plan(buckets=1), stock(), alert("opened", "projected_stockout", projected=-18, lowest=-36)),
    ),
    Rule(
        "a receipt's held and damaged parts are converted too",
        given(CASES),
        event("goods.received", receipt="G", qty=1, held=2, damaged=3, uom="case"),
        then(stock(available=12, held=24), alert("opened", "damaged_receipt", damaged=36)),
    ),
    Rule(
        "a report in another unit is compared in base units, with what it says of held stock and orders",
        given(CASES, stock(available=24, on_order=12)),
        event("balance.reported", on_hand=3, held=1, on_order=1, uom="case"),
        then(report(on_hand=36, on_hold=12, on_order=12), alert("opened", "balance_drift", difference=12)),
    ),
    Rule(
        "a release without a quantity has none to convert",
        given(CASES, event("stock.reserved", reservation="R", qty=15)),
        event("reservation.released", reservation="R", uom="case"),
        then(stock(reserved=0), reservation(over=True)),
    ),
    Rule(
        "a transfer is converted by its item",
        (CASES, stock(location="A", available=50), stock()),
        event("transfer.shipped", transfer="T", origin="A", to="L", qty=2, uom="case"),
        then(stock(location="A", available=26), stock(in_transit=24), transfer(shipped=24)),
    ),
    *(
        Rule(
            f"{said} by the factor that was in force then",
            (
                stock(available=1000),
                defined(-hours(9), None, case=10),
                defined(-hours(5), None, case=12),
                defined(0, None, case=24),
            ),
            event("stock.issued", at, qty=1, uom="case"),
            then(stock(available=1000 - factor)),
        )
        for said, at, factor in (
            ("what happens now is converted", 0, 24),
            ("what happened just before is converted", -1, 12),
            ("what happened at a definition is converted", -hours(5), 12),
            ("what happened just before that is converted", -hours(5) - 1, 10),
            ("what happened before the first definition is converted, where there is none,", -hours(10), 10),
        )
    ),
    Rule(
        "a unit that a later definition has dropped still counts for what happened before",
        (stock(available=1000), defined(-hours(9), None, case=10), defined(0)),
        event("stock.issued", 0, qty=1, uom="case"),
        rejected("unknown_unit"),
    ),
    Rule(
        "an item that is defined after its rows were seen is known to each of them",
        given(stock(item_known=False), defined()),
        event("stock.counted", qty=1),
        then(stock(available=1, item_known=True)),
    ),
]

LOCATIONS = [
    Rule(
        "a location is declared with its time zone",
        (),
        event("location.defined", location="L", time_zone="Asia/Tokyo", name="n", working_days=[1, 2]),
        then(location(zone="Asia/Tokyo", name="n", working_days=[1, 2])),
    ),
    Rule(
        "the latest declaration of a location wins",
        (event("location.defined", 0, location="L", time_zone="Asia/Tokyo"),),
        event("location.defined", 1, location="L", time_zone="Europe/Paris"),
        then(location(zone="Europe/Paris")),
    ),
    Rule(
        "an older declaration of a location changes nothing",
        (event("location.defined", 0, location="L", time_zone="Asia/Tokyo"),),
        event("location.defined", -1, location="L", time_zone="Europe/Paris"),
        then(),
    ),
    Rule(
        "of two declarations of one moment the digest of their event decides",
        (event("location.defined", 0, "a", location="L", time_zone="Asia/Tokyo"),),
        event("location.defined", 0, "b", location="L", time_zone="Europe/Paris"),
        then(),
    ),
]

SUPPLIERS = [
    Rule(
        "a supplier says what an order must come to and what its truck holds",
        (),
        event("supplier.defined", supplier="S", minimum_value="2500.00", currency="GBP", truck_units=33, truck_uom="p"),
        then(supplier(minimum_value=Decimal("2500.00"), currency="GBP", truck_units=33, truck_uom="p")),
    ),
    Rule(
        "the latest definition of a supplier wins as a whole",
        (supplier(minimum_value=Decimal(5), currency="GBP"),),
        event("supplier.defined", 1, supplier="S", truck_units=33, truck_uom="p"),
        then(supplier(minimum_value=None, currency=None, truck_units=33, truck_uom="p")),
    ),
    Rule(
        "an older definition of a supplier changes nothing",
        (supplier(minimum_value=Decimal(5)),),
        event("supplier.defined", -days(31), supplier="S", minimum_value=6),
        then(),
    ),
    Rule(
        "of two definitions of a supplier at one moment the digest of their event decides",
        (event("supplier.defined", 0, "a", supplier="S", minimum_value=5),),
        event("supplier.defined", 0, "b", supplier="S", minimum_value=6),
        then(),
    ),
    Rule(
        "of these two it decides so in the other order too",
        (event("supplier.defined", 0, "b", supplier="S", minimum_value=6),),
        event("supplier.defined", 0, "a", supplier="S", minimum_value=5),
        then(supplier(minimum_value=Decimal(5))),
    ),
    Rule(
        "a definition of one supplier says nothing of another",
        (event("supplier.defined", 1, supplier="S", minimum_value=5),),
        event("supplier.defined", 0, supplier="T", minimum_value=6),
        then(supplier("T", minimum_value=Decimal(6))),
    ),
]

SILENT = feed("wms", 3600, ["L"], -hours(1))
STALE = feed("wms", 3600, ["L"], -hours(2), True)

FEEDS = [
    Rule(
        "a feed that is declared has its interval from now on",
        (),
        event("feed.declared", feed="wms", interval_seconds=60, locations=["L"]),
        then(feed("wms", 60, ["L"]), pulse(last=AT, stale=False)),
    ),
    Rule(
        "a feed that is silent for its interval is not stale yet",
        (SILENT,),
        tick(0),
        then(),
    ),
    Rule(
        "a feed that is silent for longer is stale",
        (SILENT,),
        tick(1),
        then(
            pulse(stale=True, last=AT - hours(1)),
            alert(
                "opened",
                "stale_feed",
                severity="critical",
                sku="wms",
                location="*",
                feed="wms",
                interval_seconds=3600,
                last_arrival="2026-03-10T11:00:00Z",
                locations=["L"],
            ),
        ),
    ),
    Rule(
        "a feed of which a tick has heard elsewhere is fresh",
        (SILENT,),
        tick(hours(1), wms=moment(hours(0.5))),
        then(pulse(last=AT + hours(0.5), stale=False)),
    ),
    Rule(
        "a tick that tells of an older arrival changes nothing",
        (SILENT,),
        tick(0, wms=moment(-hours(2))),
        then(pulse(last=AT - hours(1))),
    ),
    Rule(
        "a tick that tells of a feed that is not declared changes nothing",
        (SILENT,),
        tick(0, erp=moment(0)),
        then(),
    ),
    Rule(
        "a stale feed that is heard is stale no longer",
        (SILENT, tick(1)),
        tick(hours(2), wms=moment(hours(1))),
        then(pulse(stale=False, last=AT + hours(1)), alert("resolved", "stale_feed", sku="wms")),
    ),
    Rule(
        "a stale feed of which old news comes is told again",
        (SILENT, tick(1)),
        tick(hours(2), wms=moment(hours(0.5))),
        then(pulse(stale=True), alert("updated", "stale_feed", last_arrival="2026-03-10T12:30:00Z")),
    ),
    Rule(
        "a longer interval makes a stale feed fresh, counted from its last arrival",
        (SILENT, tick(1)),
        event("feed.declared", 2, feed="wms", interval_seconds=4000),
        then(feed("wms", 4000), pulse(stale=False, last=AT - hours(1)), alert("resolved", "stale_feed")),
    ),
    Rule(
        "an older declaration of a feed changes nothing",
        (event("feed.declared", 0, feed="wms", interval_seconds=60),),
        event("feed.declared", -1, feed="wms", interval_seconds=70),
        then(),
    ),
    Rule(
        "of two declarations of a feed of one moment the digest of their event decides",
        (event("feed.declared", 0, "a", feed="wms", interval_seconds=60),),
        event("feed.declared", 0, "b", feed="wms", interval_seconds=70),
        then(),
    ),
    Rule(
        "a person answers the alert of a feed",
        (SILENT, tick(1)),
        event("alert.acknowledged", sku="wms", location="*", alert="alert-x", by="ann"),
        rejected("unknown_alert"),
    ),
]

JUMPED = Happening("clock.accepted", None, {"at": moment(0), "jumped_seconds": 99, "by": "ann"}, None, "test")

CLOCK = [
    Rule(
        "a clock that has jumped ahead and was taken for right is told",
        (),
        JUMPED,
        then(
            alert(
                "opened",
                "clock_jump",
                severity="critical",
                sku="clock",
                location="*",
                jumped_seconds=99,
                by=None,
                at="2026-03-10T12:00:00+00:00",
                events=["test/1"],
            )
        ),
    ),
    Rule("and ages out after a week", (JUMPED,), tick(days(7)), then(alert("resolved", "clock_jump"))),
    Rule("and not before", (JUMPED,), tick(days(7) - 1), then()),
    Rule(
        "a second jump is told anew, and gives the alert another week",
        (JUMPED, JUMPED._replace(at=days(1))),
        tick(days(7)),
        then(),
    ),
    Rule(
        "after which it ages out",
        (JUMPED, JUMPED._replace(at=days(1)), tick(days(7))),
        tick(days(8)),
        then(alert("resolved", "clock_jump")),
    ),
    Rule(
        "a tick looks at no more rows than it may, and leaves the others for the next",
        tuple(stock(location=f"L{number}", wake_at=AT + number) for number in range(252)),
        tick(300),
        then(
            *(stock(location=f"L{number}", wake_at=None) for number in range(250)),
            stock(location="L250", wake_at=AT + 250),
        ),
    ),
    Rule(
        "each document that a tick looks at counts as a row",
        (
            *(
                event("stock.reserved", location=place, reservation=str(number), qty=1, expires=moment(hours(1)))
                for number in range(249)
                for place in ("L",)
            ),
            stock(location="M", wake_at=AT + hours(2)),
        ),
        tick(hours(3)),
        then(
            stock(reserved=0, alerts=1),
            stock(location="M", wake_at=AT + hours(2)),
            *(reservation(str(number), counted=0) for number in range(249)),
        ),
    ),
    Rule(
        "the documents of a row that a tick has no more room for wait for the next",
        given(
            *(
                event("stock.reserved", reservation=f"{number:03}", qty=1, expires=moment(hours(1)))
                for number in range(251)
            ),
        ),
        tick(hours(3)),
        then(
            stock(reserved=1, wake_at=AT + hours(1)),
            *(reservation(f"{number:03}", counted=0) for number in range(250)),
        ),
    ),
]

TABLE: list[AnyRule] = [*ITEMS, *LOCATIONS, *SUPPLIERS, *FEEDS, *CLOCK]
