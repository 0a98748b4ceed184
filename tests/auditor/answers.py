"""What planners and connectors answer to what the engine says, as steps of a story."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.auditor.model import Event
from tests.auditor.workload import Story

PUSHES = ["signal.drafted", "signal.draft_gone", "signal.push_failed"]


def answer_to_signal(random: Random, story: Story, signal: dict[str, Any]) -> Event:
    """An answer to a signal that the engine has opened; what is accepted is not accepted again."""
    kinds = ["signal.snoozed", "signal.assigned", "signal.rejected", "signal.ordered", *PUSHES, *PUSHES]
    kind = random.choice([*kinds, "signal.accepted" if signal["status"] == "open" else "signal.reopened"])
    data: dict[str, Any] = {name: signal[name] for name in ("sku", "location")} | {"signal": signal["id"]}
    if kind in PUSHES:
        data |= {"system": "erp"}
        if kind == "signal.push_failed":
            return story.event(kind, data | {"attempts": random.randint(1, 9), "detail": "403"})
        return story.event(kind, data | {"document": f"D{random.randint(1, 3)}", "line": random.choice([1, "1"])})
    data |= {"by": "planner"}
    if kind == "signal.snoozed":
        data |= {"until": story.day(-1, 2) + "T12:00:00Z"}
    if kind == "signal.assigned":
        data |= {"to": random.choice(["ann", "bob"])}
    if kind == "signal.ordered":
        data |= {"order": f"PO-{signal['id']}", "line": 1, "qty": random.randint(1, 100)}
    return story.event(kind, data, late=False)


def answer_to_alert(random: Random, story: Story, alert: dict[str, Any]) -> Event:
    """An answer to an alert that is not resolved; an acknowledgement is taken back where there is one."""
    seen = "alert.acknowledged" if alert["status"] == "open" else "alert.reopened"
    kind = random.choice([seen, "alert.resolved", "alert.snoozed", "alert.assigned"])
    data = {"alert": alert["id"], "sku": alert["sku"], "location": alert["location"], "by": "planner"}
    if kind == "alert.snoozed":
        data |= {"until": story.day(-1, 2) + "T12:00:00Z"}
    if kind == "alert.assigned":
        data |= {"to": random.choice(["ann", "bob"])}
    return story.event(kind, data, late=False)


def refused_record(random: Random, story: Story) -> Event:
    """A record of another system that its connector cannot translate."""
    reason = random.choice(["untranslatable", "unmapped_identifier", "undelivered"])
    data = {"connector": "edi", "reason": reason, "detail": "no such item", "place": f"{story.number}.edi"}
    return story.event("record.refused", data | {"record": "LIN**IN*4711~"}, late=False)


def answer_to_letter(random: Random, story: Story, letter: dict[str, Any]) -> Event:
    """What an operator does about a dead letter."""
    kind = random.choice(["dead_letter.replayed", "dead_letter.discarded"])
    return story.event(kind, {"dead_letter": letter["id"], "by": "operator", "note": "seen"}, late=False)


def end_of_draft(random: Random, story: Story, signal: dict[str, Any]) -> Event:
    """The end of the draft of a signal, in whatever status it is: its line is removed, or was ordered before."""
    data = {name: signal[name] for name in ("sku", "location")} | {"signal": signal["id"]}
    if random.random() < 0.3:
        order = {"by": "erp", "order": f"PO-{signal['id']}", "line": 1}
        return story.event("signal.ordered", data | order, late=False)
    draft = {name: signal["draft"][name] for name in ("system", "document")}
    return story.event("signal.draft_gone", data | draft, late=False)
