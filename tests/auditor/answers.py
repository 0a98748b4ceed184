"""Answers of planners to what the engine says, as steps of a story."""

from __future__ import annotations

from random import Random
from typing import Any

from tests.auditor.model import Event
from tests.auditor.workload import Story


def answer_to_signal(random: Random, story: Story, signal: dict[str, Any]) -> Event:
    """An answer to a signal that the engine has opened; what is accepted is not accepted again."""
    kinds = ["signal.accepted", "signal.rejected", "signal.ordered"]
    kind = random.choice(kinds if signal["status"] == "open" else kinds[1:])
    data: dict[str, Any] = {
        "signal": signal["id"],
        "sku": signal["sku"],
        "location": signal["location"],
        "by": "planner",
    }
    if kind == "signal.ordered":
        data |= {"order": f"PO-{signal['id']}", "line": 1, "qty": random.randint(1, 100)}
    return story.event(kind, data, late=False)


def answer_to_alert(random: Random, story: Story, alert: dict[str, Any]) -> Event:
    kind = random.choice(["alert.acknowledged", "alert.resolved"])
    data = {"alert": alert["id"], "sku": alert["sku"], "location": alert["location"], "by": "planner"}
    return story.event(kind, data, late=False)
