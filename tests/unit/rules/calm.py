"""The short way of issues and reports: which of them take it, and that it leaves what the general steps leave."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from msgspec.structs import replace

from agents.pipeline import HANDLING
from engine.core.events import EVENT_TYPES
from engine.core.values import MAX_BALANCE, MAX_QUANTITY
from tests.unit.rules.given import alert_row, location, stock
from tests.unit.rules.rule import AnyRule, Figure, Given, Rule, given, then
from tests.unit.rules.world import AT, Happening, Outcome, days, event, hours

Way = Literal["the short way", "the general steps"]
SHORT: Way = "the short way"
LONG: Way = "the general steps"
WAYS: dict[object, Way] = {True: SHORT, False: LONG}


def folded(facts: Sequence[Given], happening: Happening, short: Callable[..., bool] | None) -> Outcome:
    """What becomes of an event where `short` is the short way of its type, or where it has none."""
    kind = EVENT_TYPES[happening.kind]
    handling = HANDLING[kind]
    world = Rule("", given(*facts), happening, then()).world()
    HANDLING[kind] = replace(handling, calm=short)
    try:
        return world.fold(happening)
    finally:
        HANDLING[kind] = handling


def way_of(facts: Sequence[Given], happening: Happening) -> Way:
    """The way that an event takes; raises AssertionError where the other one leaves anything else."""
    short, taken = HANDLING[EVENT_TYPES[happening.kind]].calm, []
    assert short is not None

    def take(*arguments: Any) -> bool:
        taken.append(short(*arguments))
        return bool(taken[-1])

    one, other = folded(facts, happening, take), folded(facts, happening, None)
    assert one == other, "the two ways differ"
    return WAYS[taken[0]]


def way(name: str, expected: Way, happening: Happening, *facts: Given) -> Figure:
    return Figure(f"{name} takes {expected}", lambda: way_of(facts, happening), expected)


def issued(qty: int = 5, at: int = 0, **data: Any) -> Happening:
    return event("stock.issued", at, qty=qty, **data)


def reported(on_hand: int, at: int = 0, **data: Any) -> Happening:
    return event("balance.reported", at, on_hand=on_hand, **data)


FULL = stock(available=40)
BUSY: dict[str, Any] = {"available": 40, "reserved": 10, "on_order": 3, "in_transit": 2}
"""After an issue of 5 its sellable stock is 25 and its position 30."""
ADJUSTED = event("stock.adjusted", 0, qty=1, reason="found")
LATER = event("stock.adjusted", hours(80), qty=1, reason="found")

ISSUES = [
    way("an issue from stock", SHORT, issued(), FULL),
    way("an issue of all that is there", SHORT, issued(), stock(available=5)),
    way("an issue of more than is there", LONG, issued(), stock(available=4)),
    way("an issue for a reservation", LONG, issued(reservation="R"), FULL),
    way("an issue of a row whose signal stands", LONG, issued(), stock(available=40, signal_open=True)),
    way("an issue that leaves more than the trigger", SHORT, issued(), stock(**BUSY, reorder_at=29)),
    way("an issue that leaves just the trigger", LONG, issued(), stock(**BUSY, reorder_at=30)),
    way("an issue of just what a projection has to spare", SHORT, issued(), stock(**BUSY, recheck_below=25)),
    way("an issue of more than it has to spare", LONG, issued(), stock(**BUSY, recheck_below=26)),
    way("an issue of a row whose item is not known", LONG, issued(), stock(available=40, item_known=False)),
    way("an issue as of what is no longer kept", LONG, issued(at=-days(3)), FULL),
    way("an issue just after what is no longer kept", SHORT, issued(at=-days(3) + 1), FULL),
    way("an issue as of a count", LONG, issued(), FULL, event("stock.counted", 0, qty=30)),
    way("an issue just after a count", SHORT, issued(at=1), FULL, event("stock.counted", 0, qty=30)),
    way("an issue as of the report", LONG, issued(), FULL, reported(40)),
    way("an issue just after the report", SHORT, issued(at=1), FULL, reported(40)),
    way("a second issue of a day", SHORT, issued(at=1), FULL, issued()),
    way("the first issue of another day", LONG, issued(at=days(1)), FULL, issued()),
    way(
        "an issue after midnight at its location",
        LONG,
        issued(at=hours(3)),
        location(zone="Asia/Tokyo"),
        FULL,
        issued(),
    ),
    way("an issue that comes late", SHORT, issued(at=-hours(1)), FULL, issued()),
    way("an issue before old movements leave", SHORT, event("stock.issued", hours(72) - 1, qty=1), FULL, ADJUSTED),
    way("an issue with which old movements leave", LONG, issued(at=hours(72)), FULL, ADJUSTED),
    way("an issue of the latest moment of a row", SHORT, issued(at=hours(80)), FULL, LATER, ADJUSTED),
    way("an issue after that moment", LONG, issued(at=hours(80) + 1), FULL, LATER, ADJUSTED),
]

PARTS = stock(available=30, held=10, on_order=5)
ROOM = (MAX_BALANCE - MAX_QUANTITY) // 2

REPORTS = [
    way("a report that agrees", SHORT, reported(40), PARTS),
    way("a report that agrees in all that it says", SHORT, reported(40, held=10, on_order=5), PARTS),
    way("a report that differs", LONG, reported(41), PARTS),
    way("a report that differs in what is held", LONG, reported(40, held=9), PARTS),
    way("a report that differs in what is on order", LONG, reported(40, on_order=4), PARTS),
    way("a report of an empty row", SHORT, reported(0), stock()),
    way("a report of negative stock", LONG, reported(9), stock(available=-1, held=10)),
    way(
        "a report of a row with an alert", LONG, reported(40), stock(available=40, alerts=1), alert_row("balance_drift")
    ),
    way("a report of a row whose item is not known", LONG, reported(40), stock(available=40, item_known=False)),
    way("a report as of the last movement", SHORT, reported(35), FULL, issued()),
    way("a report from before the last movement", LONG, reported(40, -1), FULL, issued()),
    way("a report as of the newest that is no longer kept", SHORT, reported(40, -days(3)), FULL),
    way(
        "a report from before all that is kept",
        LONG,
        reported(40, -days(3) - 1),
        stock(available=40, moved_at=AT - days(5)),
    ),
    way("a report as of the last report", LONG, reported(40), FULL, reported(40)),
    way("a report after the last report", SHORT, reported(40, 1), FULL, reported(40)),
    way(
        "a report of balances that leave room for a difference",
        SHORT,
        reported(1),
        stock(available=ROOM + 1, held=-ROOM),
    ),
    way("a report of balances that leave no room", LONG, reported(2), stock(available=ROOM + 2, held=-ROOM)),
]

TABLE: list[AnyRule] = [*ISSUES, *REPORTS]
