"""Drafts of orders in other systems, and orders that could not be pushed: what they hold back, and when they end."""

from __future__ import annotations

from typing import Any

from tests.unit.rules.given import Row, alert_row, drafts, line, min_max, signal_row, stock
from tests.unit.rules.orders import placed
from tests.unit.rules.rule import AnyRule, Rule, alert, given, rejected, signal, then
from tests.unit.rules.world import AT, Happening, days, event, hours, moment, tick

ISSUE = event("stock.issued", qty=10)
NEEDS = (stock(available=50, reorder_at=50, signal_open=True), min_max(50, 120))
"""A row that needs 70, and whose signal stands."""
OVER = (stock(available=50, reorder_at=50), min_max(50, 120))
"""A row that needs 70 again, and whose signal is over."""


def said(what: str, at: int | None = None, document: str = "D1", **data: Any) -> Happening:
    return event(f"signal.{what}", at, signal="sig-1", system="erp", document=document, line=1, **data)


def failed(at: int | None = None, **data: Any) -> Happening:
    given = {"attempts": 6, "detail": "the ERP answers 403", **data}
    return event("signal.push_failed", at, signal="sig-1", system="erp", **given)


def without(row: Row, *names: str) -> Row:
    return row._replace(named={name: value for name, value in row.named.items() if name not in names})


DRAFTS = [
    Rule(
        "a draft of an open signal is shown, and its status stays",
        given(*NEEDS, signal_row(qty=70)),
        said("drafted"),
        then(
            stock(signal_open=True),
            signal("amended", status="open", revision=2, qty=70, drafted=("erp", "D1", "1", moment(0))),
        ),
    ),
    Rule(
        "a draft of an accepted signal is shown, and its status stays",
        given(*NEEDS, signal_row("accepted", qty=70, until=AT + days(7))),
        said("drafted"),
        then(stock(signal_open=True), signal("amended", status="accepted", drafted=("erp", "D1", "1", moment(0)))),
    ),
    Rule(
        "an acceptance of a signal that is drafted already leaves the draft",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", 0, True))),
        event("signal.accepted", signal="sig-1", by="ann"),
        then(stock(), signal("amended", status="accepted", drafted=("erp", "D1", "1", moment(0)))),
    ),
    Rule(
        "an accepted signal whose draft is there does not expire",
        given(
            stock(available=50, reorder_at=50, signal_open=True, wake_at=AT + 5),
            min_max(50, 120),
            signal_row("accepted", qty=70, until=AT + 5),
            drafts(("D1", 0, True)),
        ),
        tick(5),
        then(stock(signal_open=True, wake_at=None), signal_row("accepted", until=AT + 5)),
    ),
    Rule(
        "an open signal whose draft is there is amended with its need",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", 0, True))),
        event("stock.issued", qty=8),
        then(stock(available=42), signal("amended", qty=78, drafted=("erp", "D1", "1", moment(0)))),
    ),
    Rule(
        "an open signal whose draft is there is withdrawn when its cause is gone, and shows the draft that must go",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", 0, True))),
        event("stock.adjusted", qty=1, reason="found"),
        then(
            stock(available=51, signal_open=False),
            signal("withdrawn", status="withdrawn", drafted=("erp", "D1", "1", moment(0))),
        ),
    ),
    *(
        Rule(
            f"a draft of a signal that is {status} holds back the next one, without a limit of time",
            given(*OVER, signal_row(status, qty=1, until=AT - days(30)), drafts(("D1", -900, True))),
            ISSUE,
            then(stock(available=40, signal_open=False)),
        )
        for status in ("withdrawn", "rejected", "expired")
    ),
    Rule(
        "the draft of a former signal holds back nothing",
        given(*OVER, signal_row("withdrawn", qty=1, id="sig-2"), drafts(("D1", 0, True))),
        ISSUE,
        then(stock(available=40), signal("opened", qty=80, drafted=None)),
    ),
    Rule(
        "a draft that is gone leaves an open signal open",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", -1, True))),
        said("draft_gone"),
        then(stock(signal_open=True), signal("amended", status="open", revision=2, drafted=None)),
    ),
    Rule(
        "a draft that is gone leaves an accepted signal accepted for a week",
        given(*NEEDS, signal_row("accepted", qty=70, until=AT - days(1)), drafts(("D1", -99, True))),
        said("draft_gone"),
        then(
            stock(signal_open=True, wake_at=AT + days(7)),
            signal_row("accepted", until=AT + days(7)),
            signal("amended", status="accepted", drafted=None),
        ),
    ),
    Rule(
        "the end of the draft of a withdrawn signal leaves room for the next one at once",
        given(*OVER, signal_row("withdrawn", qty=70), drafts(("D1", -1, True))),
        said("draft_gone"),
        then(stock(signal_open=True), signal("amended", status="withdrawn", drafted=None), signal("opened", qty=70)),
    ),
    Rule(
        "a draft of a signal that was withdrawn meanwhile is taken, so that it is removed before another is made",
        given(*OVER, signal_row("withdrawn", qty=70)),
        said("drafted"),
        then(
            stock(signal_open=False),
            signal("amended", status="withdrawn", drafted=("erp", "D1", "1", moment(0))),
        ),
    ),
    Rule(
        "the end of a draft that came before the draft is the end of it",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", 1, False))),
        said("drafted"),
        then(stock(), drafts(("D1", 1, False))),
    ),
    Rule(
        "the end of another document leaves the draft",
        given(*NEEDS, signal_row(qty=70), drafts(("D2", -1, True))),
        said("draft_gone"),
        then(stock(), without(drafts(), "drafts", "pushed")),
    ),
    Rule(
        "of two drafts the later is shown, whichever came first",
        given(*NEEDS, signal_row(qty=70), drafts(("D2", 1, True))),
        said("drafted"),
        then(stock(), without(drafts(), "drafts", "pushed")),
    ),
    Rule(
        "the end of the later of two drafts shows the earlier",
        given(*NEEDS, signal_row(qty=70), drafts(("D2", -2, True), ("D1", -1, True))),
        said("draft_gone"),
        then(stock(), signal("amended", drafted=("erp", "D2", "1", moment(-hours(2))))),
    ),
    Rule(
        "ten documents are remembered, those of which something was said last",
        given(*NEEDS, signal_row(qty=70), drafts(*((f"E{n}", n - 20, True) for n in range(10)))),
        said("draft_gone"),
        then(
            stock(),
            without(drafts(), "drafts", "pushed"),
        ),
    ),
    Rule(
        "an ordered signal is drafted no more, but its draft is taken whenever it comes",
        given(*OVER, signal_row("ordered", qty=70, until=AT + hours(1), order="PO")),
        said("drafted"),
        then(stock(signal_open=False)),
    ),
    *(
        Rule(
            f"the order of the draft of a {status} signal ends it",
            given(*OVER, signal_row(status, qty=70, until=AT + hours(1)), drafts(("D1", -1, True))),
            event("signal.ordered", signal="sig-1", by="erp", order="PO", line=1),
            then(
                stock(),
                signal_row("ordered", order="PO", line="1", until=AT + hours(48)),
                signal("amended", status="ordered", order="PO", drafted=None),
            ),
        )
        for status in ("withdrawn", "rejected", "expired")
    ),
    *(
        Rule(
            f"an order that names the {status} signal of its draft ends it",
            given(*OVER, signal_row(status, qty=70, until=AT + hours(1)), drafts(("D1", -1, True))),
            placed(10, signal="sig-1"),
            then(
                stock(on_order=10),
                line(ordered=10),
                signal_row("ordered", order="PO", line="1", until=None),
                signal("amended", status="ordered", order="PO", drafted=None),
            ),
        )
        for status in ("withdrawn", "rejected", "expired")
    ),
    Rule(
        "a draft of a signal that is not the row's is rejected",
        given(*NEEDS, signal_row(qty=70, id="sig-2")),
        said("drafted"),
        rejected("unknown_signal"),
    ),
    Rule(
        "the end of a draft of a signal that is not the row's is rejected",
        given(*NEEDS),
        said("draft_gone"),
        rejected("unknown_signal"),
    ),
]

ALERT = alert_row("push_failed")
OPEN = (stock(available=50, reorder_at=50, signal_open=True, alerts=1), min_max(50, 120))
PUSHES = [
    Rule(
        "an order that could not be pushed opens an alert",
        given(*NEEDS, signal_row(qty=70)),
        failed(),
        then(
            stock(),
            alert(
                "opened",
                "push_failed",
                severity="critical",
                signal="sig-1",
                system="erp",
                attempts=6,
                detail="the ERP answers 403",
                events=["test/1"],
            ),
        ),
    ),
    Rule(
        "a later failure updates it",
        given(*OPEN, signal_row(qty=70), ALERT, drafts(pushed=-1)),
        failed(attempts=9),
        then(stock(), alert("updated", "push_failed", attempts=9)),
    ),
    Rule(
        "an earlier failure that comes late does not",
        given(*OPEN, signal_row(qty=70), ALERT, drafts(pushed=1)),
        failed(),
        then(stock()),
    ),
    Rule(
        "a draft ends it",
        given(*OPEN, signal_row(qty=70), ALERT, drafts(pushed=-1)),
        said("drafted"),
        then(stock(alerts=0), alert("resolved", "push_failed"), signal("amended")),
    ),
    Rule(
        "a draft of before the failure does not",
        given(*OPEN, signal_row(qty=70), ALERT, drafts(pushed=1)),
        said("drafted"),
        then(stock(alerts=1), signal("amended")),
    ),
    Rule(
        "a failure of before the draft opens none",
        given(*NEEDS, signal_row(qty=70), drafts(("D1", 1, True))),
        failed(),
        then(stock(alerts=0)),
    ),
    Rule(
        "the end of the draft ends it",
        given(*OPEN, signal_row(qty=70), ALERT, drafts(("D1", -2, True), pushed=-1)),
        said("draft_gone"),
        then(stock(alerts=0), alert("resolved", "push_failed"), signal("amended")),
    ),
    Rule(
        "an order ends it",
        given(*OPEN, signal_row(qty=70), ALERT),
        event("signal.ordered", signal="sig-1", by="erp", order="PO"),
        then(stock(alerts=0), alert("resolved", "push_failed"), signal("closed", status="ordered")),
    ),
    Rule(
        "the end of the signal ends it",
        given(*OPEN, signal_row(qty=70), ALERT),
        event("stock.adjusted", qty=1, reason="found"),
        then(stock(available=51, alerts=0), alert("resolved", "push_failed"), signal("withdrawn")),
    ),
    Rule(
        "of a signal that is over nothing need be pushed",
        given(*OVER, signal_row("rejected", qty=70, until=AT + hours(1))),
        failed(),
        then(stock(alerts=0)),
    ),
    Rule(
        "unless its draft is there and could not be removed",
        given(*OVER, signal_row("rejected", qty=70, until=AT + hours(1)), drafts(("D1", -1, True))),
        failed(),
        then(stock(alerts=1), alert("opened", "push_failed")),
    ),
    Rule(
        "a failure of a signal that is not the row's is rejected",
        given(*NEEDS),
        failed(),
        rejected("unknown_signal"),
    ),
]

REFUSED = event(
    "record.refused", connector="edi", reason="untranslatable", detail="no date", place="a.edi", record="DTM*002~"
)
RECORDS = [
    Rule("a record that a connector refused changes no row", given(stock(available=5)), REFUSED, then()),
    Rule(
        "a record is carried as text or as base64",
        given(),
        REFUSED._replace(data={**REFUSED.data, "record_base64": "QQ=="}),
        rejected("invalid_event"),
    ),
    Rule(
        "what is no base64 carries no record",
        given(),
        REFUSED._replace(data={**REFUSED.data, "record": None, "record_base64": "QQ"}),
        rejected("invalid_event"),
    ),
    Rule(
        "a record that is not carried is named by its length and its digest",
        given(),
        REFUSED._replace(data={**REFUSED.data, "record": None, "record_bytes": 9, "record_sha256": "0" * 64}),
        then(),
    ),
    Rule(
        "its length alone does not name it",
        given(),
        REFUSED._replace(data={**REFUSED.data, "record_bytes": 9}),
        rejected("invalid_event"),
    ),
    Rule(
        "a record that is neither carried nor named is none",
        given(),
        REFUSED._replace(data={**REFUSED.data, "record": None}),
        rejected("invalid_event"),
    ),
]

ANSWERS = [
    Rule(
        "a dead letter that was taken again changes no row by the answer: the event that it became does",
        given(stock(available=5)),
        event("dead_letter.replayed", dead_letter="0-7", by="ana", event="edi/7"),
        then(),
    ),
    Rule(
        "a dead letter that is discarded changes no row",
        given(stock(available=5)),
        event("dead_letter.discarded", dead_letter="0-7", by="ana", note="sent twice"),
        then(),
    ),
    Rule(
        "an answer names the dead letter",
        given(),
        event("dead_letter.discarded", dead_letter="", by="ana"),
        rejected("invalid_event"),
    ),
    Rule(
        "and who gave it",
        given(),
        event("dead_letter.replayed", dead_letter="0-7", event="edi/7"),
        rejected("invalid_event"),
    ),
]

TABLE: list[AnyRule] = [*DRAFTS, *PUSHES, *RECORDS, *ANSWERS]
