"""Balances as of any moment, kept by events one by one, against the sum over all of them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import clock, ledger
from engine.runtime.balances import HistoryGone
from tests.auditor.adapter import Rig
from tests.auditor.events import event
from tests.auditor.model import HOUR, Model, instant
from tests.auditor.teller import iso
from tests.auditor.workload import encoded

BEGIN = instant("2026-03-02T12:00:00+00:00")
ARRIVED = BEGIN + 400 * HOUR
ROW = ("S", "L")


def told(number: int, kind: str, minute: int, **data: object) -> dict[str, Any]:
    return {**event(kind, 1), "id": f"e{number}", "time": iso(BEGIN + minute * HOUR // 60),
            "data": {"sku": ROW[0], "location": ROW[1], **data}}  # fmt: skip


WINDOW = 48 * HOUR
KINDS = ["move", "held", "count", "count held", "report"]
# Movements and counts over two hours, and reports at any moment of them: each report is compared as of its moment.
steps = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 120), st.integers(0, 40)),
    min_size=1,
    max_size=30,
)  # fmt: skip


def moved(what: str, qty: int) -> tuple[str, dict[str, Any]]:
    """The type and the data of the event that a step tells."""
    stories: dict[str, tuple[str, dict[str, Any]]] = {
        "move": ("stock.adjusted", {"qty": qty - 20 or 1, "reason": "x"}),
        "held": ("stock.held", {"qty": qty + 1}),
        "count": ("stock.counted", {"qty": qty}),
        "count held": ("stock.counted", {"qty": qty, "status": "held"}),
        "report": ("balance.reported", {"on_hand": 10**6}),
    }
    return stories[what]


@given(steps=steps)
@settings(max_examples=150)
def test_the_balance_as_of_the_last_report_is_that_of_the_model_after_every_event(
    steps: list[tuple[str, int, int]],
) -> None:
    rig, events, last = Rig(1), [], None
    for number, (what, minute, qty) in enumerate(steps):
        kind, data = moved(what, qty)
        new = told(number, kind, minute, **data)
        events.append(new)
        assert rig.send([encoded(new)], ARRIVED) == {}
        if what == "report" and (last is None or minute >= last):
            last = minute
        if last is not None:
            until = BEGIN + last * HOUR // 60
            known = [e for e in events if instant(e["time"]) <= until]
            row = Model(known, ARRIVED).row(ROW)
            drift = next(a for a in rig.latest("alerts") if a["kind"] == "balance_drift")
            assert drift["evidence"]["kept"] == row.available + row.held


@given(steps=steps, days=st.lists(st.integers(0, 9), min_size=1, max_size=30))
@settings(max_examples=60)
def test_what_leaves_the_window_stays_in_the_balance(steps: list[tuple[str, int, int]], days: list[int]) -> None:
    ledger.FOLDED_PER_EVENT, folded = 2, ledger.FOLDED_PER_EVENT
    try:
        rig, events = Rig(1), []
        for number, (_, minute, qty) in enumerate(steps):
            day = sorted(days)[number * len(days) // len(steps)]
            new = told(number, "stock.adjusted", day * 24 * 60 + minute, qty=qty - 20 or 1, reason="x")
            events.append(new)
            rig.send([encoded(new)], ARRIVED)
        assert rig.rows()[ROW] == Model(events, ARRIVED).row(ROW)
        report = told(999, "balance.reported", 10 * 24 * 60, on_hand=-1)
        rig.send([encoded(report)], ARRIVED)
        total = sum(e["data"]["qty"] for e in events)
        assert rig.latest("alerts") if total != -1 else True
        late = told(1000, "stock.adjusted", days[0] * 24 * 60, qty=7, reason="late")
        rig.send([encoded(late)], ARRIVED)
        assert rig.rows()[ROW].available == total + 7
    finally:
        ledger.FOLDED_PER_EVENT = folded


@given(
    steps=steps,
    days=st.lists(st.integers(0, 5), min_size=1, max_size=30),
    of=st.integers(0, 29),
    beyond=st.sampled_from([-1, 0, 0, HOUR]),
)
@settings(max_examples=200)
def test_the_stock_as_of_a_moment_is_that_of_a_log_that_ends_with_it(
    steps: list[tuple[str, int, int]], days: list[int], of: int, beyond: int
) -> None:
    """Each event comes when it happens or up to two hours late, and the log that ends at the moment has no other."""
    events = []
    for number, (what, late, qty) in enumerate(steps):
        kind, data = moved(what, qty)
        events.append(told(number, kind, sorted(days)[number * len(days) // len(steps)] * 24 * 60 + late, **data))
    until = instant(events[of % len(events)]["time"]) + beyond
    known = [each for each in events if instant(each["time"]) <= until]
    whole, part = Rig(1), Rig(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "FOLDED_PER_EVENT", 2)
        for rig, log in ((whole, events), (part, known)):
            for each in log:
                rig.send([encoded(each)], ARRIVED)
    try:
        found, since = whole.balances_as_of(ROW, until), until
    except HistoryGone as gone:
        found, since = None, gone.since
    if since > until:
        assert since <= max(instant(e["time"]) for e in events) - WINDOW
        return
    assert (found is not None) == any(e["type"] != "balance.reported" for e in known)
    if found is not None:
        row = part.rows()[ROW]
        assert (found.available, found.held) == (row.available, row.held)


def test_a_tick_takes_a_portion_of_what_is_due_and_the_next_follows_at_once() -> None:
    clock.MAX_LOOKS, looks = 3, clock.MAX_LOOKS
    try:
        rig = Rig(1)
        for number in range(10):
            data = {"reservation": f"r{number}", "qty": 1, "expires": iso(BEGIN + HOUR)}
            rig.send([encoded(told(number, "stock.reserved", 0, **data))], ARRIVED)
        before = rig.engine.accepted
        rig.tick(BEGIN + 2 * HOUR)
        assert rig.rows()[ROW].reserved == 0
        assert rig.engine.accepted - before == 4
    finally:
        clock.MAX_LOOKS = looks
