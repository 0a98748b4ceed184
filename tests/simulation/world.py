"""A seeded world that does its worst to an engine, with an auditor who looks after every step."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

from benchmarks.attack.patterns import PATTERNS
from engine.bus.memory.bus import CrashPoint
from tests.auditor.adapter import Rig, differences
from tests.auditor.answers import answer_to_alert, answer_to_letter, answer_to_signal, end_of_draft, refused_record
from tests.auditor.arrival import conflicting, late_arrivals, with_duplicates
from tests.auditor.malformed import malformed
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.plan import Plan
from tests.auditor.pushes import draft_of, push_has_failed
from tests.auditor.teller import iso
from tests.auditor.workload import Story, encoded

CRASH = "crash"
DELIVER, DIE_BEFORE, DIE_AFTER, BAD, CONFLICT, AGAIN, TICK, ANSWER = (
    "deliver",
    "die before the commit",
    "die after the commit",
    "bad input",
    "conflict",
    "send again",
    "tick",
    "answer",
)
BURST = "burst"
UNTRANSLATABLE = "refused record"
BURST_EVENTS = 8
BURSTS = [name for name in PATTERNS if name != "a day leaves the window"]
"""The one pattern left out ends nine days later, where the story's own events would be too old to be kept."""
STEPS = {
    BURST: 1,
    DELIVER: 12,
    DIE_BEFORE: 2,
    DIE_AFTER: 2,
    CRASH: 3,
    BAD: 2,
    CONFLICT: 1,
    AGAIN: 2,
    TICK: 3,
    ANSWER: 5,
    UNTRANSLATABLE: 1,
}


class World:
    """One run: a story told to an engine with duplicates, bad input, answers and crashes; audited step by step."""

    def __init__(self, seed: int, length: int = 45) -> None:
        self.random = Random(seed)
        self.story = Story(self.random, skus=self.random.randint(1, 3), locations=2, length=length)
        self.rig = Rig(self.random.choice([1, 2, 8]))
        self.accepted: list[Event] = []
        self.taken: list[
            tuple[str, list[bytes], int]
        ] = []  # what reached the log: for telling it again without crashes
        self.refused = 0
        self.steps: Counter[str] = Counter()
        self.versions: dict[tuple[str, str], int] = {}
        self.preamble = self.story.preamble()
        self.clock = self.story.now
        told = list(self.story.tell(length))
        self.waiting = with_duplicates(self.random, late_arrivals(self.random, told, 6 * HOUR))
        self.doing: dict[str, Callable[[], None]] = {
            DELIVER: lambda: self.submit(self.next_batch()),
            DIE_BEFORE: lambda: self.submit(self.next_batch(), "before"),
            DIE_AFTER: lambda: self.submit(self.next_batch(), "after"),
            CRASH: self.rig.crash,
            BAD: self.send_bad_input,
            CONFLICT: self.send_conflict,
            AGAIN: self.send_again,
            TICK: self.tick,
            ANSWER: self.answer,
            BURST: self.burst,
            UNTRANSLATABLE: self.refuse_record,
        }

    # ---- a run

    def run(self) -> None:
        self.submit(self.preamble)
        while self.waiting:
            (step,) = self.random.choices(list(STEPS), list(STEPS.values()))
            self.steps[step] += 1
            self.doing[step]()
            self.audit()
        self.tell_it_without_crashes()
        self.send_everything_again()

    def next_batch(self) -> list[Event]:
        size = min(len(self.waiting), self.random.randint(1, 8))
        batch, self.waiting = self.waiting[:size], self.waiting[size:]
        return batch

    def submit(self, batch: list[Event], power_cut: CrashPoint | None = None) -> None:
        self.clock = max([self.clock, *(instant(event["time"]) for event in batch)])
        raw = [encoded(event) for event in batch]
        if power_cut:
            refused = self.rig.send_through_power_cut(raw, self.clock, power_cut)
        else:
            refused = self.rig.send(raw, self.clock)
        assert refused == {}, f"refused: {[(reason, batch[index]) for index, reason in refused.items()]}"
        self.accepted += batch
        self.taken += [("batch", raw, self.clock)] * (2 if power_cut == "after" else 1)

    def tick(self) -> None:
        self.clock += self.random.randrange(2 * HOUR)
        self.rig.tick(self.clock)
        self.taken.append(("tick", [], self.clock))

    def burst(self) -> None:
        """What is hard on an engine, once: a pattern of `make attack`, small, its events in any order."""
        if self.steps[BURST] == 1:
            name = self.random.choice(BURSTS)
            events = [json.loads(raw) | {"source": f"burst/{name}"} for raw in PATTERNS[name].events(BURST_EVENTS)]
            if name != "reports with a changing drift":
                self.random.shuffle(events)
            self.submit(events)

    def send_bad_input(self) -> None:
        kind, raw, reasons = malformed(self.random, self.clock)
        refused = self.rig.send([raw], self.clock)
        self.taken.append(("batch", [raw], self.clock))
        self.refused += 1
        assert set(refused) == {0}, f"{kind} was taken"
        assert refused[0] in reasons, f"{kind} was refused as {refused[0]}"

    def send_conflict(self) -> None:
        raw = encoded(conflicting(self.random, self.random.choice(self.accepted)))
        refused = self.rig.send([raw], self.clock)
        self.taken.append(("batch", [raw], self.clock))
        self.refused += 1
        assert refused == {0: "conflict"}

    def send_again(self) -> None:
        self.submit(self.random.choices(self.accepted, k=self.random.randint(1, 9)))

    def answer(self) -> None:
        """A planner or the ERP answers something that the engine has opened, or a draft that is left over ends."""
        self.story.now = self.clock
        signals = [signal for signal in self.rig.latest("signals") if signal["status"] in ("open", "accepted")]
        alerts = [alert for alert in self.rig.latest("alerts") if alert["status"] != "resolved"]
        left = [signal for signal in self.rig.latest("signals") if "draft" in signal and signal not in signals]
        if left and self.random.random() < 0.5:
            self.submit([end_of_draft(self.random, self.story, self.random.choice(left))])
        elif signals and self.random.random() < 0.7:
            self.submit([answer_to_signal(self.random, self.story, self.random.choice(signals))])
        elif alerts:
            self.submit([answer_to_alert(self.random, self.story, self.random.choice(alerts))])

    def refuse_record(self) -> None:
        """A connector cannot translate a record; that is an event, and a dead letter, which somebody may look at."""
        self.submit([refused_record(self.random, self.story)])
        self.refused += 1
        letter = self.random.choice(self.rig.latest("dead-letters"))
        self.submit([answer_to_letter(self.random, self.story, letter)])

    # ---- the auditor

    def audit(self) -> None:
        """Rows as in the model, units conserved, derived figures right, versions rising, one open signal a row."""
        model = Plan(self.accepted, self.rig.now)
        published = self.rig.position_data()
        assert differences(model.rows(), self.rig.rows()) == []
        for sku in self.story.skus:
            stock = sum(data["available"] + data["held"] for (of, _), data in published.items() if of == sku)
            moving = sum(sum(model.transfers((sku, location)).values()) for location in self.story.locations)
            assert stock + moving == model.flows(sku), f"units of {sku} are not conserved"
        for key, data in published.items():
            assert data["on_hand"] == data["available"] + data["held"]
            assert data["sellable"] == data["available"] - data["reserved"]
            assert data["position"] == data["sellable"] + data["on_order"] + data["in_transit"]
            assert data["version"] >= self.versions.get(key, 0)
            self.versions[key] = data["version"]
        self.audit_signals(model)
        assert len(self.rig.dead_letters()) == self.refused

    def audit_signals(self, model: Plan) -> None:
        """One signal a row; it stands only where the position asks for it, and for about what it asks for."""
        known = self.rig.latest("signals")
        standing = [signal for signal in known if signal["status"] in ("open", "accepted")]
        rows = Counter(row_of(signal) for signal in standing)
        assert all(count == 1 for count in rows.values()), f"more than one signal stands: {rows}"
        self.audit_pushes(known, set(rows))
        of_row = {row_of(signal): signal for signal in standing if signal["status"] == "open"}
        silent = set(model.rows()) - {row_of(signal) for signal in known}
        for key in {*of_row, *silent}:
            policy = model.policy(key)
            if policy is None or policy["policy"]["kind"] == "none":
                assert key not in of_row, f"a signal without a policy: {of_row[key]}"
            elif not model.stock_known(key):
                # Such a row may wait for its count; what is said of it is never for the engine to order by itself.
                assert key not in of_row or "stock_unknown" in of_row[key]["reasons"], of_row[key]
            elif policy["policy"]["kind"] != "forecast" and model.row(key).available >= 0:
                self.audit_quantity(model.order_quantity(key), of_row.get(key), key)

    def audit_pushes(self, known: list[dict[str, Any]], standing: set[tuple[str, str]]) -> None:
        """The draft of each signal is that of the contract, and holds back the next; an alert has a failed push."""
        for signal in known:
            shown, told = signal.get("draft"), draft_of(self.accepted, signal["id"])
            found = None if shown is None else (shown["system"], shown["document"], shown["line"])
            assert found == told, f"the draft of {signal} is {told}"
            is_over = signal["status"] not in ("open", "accepted")
            assert not (shown and is_over and row_of(signal) in standing), f"{signal} has not held back the next"
        for alert in self.rig.latest("alerts"):
            if alert["kind"] == "push_failed" and alert["status"] != "resolved":
                assert push_has_failed(self.accepted, alert["evidence"]["signal"]), alert

    def audit_quantity(self, wanted: int, signal: dict[str, Any] | None, key: tuple[str, str]) -> None:
        """Nothing wanted, no signal; else a signal whose quantity is within the dead band of 10 %."""
        if signal is None:
            assert wanted == 0, f"{key} wants {wanted} and has no signal"
        else:
            assert wanted > 0, f"{key} wants nothing and has {signal}"
            assert abs(signal["qty"] - wanted) * 10 <= signal["qty"], f"{key} wants {wanted} and has {signal}"

    # ---- the log once more

    def send_everything_again(self) -> None:
        """Invariant 4: a whole log twice changes nothing."""
        before = self.rig.published()
        self.rig.send([encoded(event) for event in self.accepted], self.clock)
        assert self.rig.published() == before

    def tell_it_without_crashes(self) -> None:
        """Invariants 3 and 6: the same log on another engine gives the same bytes."""
        other = Rig(self.rig.bus.partitions)
        for kind, raw, at in self.taken:
            if kind == "batch":
                other.send(raw, at)
            else:
                other.tick(at)
        assert other.everything() == self.rig.everything()


def row_of(thing: dict[str, Any]) -> tuple[str, str]:
    return thing["sku"], thing["location"]


def summary(world: World) -> str:
    return json.dumps({"steps": world.steps, "events": len(world.accepted), "until": iso(world.clock)})
