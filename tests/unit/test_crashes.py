"""Crash lists: what an engine has taken and published after a crash is what it would have without one.

A list names the events in their order. Before each of them the machine may die in the middle of its commit: `BEFORE`
loses what was folded, `AFTER` loses only the answer; the sender, left without one, sends the event again.
"""

from __future__ import annotations

from typing import Literal

import msgspec
import pytest

from engine.bus.memory.bus import Crash
from tests.auditor.adapter import Rig
from tests.unit.rules.world import AT, moment

Dies = Literal["before", "after"]
BEFORE: Dies = "before"
AFTER: Dies = "after"
RESTART = "restart"

Step = str | tuple[Dies, str]


def event(kind: str, name: str, **data: object) -> bytes:
    said = {"sku": "S", "location": "L", **data}
    envelope = {"specversion": "1.0", "id": name, "source": "test", "time": moment(0), "type": kind}
    return msgspec.json.encode({**envelope, "data": said})


PLACED = {"order": "PO", "line": 1, "supplier": "ACME", "qty": 100, "due": "2026-03-17"}
EVENTS = {
    "order": event("order.placed", "order", **PLACED),
    "receipt 1": event("goods.received", "1", receipt="1", qty=10, order="PO", line=1),
    "receipt 2": event("goods.received", "2", receipt="2", qty=20, order="PO", line=1),
    "receipt 3": event("goods.received", "3", receipt="3", qty=80, order="PO", line=1),
    "count": event("stock.counted", "count", qty=7),
    "issue": event("stock.issued", "issue", qty=30),
}


def run(steps: list[Step]) -> Rig:
    rig = Rig(1)
    for step in steps:
        if step == RESTART:
            rig.crash()
        elif isinstance(step, str):
            assert rig.send([EVENTS[step]], AT) == {}
        else:
            dies, name = step
            assert rig.send_through_power_cut([EVENTS[name]], AT, dies) == {}
    return rig


CRASHES: list[list[Step]] = [
    ["order", "receipt 1", RESTART, "receipt 2"],
    ["receipt 1", "receipt 2", RESTART, "order"],
    ["order", (BEFORE, "receipt 1"), "receipt 2"],
    ["order", (AFTER, "receipt 1"), "receipt 2"],
    ["order", (AFTER, "receipt 1"), (AFTER, "receipt 2")],
    [(BEFORE, "order"), (AFTER, "receipt 1"), RESTART, (BEFORE, "receipt 2")],
    ["order", "receipt 1", RESTART, RESTART, "receipt 1"],
    ["order", (AFTER, "receipt 3"), "receipt 1", RESTART, "receipt 2"],
    ["count", (BEFORE, "issue"), RESTART, "receipt 1"],
    ["issue", (AFTER, "count"), RESTART, "receipt 3"],
]


def without_crashes(steps: list[Step]) -> list[Step]:
    return [step if isinstance(step, str) else step[1] for step in steps if step != RESTART]


@pytest.mark.parametrize("steps", CRASHES, ids=str)
def test_a_crash_leaves_no_trace(steps: list[Step]) -> None:
    crashed, calm = run(steps), run(without_crashes(steps))
    assert crashed.said() == calm.said()
    assert crashed.dead_letters() == calm.dead_letters() == []


@pytest.mark.parametrize("dies", [BEFORE, AFTER])
def test_a_batch_is_taken_whole_or_not_at_all(dies: Dies) -> None:
    batch = [EVENTS[name] for name in ("order", "receipt 1", "receipt 2", "receipt 1")]
    torn, calm = Rig(1), Rig(1)
    assert torn.send_through_power_cut(batch, AT, dies) == {}
    assert calm.send(batch, AT) == {}
    assert torn.said() == calm.said()
    row = torn.rows()["S", "L"]
    assert (row.available, row.on_order) == (30, 70)


def test_a_crash_before_the_commit_leaves_what_was_there_before() -> None:
    rig = run(["order", "receipt 1"])
    before = rig.everything()
    rig.bus.fail_next_commit(BEFORE)
    with pytest.raises(Crash):
        rig.send([EVENTS["receipt 2"]], AT)
    rig.crash()
    assert rig.everything() == before
