"""Business figures are those that other code finds in the log, to the unit, in any order and after any crash."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from random import Random
from typing import Any, Literal

import pytest

from engine.runtime.business import business
from tests.auditor.adapter import Rig
from tests.auditor.answers import answer_to_alert, answer_to_signal
from tests.auditor.arrival import cut, late_arrivals, with_duplicates
from tests.auditor.figures import answer, entries
from tests.auditor.model import HOUR, Event, instant
from tests.auditor.teller import SPAN, START
from tests.auditor.workload import Story, encoded

ARRIVAL = instant(START) + SPAN
EPOCH = date(1970, 1, 1).toordinal()
ACCIDENTS: tuple[Literal["none", "crash", "before", "after"], ...] = ("none", "none", "crash", "before", "after")
SEEDS = 30


class World:
    """A story that an engine folds, with answers to what the engine says, in batches, late, twice, and with crashes."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.story = Story(self.random, skus=2, locations=2, length=90)
        self.rig = Rig(2)
        self.taken: list[Event] = []

    def live(self) -> None:
        self._send(self.story.preamble())
        told = late_arrivals(self.random, list(self.story.tell(90)), 6 * HOUR)
        arrived = with_duplicates(self.random, [self._varied(one) for one in told], 0.1)
        for batch in cut(arrived, [self.random.randint(1, 12) for _ in range(20)]):
            self._send(batch)
            self._answer()

    def _varied(self, event: Event) -> Event:
        """Other suppliers than the story's only one."""
        if event["type"] == "order.placed":
            event["data"]["supplier"] = self.random.choice(["ACME", "ACME", "BOLT"])
        return event

    def _send(self, events: list[Event]) -> None:
        raw, accident = [encoded(event) for event in events], self.random.choice(ACCIDENTS)
        if accident == "crash":
            self.rig.crash()
        if accident in ("before", "after"):
            refused = self.rig.send_through_power_cut(raw, ARRIVAL, accident)
        else:
            refused = self.rig.send(raw, ARRIVAL)
        self.taken += [event for index, event in enumerate(events) if index not in refused]

    def _answer(self) -> None:
        signals = [one for one in self.rig.latest("signals") if one["status"] in ("open", "accepted", "rejected")]
        alerts = [one for one in self.rig.latest("alerts") if one["status"] != "resolved"]
        if signals and self.random.random() < 0.4:
            signal = self.random.choice(signals)
            is_ordered = self.random.random() < 0.3
            said = self._order(signal) if is_ordered else answer_to_signal(self.random, self.story, signal)
            self._send([self._reopened(signal) if signal["status"] != "open" and self.random.random() < 0.2 else said])
        if alerts and self.random.random() < 0.3:
            self._send([answer_to_alert(self.random, self.story, self.random.choice(alerts))])

    def accept_what_is_open(self) -> None:
        """Answer every open signal, so that those of which no order follows expire."""
        for signal in self.rig.latest("signals"):
            if signal["status"] == "open":
                data = {name: signal[name] for name in ("sku", "location")} | {"signal": signal["id"], "by": "ann"}
                self._send([self.story.event("signal.accepted", data, late=False)])

    def _reopened(self, signal: dict[str, Any]) -> Event:
        data = {name: signal[name] for name in ("sku", "location")} | {"signal": signal["id"], "by": "ann"}
        return self.story.event("signal.reopened", data, late=False)

    def _order(self, signal: dict[str, Any]) -> Event:
        line = {name: signal[name] for name in ("sku", "location")} | {"order": f"PS-{self.story.number}", "line": 1}
        qty = max(1, signal["qty"] + self.random.randint(-3, 3))
        return self.story.event(
            "order.placed", line | {"supplier": "BOLT", "qty": qty, "due": self.story.day(1, 4), "signal": signal["id"]}
        )

    def said(self, topic: Literal["signals", "alerts"]) -> list[dict[str, Any]]:
        return [json.loads(value) for partition in self.rig.history(topic) for value in partition]

    def expected(self, days: int | None) -> dict[str, Any]:
        return answer(entries(self.taken, self.said("signals"), self.said("alerts")), self.rig.now, days)

    def found(self, days: int | None) -> dict[str, Any]:
        told: Any = business(self.rig.bus, self.rig.now, days)
        return {
            "all": named(told["all"]),
            "by_location": {one.pop("location"): named(one) for one in told["by_location"]},
            "by_supplier": {one.pop("supplier") or "": named(one) for one in told["by_supplier"]},
            "by_day": {date.fromisoformat(one.pop("day")).toordinal() - EPOCH: named(one) for one in told["by_day"]},
        }


def named(told: dict[str, Any]) -> dict[str, Any]:
    """The figures that say something: groups and fields that are 0 or null count as absent on both sides."""
    shown = {}
    for name, fields in told.items():
        kept = {field: value for field, value in fields.items() if value} if isinstance(fields, dict) else fields
        if kept:
            shown[name] = kept
    return shown


def plain(told: dict[str, Any]) -> dict[str, Any]:
    return {
        part: named(value) if part == "all" else {name: shown for name, one in value.items() if (shown := named(one))}
        for part, value in told.items()
    }


def check(world: World, days: int | None) -> dict[str, Any]:
    found, expected = plain(world.found(days)), plain(world.expected(days))
    for part in ("by_day", "by_location", "by_supplier", "all"):
        assert found[part] == expected[part], part
    return found


@pytest.mark.parametrize("seed", range(SEEDS))
def test_figures_are_those_that_other_code_finds_in_the_log(seed: int) -> None:
    world = World(seed)
    world.live()
    check(world, None)
    check(world, 1)
    world.rig.crash()
    world.rig.tick(world.rig.now + 20 * 24 * HOUR)
    check(world, 21)
    world.rig.tick(world.rig.now + 20 * 24 * HOUR)
    assert check(world, 35)["by_day"].keys() <= set(world.found(35)["by_day"])
    kept = check(world, None)
    assert kept["all"]["acknowledgement"]["placed"] > 0


def test_the_stories_reach_every_figure() -> None:
    fields: Counter[tuple[str, str]] = Counter()
    for seed in range(3 * SEEDS):
        world = World(seed)
        world.live()
        world.accept_what_is_open()
        world.rig.tick(world.rig.now + 8 * 24 * HOUR)
        for name, group in named(world.found(None)["all"]).items():
            fields.update((name, field) for field in group)
    told: Any = business(Rig(1).bus, 0, None)
    silent = {(name, field) for name, group in told["all"].items() for field in group} - set(fields)
    assert not silent
