"""What people decide on signals and alerts beside their life: reopened, snoozed, owned."""

from __future__ import annotations

from typing import Any, get_args

from engine.core.outputs import SignalStatus
from engine.core.values import stable_id
from tables import keys
from tables.alerts import CARE, Care
from tables.signals import FOLLOW_UP, FollowUp
from tests.unit.rules.given import Row, alert_row, feed, min_max, signal_row, stock
from tests.unit.rules.rule import AnyRule, Rule, alert, given, rejected, signal, then
from tests.unit.rules.signals import NEXT
from tests.unit.rules.world import AT, days, event, hours, moment, tick

NEEDS = (stock(available=50, reorder_at=50, signal_open=True), min_max(50, 120))
"""A row that needs 70, and whose signal stands."""
SAID = {"terms": [{"term": "quantity", "value": 70}], "notes": ["50 is no multiple of 24"]}
REOPENED = event("signal.reopened", signal="sig-1", by="bob", reason="a mistake")


def reopening(status: SignalStatus) -> Rule:
    """A signal that an answer has changed to 50 is reopened, or stays as it is."""
    facts = given(*NEEDS, signal_row(status, qty=50, explanation=SAID, by="ann", order="PO", until=AT + days(1)))
    if (status, "signal.reopened") not in NEXT:
        return Rule(f"a signal that is {status} cannot be reopened", facts, REOPENED, rejected("signal_closed"))
    said = signal(
        "opened" if status == "rejected" else "amended",
        status="open", revision=2, qty=70, by="bob", note="a mistake", order=None,
        explanation={"terms": [{"term": "quantity", "value": 70}]},
    )  # fmt: skip
    after = then(stock(signal_open=True), signal_row("open", until=None, line=None), said)
    return Rule(f"a signal that is {status} is open again and proposes what it proposed", facts, REOPENED, after)


REOPENING = [
    *map(reopening, get_args(SignalStatus)),
    Rule(
        "a signal that is reopened follows its row at once",
        given(stock(available=20, reorder_at=50), min_max(50, 120), signal_row("rejected", qty=70, until=AT + days(1))),
        REOPENED,
        then(stock(), signal("opened", qty=70), signal("amended", qty=100)),
    ),
    Rule(
        "a signal that is reopened when its cause is gone is withdrawn",
        given(stock(available=51), min_max(50, 120), signal_row("rejected", qty=70, until=AT + days(1))),
        REOPENED,
        then(stock(signal_open=False), signal("opened"), signal("withdrawn")),
    ),
    Rule(
        "a signal that is not the row's cannot be reopened",
        given(*NEEDS),
        REOPENED,
        rejected("unknown_signal"),
    ),
]


def snoozed(until: int = AT + hours(8), qty: int = 70) -> Row:
    named = {"signal": "sig-1", "snoozed_until": until, "snoozed_by": "ann", "snoozed_qty": qty}
    return Row(FOLLOW_UP + keys.row("S", "L"), FollowUp, named, {})


def snooze(until: int = hours(8), **data: Any) -> Any:
    return event("signal.snoozed", signal="sig-1", until=moment(until), by="ann", **data)


def give(to: str = "bob", **data: Any) -> Any:
    return event("signal.assigned", signal="sig-1", to=to, by="ann", **data)


def owned() -> Row:
    return Row(FOLLOW_UP + keys.row("S", "L"), FollowUp, {"signal": "sig-1", "owner": "bob"}, {})


OWNERS = [
    *(
        Rule(
            f"a signal that is {status} has an owner",
            given(*NEEDS, signal_row(status, qty=70, until=AT + days(9), by="eve")),
            give(note="yours"),
            then(
                stock(),
                owned(),
                signal("amended", status=status, qty=70, owner="bob", by="eve", note="yours", snoozed_until=None),
            ),
        )
        for status in ("open", "accepted")
    ),
    *(
        Rule(
            f"a signal that is {status} is given to nobody",
            given(*NEEDS, signal_row(status, qty=70, until=AT + days(9))),
            give(),
            rejected("signal_closed"),
        )
        for status in ("rejected", "ordered", "withdrawn", "expired")
    ),
    Rule("a signal that is not the row's is given to nobody", given(*NEEDS), give(), rejected("unknown_signal")),
    Rule(
        "the last to be named owns a signal",
        given(*NEEDS, signal_row(qty=70), give("eve")),
        give(),
        then(stock(), owned(), signal("amended", owner="bob")),
    ),
    Rule(
        "a signal that is given to somebody stays snoozed",
        given(*NEEDS, signal_row(qty=70), snooze()),
        give(),
        then(stock(), signal("amended", owner="bob", snoozed_until=moment(hours(8)))),
    ),
    Rule(
        "a signal that is rejected and open again has its owner still",
        given(*NEEDS, signal_row(qty=70), give(), event("signal.rejected", signal="sig-1", by="bob")),
        event("signal.reopened", signal="sig-1", by="bob"),
        then(stock(), signal("opened", owner="bob")),
    ),
    Rule(
        "the next signal of a row has no owner",
        given(*NEEDS, signal_row(qty=70), give(), event("stock.adjusted", qty=1, reason="found")),
        event("stock.issued", qty=1),
        then(stock(available=50), signal("opened", owner=None)),
    ),
]  # fmt: skip

SIGNALS = [
    *(
        Rule(
            f"a signal that is {status} is snoozed",
            given(*NEEDS, signal_row(status, qty=70, until=AT + days(9), by="eve")),
            snooze(note="tomorrow"),
            then(
                stock(wake_at=AT + hours(8)),
                snoozed(),
                signal(
                    "amended", status=status, snoozed_until=moment(hours(8)), snoozed_by="ann", by="eve",
                    note="tomorrow",
                ),
            ),
        )
        for status in ("open", "accepted")
    ),
    *(
        Rule(
            f"a signal that is {status} cannot be snoozed",
            given(*NEEDS, signal_row(status, qty=70, until=AT + days(9))),
            snooze(),
            rejected("signal_closed"),
        )
        for status in ("rejected", "ordered", "withdrawn", "expired")
    ),
    Rule("a signal that is not the row's cannot be snoozed", given(*NEEDS), snooze(), rejected("unknown_signal")),
    Rule(
        "a moment that is past ends a snooze",
        given(*NEEDS, signal_row(qty=70), snooze()),
        snooze(0),
        then(stock(), signal("amended", snoozed_until=None, snoozed_by=None)),
    ),
    Rule(
        "a snooze ends when its time is over",
        given(*NEEDS, signal_row(qty=70), snooze()),
        tick(hours(8)),
        then(stock(), signal("amended", status="open", qty=70, snoozed_until=None)),
    ),
    Rule(
        "a snooze does not end before its time",
        given(*NEEDS, signal_row(qty=70), snooze()),
        tick(hours(8) - 1),
        then(stock(wake_at=AT + hours(8))),
    ),
    Rule(
        "a snooze that was made longer ends at its new time",
        given(*NEEDS, signal_row(qty=70), snooze(), snooze(hours(9))),
        tick(hours(8)),
        then(stock()),
    ),
    Rule(
        "a signal that asks for more is shown again",
        given(*NEEDS, signal_row(qty=70), snooze()),
        event("stock.issued", qty=8),
        then(stock(available=42), signal("amended", qty=78, snoozed_until=None)),
    ),
    Rule(
        "one that asks for less stays snoozed",
        given(
            stock(available=30, reorder_at=50, signal_open=True), min_max(50, 120), signal_row(qty=90), snooze()
        ),
        event("stock.adjusted", qty=19, reason="found"),
        then(stock(available=49), signal("amended", qty=71, snoozed_until=moment(hours(8)))),
    ),
    Rule(
        "a signal that is over is snoozed no more",
        given(*NEEDS, signal_row(qty=70), snooze()),
        event("signal.rejected", signal="sig-1", by="ann"),
        then(stock(), signal("closed", snoozed_until=None)),
    ),
    Rule(
        "the time of a snooze of a former signal changes nothing",
        given(*NEEDS, signal_row(qty=70), snooze(), event("stock.adjusted", qty=1, reason="found"),
              event("stock.issued", qty=1)),
        tick(hours(8)),
        then(stock()),
    ),
]  # fmt: skip

NEGATIVE = (stock(available=-50, negative_since=AT, negative_lowest=-50, alerts=1),)
ALERT = alert_row("negative_stock", evidence={"lowest": -50, "since": "x", "events": []})


def care(**named: Any) -> Row:
    key = keys.part(CARE, keys.row("S", "L"), "negative_stock", "")
    return Row(key, Care, {"alert": "alert-1", **named}, {})


def rest(until: int = hours(8), **data: Any) -> Any:
    return event("alert.snoozed", alert="alert-1", until=moment(until), by="ann", **data)


def assign(**data: Any) -> Any:
    return event("alert.assigned", alert="alert-1", to="bob", by="ann", **data)


ALERTS = [
    Rule(
        "an alert is snoozed",
        given(*NEGATIVE, ALERT),
        rest(note="wait"),
        then(
            stock(wake_at=AT + hours(8)),
            care(snoozed_until=AT + hours(8), figure="-50"),
            alert(
                "updated", "negative_stock", status="open", snoozed_until=moment(hours(8)), snoozed_by="ann",
                note="wait", by=None, owner=None, revision=2,
            ),
        ),
    ),
    Rule(
        "a snooze of an alert ends when its time is over",
        given(*NEGATIVE, ALERT, rest()),
        tick(hours(8)),
        then(stock(), alert("updated", "negative_stock", status="open", snoozed_until=None)),
    ),
    Rule(
        "a snooze of an alert ends at a moment that is past",
        given(*NEGATIVE, ALERT, rest()),
        rest(0),
        then(stock(), alert("updated", "negative_stock", snoozed_until=None)),
    ),
    Rule(
        "an alert that gets worse by a tenth stays snoozed",
        given(*NEGATIVE, ALERT, rest()),
        event("stock.issued", qty=5),
        then(stock(available=-55), alert("updated", "negative_stock", lowest=-55, snoozed_until=moment(hours(8)))),
    ),
    Rule(
        "one that gets worse by more is shown again",
        given(*NEGATIVE, ALERT, rest()),
        event("stock.issued", qty=6),
        then(stock(available=-56), alert("updated", "negative_stock", lowest=-56, snoozed_until=None)),
    ),
    Rule(
        "an alert that is resolved is snoozed no more, and its time changes nothing",
        given(*NEGATIVE, ALERT, rest(), event("stock.adjusted", qty=50, reason="found")),
        tick(hours(8)),
        then(stock()),
    ),
    Rule(
        "an alert has an owner",
        given(*NEGATIVE, ALERT),
        assign(note="yours"),
        then(stock(), care(owner="bob"), alert("updated", "negative_stock", owner="bob", note="yours", revision=2)),
    ),
    Rule(
        "the owner stays while an alert lasts, and is told of one that is resolved",
        given(*NEGATIVE, ALERT, assign(), rest()),
        event("alert.resolved", alert="alert-1", by="bob"),
        then(stock(alerts=0), alert("resolved", "negative_stock", owner="bob", by="bob", snoozed_until=None)),
    ),
    Rule(
        "the last to be named is the owner",
        given(*NEGATIVE, ALERT, event("alert.assigned", alert="alert-1", to="eve", by="ann")),
        assign(),
        then(stock(), alert("updated", "negative_stock", owner="bob")),
    ),
    Rule(
        "an alert whose acknowledgement is taken back keeps its owner and its snooze",
        given(*NEGATIVE, ALERT, assign(), rest(), event("alert.acknowledged", alert="alert-1", by="bob")),
        event("alert.reopened", alert="alert-1", by="bob"),
        then(
            stock(alerts=1),
            alert("updated", "negative_stock", status="open", owner="bob", snoozed_until=moment(hours(8)), revision=5),
        ),
    ),
    Rule(
        "an alert that opens anew has no owner and is not snoozed",
        given(*NEGATIVE, ALERT, assign(), rest(), event("stock.adjusted", qty=50, reason="found")),
        event("stock.issued", qty=1),
        then(stock(available=-1), alert("opened", "negative_stock", owner=None, snoozed_until=None)),
    ),
    *(
        Rule(f"an alert that is not there cannot be {what}", given(stock()), happening, rejected("unknown_alert"))
        for what, happening in (("snoozed", rest()), ("assigned", assign()))
    ),
    *(
        Rule(
            f"an alert that is resolved cannot be {what}",
            given(stock(), alert_row("negative_stock", "resolved")),
            happening,
            rejected("alert_closed"),
        )
        for what, happening in (("snoozed", rest()), ("assigned", assign()))
    ),
]  # fmt: skip

STALE = (feed("wms", last=-hours(2)), tick(0))
"""A feed that has become stale, and what it is called."""
OF_FEED = stable_id("alert", "wms", "*", "stale_feed", "", "test/1")
SILENT: dict[str, Any] = {"sku": "wms", "location": "*", "alert": OF_FEED}
FEEDS = [
    Rule(
        "the alert of a feed is snoozed",
        STALE,
        event("alert.snoozed", **SILENT, until=moment(hours(8)), by="ann"),
        then(alert("updated", "stale_feed", snoozed_until=moment(hours(8)), sku="wms")),
    ),
    Rule(
        "the snooze of the alert of a feed ends when its time is over",
        (*STALE, event("alert.snoozed", **SILENT, until=moment(hours(8)), by="ann")),
        tick(hours(8)),
        then(alert("updated", "stale_feed", snoozed_until=None)),
    ),
    Rule(
        "and the time of one that is resolved changes nothing",
        (
            *STALE,
            event("alert.snoozed", **SILENT, until=moment(hours(8)), by="ann"),
            event("alert.resolved", **SILENT, by="ann"),
        ),
        tick(hours(8)),
        then(),
    ),
    Rule(
        "the acknowledgement of the alert of a feed is taken back",
        (*STALE, event("alert.acknowledged", **SILENT, by="ann")),
        event("alert.reopened", **SILENT, by="ann", note="it is silent still"),
        then(alert("updated", "stale_feed", status="open", note="it is silent still")),
    ),
    Rule(
        "the alert of a feed has an owner",
        STALE,
        event("alert.assigned", **SILENT, to="bob", by="ann"),
        then(alert("updated", "stale_feed", owner="bob")),
    ),
]

TABLE: list[AnyRule] = [*REOPENING, *OWNERS, *SIGNALS, *ALERTS, *FEEDS]
