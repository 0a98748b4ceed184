"""Drafts, orders and failed pushes in any order of arrival come to the same, and to what the contract says."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.core.rules import Rules
from engine.runtime.kpis import kpis
from tables.signals import FOLLOW_UP
from tests.auditor.adapter import Rig
from tests.auditor.events import T0, event
from tests.auditor.model import HOUR, Event
from tests.auditor.pushes import draft_of, push_has_failed
from tests.auditor.workload import encoded

ARRIVED = T0 + 48 * HOUR
POLICY = event("policy.set", 0, policy={"kind": "min_max", "min": 20, "max": 60}, auto={"max_qty": 100})
COUNT = event("stock.counted", 0.5, qty=10)


def shortage() -> tuple[Rig, str]:
    """An engine with one row whose signal stands, and the signal's id."""
    rig = Rig(1, Rules(clock="log"))
    assert rig.send([encoded(POLICY), encoded(COUNT)], ARRIVED) == {}
    [signal] = rig.latest("signals")
    return rig, signal["id"]


NAME = shortage()[1]


def push(kind: str, hour: float, document: str = "D1", line: object = 1) -> Event:
    data: dict[str, Any] = {"signal": NAME, "system": "erp"}
    if kind == "signal.push_failed":
        return event(kind, hour, **data, attempts=3, detail=document)
    return event(kind, hour, **data, document=document, line=line)


def ordered(hour: float) -> Event:
    return event("signal.ordered", hour, signal=NAME, by="erp", order="PO", line=1)


KINDS = ("signal.drafted", "signal.drafted", "signal.draft_gone", "signal.push_failed")
pushes = st.lists(
    st.builds(push, st.sampled_from(KINDS), st.integers(1, 6), st.sampled_from(["D1", "D2", "D3"])), max_size=7
)


def told(events: list[Event], is_accepted: bool) -> tuple[Rig, dict[str, Any]]:
    """The engine after the events, each in a batch of its own, and the signal as it is then."""
    rig, name = shortage()
    if is_accepted:
        rig.send([encoded(event("signal.accepted", 0.6, signal=name, by="ann"))], ARRIVED)
    for one in events:
        assert rig.send([encoded(one)], ARRIVED) == {}
    [signal] = rig.latest("signals")
    return rig, signal


def failures(rig: Rig) -> list[str]:
    return [
        alert["evidence"]["detail"]
        for alert in rig.latest("alerts")
        if alert["kind"] == "push_failed" and alert["status"] == "open"
    ]


@given(pushes, st.booleans(), st.booleans(), st.randoms(use_true_random=False))
@settings(max_examples=150)
def test_the_order_of_arrival_does_not_matter(
    said: list[Event], is_accepted: bool, is_ordered: bool, random: Any
) -> None:
    events = [*said, *([ordered(random.randint(1, 6))] if is_ordered else [])]
    rig, signal = told(events, is_accepted)
    other, again = told(random.sample(events, len(events)), is_accepted)
    for name in ("status", "draft", "order", "qty"):
        assert signal.get(name) == again.get(name)
    assert failures(rig) == failures(other)
    key = FOLLOW_UP + b"A\0X"
    assert rig.bus.state.get(key) == other.bus.state.get(key)


@given(pushes, st.booleans(), st.booleans())
@settings(max_examples=100)
def test_the_draft_and_the_alert_are_those_of_the_contract(
    said: list[Event], is_accepted: bool, is_ordered: bool
) -> None:
    events = [*said, *([ordered(3)] if is_ordered else [])]
    rig, signal = told(events, is_accepted)
    shown = signal.get("draft")
    found = None if shown is None else (shown["system"], shown["document"], shown["line"])
    assert found == draft_of(events, NAME)
    assert bool(failures(rig)) == (push_has_failed(events, NAME) and not is_ordered)
    assert signal["status"] == ("ordered" if is_ordered else "accepted" if is_accepted else "open")


@given(st.permutations(range(14)))
@settings(max_examples=40)
def test_ten_documents_of_a_signal_count_those_of_which_something_was_said_last(order: list[int]) -> None:
    """Of 14 documents the last ten are gone, so that none that was forgotten comes back."""
    kinds = ["signal.drafted"] * 4 + ["signal.draft_gone"] * 10
    events = [push(kind, hour, f"D{hour}") for hour, kind in enumerate(kinds)]
    _, signal = told([events[number] for number in order], is_accepted=False)
    assert signal.get("draft") is None
    assert draft_of(events, NAME) is None


MONTH = 24 * 30
HAPPENS = {
    "withdrawn": [event("stock.adjusted", 2, qty=90, reason="x"), event("stock.adjusted", 3, qty=-95, reason="x")],
    "rejected": [event("signal.rejected", 2, signal=NAME, by="ann")],
    "accepted": [],
}
ENDINGS = {
    "draft gone": push("signal.draft_gone", MONTH + 1),
    "signal ordered": ordered(MONTH + 1),
    "order placed": event(
        "order.placed", MONTH + 1, order="PO", line=1, supplier="S", qty=5, due="2026-04-09", signal=NAME
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("status", HAPPENS)
def test_a_draft_holds_back_the_next_signal_until_it_is_gone_or_ordered(status: str, ending: str) -> None:
    """Whatever has become of the signal; a month later the draft still counts, and an acceptance has not expired."""
    rig, _ = told([push("signal.drafted", 1)], is_accepted=status == "accepted")
    later = event("stock.issued", MONTH, qty=1)
    assert rig.send([encoded(one) for one in [*HAPPENS[status], later]], ARRIVED + MONTH * HOUR) == {}
    [signal] = rig.latest("signals")
    assert (signal["status"], signal["draft"]["document"]) == (status, "D1")
    assert rig.send([encoded(ENDINGS[ending])], ARRIVED + MONTH * HOUR) == {}
    signals = {one["id"]: one for one in rig.latest("signals")}
    gone = ending == "draft gone"
    assert "draft" not in signals[NAME]
    assert signals[NAME]["status"] == (status if gone else "ordered")
    # What is ordered waits for its order; one that is accepted again stands; otherwise the row orders anew.
    opens = (gone and status != "accepted") or ending == "order placed"
    assert [one["status"] for name, one in signals.items() if name != NAME] == (["open"] if opens else [])


ACTIONS = (
    "signal.accepted", "signal.rejected", "signal.reopened", "signal.drafted", "signal.drafted", "signal.draft_gone",
    "signal.push_failed", "signal.snoozed", "signal.assigned", "signal.ordered", "stock.issued", "stock.adjusted",
)  # fmt: skip


def action(kind: str, hour: float, signal: str, document: str) -> Event:
    """Something that happens to a row or to its signal; goods come and go so that the signal opens and ends."""
    if kind == "stock.issued":
        return event(kind, hour, qty=25)
    if kind == "stock.adjusted":
        return event(kind, hour, qty=60, reason="found")
    if kind in ("signal.drafted", "signal.draft_gone"):
        return event(kind, hour, signal=signal, system="erp", document=document)
    if kind == "signal.push_failed":
        return event(kind, hour, signal=signal, system="erp", attempts=1, detail="403")
    data = {"order": document} if kind == "signal.ordered" else {}
    data |= {"until": "2026-03-03T00:00:00Z"} if kind == "signal.snoozed" else {}
    data |= {"to": document} if kind == "signal.assigned" else {}
    return event(kind, hour, signal=signal, by="ann", **data)


@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(["D1", "D2"])), max_size=25))
@settings(max_examples=100)
def test_a_row_never_has_a_draft_and_another_signal(
    told: list[tuple[str, str]],
) -> None:
    rig, current = shortage()
    taken = [POLICY, COUNT]
    for number, (kind, document) in enumerate(told):
        one = action(kind, 1 + number, current, document)
        refused = rig.send([encoded(one)], ARRIVED + number * HOUR)
        assert set(refused.values()) <= {"signal_closed"}
        taken += [] if refused else [one]
        signals = rig.latest("signals")
        current = max(signals, key=lambda signal: signal["opened"])["id"]
        for signal in signals:
            shown = signal.get("draft")
            found = None if shown is None else (shown["system"], shown["document"], shown["line"])
            assert found == draft_of(taken, signal["id"])
            assert shown is None or signal["id"] == current, "another signal has opened beside a draft"
    standing = [signal for signal in rig.latest("signals") if signal["status"] in ("open", "accepted")]
    counted: Any = kpis(rig.bus, rig.engine.counters(), rig.now, None)["signals"]
    assert counted["open"] == len(standing)
    together = Rig(1, Rules(clock="log"))
    assert together.send([encoded(one) for one in taken], ARRIVED) == {}
    assert together.history("signals") == rig.history("signals")
    assert together.history("alerts") == rig.history("alerts")


DAYS = 24 * 5
ANNOUNCED = push("signal.drafted", 1)
CONFIRMED = event("signal.ordered", DAYS, signal=NAME, by="erp", order="PO", line=1)
PLACED = event("order.placed", DAYS, order="PO", line=1, supplier="S", qty=50, due="2026-04-09", signal=NAME)
FOUND = event("stock.adjusted", 2, qty=90, reason="found")
WAYS = [
    order
    for said in ([PLACED], [ANNOUNCED, PLACED], [PLACED, FOUND], [ANNOUNCED, PLACED, FOUND])
    for whole in (said, [*said, CONFIRMED])
    for order in permutations(whole)
]


@pytest.mark.parametrize("order", WAYS, ids=lambda order: " ".join(each["type"].partition(".")[2] for each in order))
def test_an_order_ends_its_signal_as_ordered_whatever_came_before(order: tuple[Event, ...]) -> None:
    """Also where goods that were found had withdrawn it, and where the log's clock moves by days with the order."""
    rig, name = shortage()
    for one in order:
        assert rig.send([encoded(one)], T0 + 2 * DAYS * HOUR) == {}
    [signal] = rig.latest("signals")
    assert (signal["id"], signal["status"], signal["order"], signal.get("draft")) == (name, "ordered", "PO", None)
