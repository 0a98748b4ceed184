"""Suppliers that say nothing: lines that nobody acknowledges or announces in time."""

from __future__ import annotations

from typing import Any

from agents.purchasing import LINES_PER_LOOK
from engine.core.values import iso
from tests.unit.rules.given import line, piece, plan, stock
from tests.unit.rules.orders import acknowledged, notified, placed, received
from tests.unit.rules.rule import Rule, alert, given, then
from tests.unit.rules.world import AT, Happening, day, days, event, hours, tick


def policy(at: int | None = None, **data: Any) -> Happening:
    return event("policy.set", at, policy={"kind": "none"}, supplier="ACME", **data)


ACK = given(policy(ack_days=2), placed(100))
ASN = given(policy(asn_days=3), placed(100))
ACK_LATE = given(*ACK, tick(days(3)))
ASN_LATE = given(*ASN, tick(days(5)))

ACKNOWLEDGEMENTS = [
    Rule(
        "a line that is not acknowledged is looked at when the last day for it is over",
        given(policy(ack_days=2)),
        placed(100),
        then(stock(on_order=100, wake_at=AT - hours(12) + days(3)), line(look_at=AT - hours(12) + days(3))),
    ),
    Rule(
        "on that day there is still time",
        ACK,
        tick(days(2)),
        then(),
    ),
    Rule(
        "after it the supplier is late",
        ACK,
        tick(days(3)),
        then(
            stock(),
            line(look_at=AT - hours(12) + days(8)),
            alert(
                "opened",
                "ack_overdue",
                severity="warning",
                line="PO/1",
                ordered=100,
                placed=iso(AT),
                expected=day(2).isoformat(),
                supplier="ACME",
            ),
        ),
    ),
    Rule(
        "with no days at all it is late when the day of the order is over",
        given(policy(ack_days=0), placed(100)),
        tick(days(1)),
        then(stock(), line(), alert("opened", "ack_overdue", expected=day(0).isoformat())),
    ),
    Rule(
        "without days nothing is late",
        given(policy(), placed(100)),
        tick(days(6)),
        then(),
    ),
    Rule(
        "it is over when the supplier acknowledges the line",
        ACK_LATE,
        acknowledged(("accepted", 100, day(7))),
        then(stock(), line(), alert("resolved", "ack_overdue")),
    ),
    Rule(
        "it is over when goods have come",
        ACK_LATE,
        received(10),
        then(stock(available=10, on_order=90), line(), alert("resolved", "ack_overdue")),
    ),
    Rule(
        "it is over when the line is cancelled",
        ACK_LATE,
        event("order.cancelled", order="PO", line=1),
        then(stock(on_order=0), line(), alert("resolved", "ack_overdue")),
    ),
    Rule(
        "what is pending is an answer too, and opens no alert later",
        given(*ACK, acknowledged(("pending", 100, None))),
        tick(days(3)),
        then(),
    ),
    Rule(
        "an earlier event of the same order lets the days run from there",
        given(policy(ack_days=2), placed(100)),
        placed(100, at=-days(4)),
        then(stock(), line(placed_at=AT - days(4)), alert("opened", "ack_overdue", placed=iso(AT - days(4)))),
    ),
]

NOTICES = [
    Rule(
        "a line of which nothing is announced is looked at when the last day for it is over",
        given(policy(asn_days=3)),
        placed(100),
        then(stock(on_order=100), line(look_at=AT - hours(12) + days(5))),
    ),
    Rule(
        "after it the notice is late",
        ASN,
        tick(days(5)),
        then(
            stock(),
            line(look_at=AT - hours(12) + days(8)),
            alert(
                "opened",
                "asn_overdue",
                severity="warning",
                line="PO/1",
                open=100,
                promised=day(7).isoformat(),
                expected=day(4).isoformat(),
                supplier="ACME",
            ),
        ),
    ),
    Rule(
        "a promise of a later day gives more time",
        given(*ASN, acknowledged(("accepted", 100, day(9)))),
        tick(days(5)),
        then(),
    ),
    Rule(
        "a later promise ends the alert",
        ASN_LATE,
        acknowledged(("accepted", 100, day(12))),
        then(stock(), line(), alert("opened", "late_supply"), alert("resolved", "asn_overdue")),
    ),
    Rule(
        "a notice ends the alert",
        ASN_LATE,
        event("shipment.changed", order="PO", line=1, shipment="A", qty=5, eta=day(7)),
        then(stock(on_order=95, in_transit=5), line(), piece("A", qty=5), alert("resolved", "asn_overdue")),
    ),
    Rule(
        "when the shipment is cancelled nothing is announced again",
        given(*ASN, notified("A", 60, day(7)), tick(days(5))),
        event("shipment.cancelled", order="PO", line=1, shipment="A", revision=1),
        then(stock(on_order=100, in_transit=0), line(), piece("A", qty=0), alert("opened", "asn_overdue")),
    ),
    Rule(
        "when a receipt is taken back nothing has come again",
        given(*ASN, received(60), tick(days(5))),
        event("receipt.reversed", receipt="G"),
        then(stock(available=0, on_order=100), line(), alert("opened", "asn_overdue")),
    ),
]

POLICIES = [
    Rule(
        "a policy that gives days lets the clock look at the open lines",
        given(placed(100)),
        policy(hours(1), ack_days=2),
        then(stock(wake_at=AT + hours(1)), plan()),
    ),
    Rule(
        "it looks at the next full hour",
        given(placed(100)),
        policy(hours(1.5), ack_days=2),
        then(stock(wake_at=AT + hours(2)), plan()),
    ),
    Rule(
        "the clock then looks at them",
        given(placed(100), policy(days(4), ack_days=2)),
        tick(days(4)),
        then(stock(), line(look_at=AT - hours(12) + days(8)), alert("opened", "ack_overdue")),
    ),
    Rule(
        "one that gives more days ends what is overdue",
        given(*ACK_LATE, policy(days(3), ack_days=5)),
        tick(days(3)),
        then(stock(), line(look_at=AT - hours(12) + days(6)), alert("resolved", "ack_overdue")),
    ),
    Rule(
        "one that gives none too",
        given(*ACK_LATE, policy(days(3))),
        tick(days(3)),
        then(stock(), line(), alert("resolved", "ack_overdue")),
    ),
    Rule(
        "one that says the same of the days asks for no look",
        given(*ACK),
        policy(hours(1), ack_days=2, moq=5),
        then(stock(wake_at=AT - hours(12) + days(3)), plan()),
    ),
    Rule(
        "of very many lines the clock looks at a portion",
        given(*(placed(1, number) for number in range(LINES_PER_LOOK + 1)), policy(days(4), ack_days=2)),
        tick(days(4)),
        then(
            stock(wake_at=AT + days(4)),
            *(line(number=str(number)) for number in range(LINES_PER_LOOK)),
            *[alert("opened", "ack_overdue")] * LINES_PER_LOOK,
        ),
    ),
    Rule(
        "the next look goes on with the others",
        given(*(placed(1, number) for number in range(LINES_PER_LOOK + 1)), policy(days(4), ack_days=2), tick(days(4))),
        tick(days(4)),
        then(stock(), line(number=str(LINES_PER_LOOK)), alert("opened", "ack_overdue")),
    ),
]

TABLE = [*ACKNOWLEDGEMENTS, *NOTICES, *POLICIES]
