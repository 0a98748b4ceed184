"""The life of an alert: what opens it, what a person answers, and what ends it."""

from __future__ import annotations

from typing import get_args

from engine.core.outputs import AlertStatus
from tests.unit.rules.given import alert_row, item, stock
from tests.unit.rules.rule import AnyRule, Rule, alert, given, rejected, then
from tests.unit.rules.world import AT, days, event, hours, moment, tick

NEXT: dict[tuple[str, str], str] = {
    ("open", "acknowledge"): "acknowledged",
    ("open", "resolve"): "resolved",
    ("open", "cause gone"): "resolved",
    ("acknowledged", "reopen"): "open",
    ("acknowledged", "resolve"): "resolved",
    ("acknowledged", "cause gone"): "resolved",
}
"""What becomes of an alert, by what happens; no other pair changes anything."""
ANSWERS = {"acknowledge": "alert.acknowledged", "resolve": "alert.resolved", "reopen": "alert.reopened"}


def step(status: AlertStatus, cause: str) -> Rule:
    following = NEXT.get((status, cause))
    count = int(status != "resolved")
    facts = given(
        stock(available=-5, negative_since=AT - days(2), negative_lowest=-5, alerts=count),
        alert_row("negative_stock", status),
    )
    name = f"{status} alert, {cause}: {following or 'no change'}"
    what = "resolved" if following == "resolved" else "updated"
    if cause == "cause gone":
        said = [alert(what, "negative_stock", status=following, said="before", revision=2)] if following else []
        return Rule(name, facts, event("stock.adjusted", qty=5, reason="found"), then(stock(available=0), *said))
    answer = event(ANSWERS[cause], hours(1), alert="alert-1", by="ann", note="seen")
    if following is None:
        return Rule(name, facts, answer, rejected("alert_closed"))
    said = [
        alert(
            what, "negative_stock", status=following, said="before", revision=2, by="ann", note="seen",
            opened=moment(-days(1)), updated=moment(hours(1)), id="alert-1",
        )
    ]  # fmt: skip
    return Rule(name, facts, answer, then(stock(alerts=int(following != "resolved")), *said))


LIFE = [step(status, cause) for status in get_args(AlertStatus) for cause in (*ANSWERS, "cause gone")]

DAMAGED = event("goods.received", receipt="G", qty=0, damaged=2)

OTHERS = [
    Rule(
        "an answer to an alert that the row has not is rejected",
        given(stock(alerts=1), alert_row("negative_stock")),
        event("alert.resolved", alert="alert-2", by="ann"),
        rejected("unknown_alert"),
    ),
    Rule(
        "an answer to an alert that another one has followed is rejected",
        given(
            stock(available=4),
            event("stock.issued", qty=9),
            event("stock.adjusted", qty=5, reason="x"),
            event("stock.issued", qty=9, id="again"),
        ),
        event("alert.resolved", alert=("alert-" + "0" * 20), by="ann"),
        rejected("unknown_alert"),
    ),
    Rule(
        "an acknowledged alert whose evidence changes stays acknowledged",
        given(
            stock(available=-5, negative_since=AT, negative_lowest=-5, alerts=1),
            alert_row("negative_stock", "acknowledged"),
        ),
        event("stock.issued", qty=1),
        then(stock(available=-6), alert("updated", "negative_stock", status="acknowledged", lowest=-6, revision=2)),
    ),
    Rule(
        "an alert that opens again has another id and a revision of its own",
        given(stock(available=3, alerts=0), alert_row("negative_stock", "resolved", revision=7)),
        event("stock.issued", qty=4),
        then(
            stock(available=-1, alerts=1),
            alert("opened", "negative_stock", revision=1, status="open", opened=moment(0), updated=moment(0)),
        ),
    ),
    Rule(
        "a fact resolves by age after a week",
        given(DAMAGED),
        tick(days(7)),
        then(stock(alerts=0, wake_at=None), alert("resolved", "damaged_receipt", damaged=2)),
    ),
    Rule(
        "a late count is a fact as well",
        given(stock(available=40, latest=AT), event("stock.counted", -hours(60), qty=30)),
        tick(days(7)),
        then(stock(alerts=0), alert("resolved", "late_count", qty=30)),
    ),
    Rule(
        "a fact stands until its week is over",
        given(DAMAGED),
        tick(days(7) - 1),
        then(stock(alerts=1, wake_at=AT + days(7))),
    ),
    Rule(
        "a fact that a person has resolved stays so",
        given(stock(alerts=0, wake_at=AT + 5), alert_row("damaged_receipt", "resolved", "test/0", until=AT + 5)),
        tick(5),
        then(stock(wake_at=None)),
    ),
    Rule(
        "an item that is defined ends the alerts of all rows that waited for it",
        (event("stock.counted", qty=7), event("stock.counted", location="K", qty=7)),
        event("item.defined", base_unit="each"),
        then(
            item(base_unit="each"),
            stock(location="K", alerts=0, item_known=True),
            stock(alerts=0, item_known=True),
            alert("resolved", "unknown_item", location="K"),
            alert("resolved", "unknown_item", location="L"),
        ),
    ),
]

TABLE: list[AnyRule] = [*LIFE, *OTHERS]
