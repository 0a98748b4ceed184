"""A reader of the stream goes on where it was, over lost connections and restarts, or is told to start anew."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from engine.bus.disk.bus import EmbeddedBus
from engine.bus.memory.bus import MemoryBus
from engine.bus.point import Point, StreamGone
from engine.bus.single import Bus, Output
from engine.core.rules import Rules
from engine.core.topics import OUTPUT_TOPICS
from engine.runtime import subscriptions
from engine.runtime.single.service import Service
from engine.runtime.subscriptions import Lagging
from tests.unit.test_feeds import event

THEN = 1_700_000_000_000_000
TOPICS = frozenset(OUTPUT_TOPICS)


class Follower:
    """A reader that keeps what it is told, by topic and name, and how far it has come."""

    def __init__(self) -> None:
        self.point: str | None = None
        self.known: dict[tuple[str, str], Any] = {}
        self.told: list[tuple[str, str]] = []
        self.left_out = 0

    async def take(self, service: Service, most: int, conflate: bool = False) -> None:
        """Take batches until the reader has the engine's point, or, as if the connection were lost, `most` of them."""
        subscription = await service.subscribe(TOPICS, self.point, conflate)
        batches = subscription.batches()
        with suppress(Lagging):
            for _ in range(most):
                batch = await anext(batches)
                for output in batch.outputs:
                    self.hear(output)
                self.left_out += batch.left_out
                self.point = batch.point.text if batch.point is not None else self.point
                if batch.point == service.broadcaster.point:
                    break
        await batches.aclose()
        subscription.close()

    def hear(self, output: Output) -> None:
        body = json.loads(output.value)
        name = output.key if output.topic == "positions" else body["data"]["id"]
        version = body["data"].get("version", 0)
        former = self.known.get((output.topic, name), {"version": 0})
        assert version >= former.get("version", 0), "a row went back to what it was before"
        self.known[output.topic, name] = body["data"]
        self.told.append((output.topic, body["id"]))


def listed(bus: Bus) -> Mapping[tuple[str, str], Any]:
    return {
        (topic, name): json.loads(value)["data"]
        for topic in OUTPUT_TOPICS
        for name, value in bus.published.things(topic)
    }


async def ended(service: Service) -> None:
    """End the engine's thread, and let what it has published last reach the subscribers."""
    service.stop()
    await asyncio.sleep(0.01)


def events(chance: random.Random, number: int) -> list[bytes]:
    """Counts of some rows, with policies under which signals open and close, and now and then something refused."""
    told = []
    for index in range(chance.randrange(1, 6)):
        row = {"sku": f"S{chance.randrange(6)}", "location": chance.choice("LM")}
        kind = chance.random()
        if kind < 0.2:
            least = chance.randrange(50)
            policy = {"kind": "min_max", "min": least, "max": least + 20}
            told.append(event("policy.set", THEN + number, **row, policy=policy))
        elif kind < 0.9:
            told.append(
                event("stock.adjusted", THEN + number * 10 + index, **row, qty=chance.randrange(-9, 9) or 1, reason="x")
            )
        else:
            told.append(b'{"id":"x"}')
    return told


@pytest.mark.parametrize("seed", range(12))
async def test_nothing_is_missed_over_cuts_and_restarts(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed)
    monkeypatch.setattr(subscriptions, "RECENT_BYTES", chance.choice([0, 4_000, 1 << 20]))
    bus: Bus = MemoryBus(3) if seed % 2 else EmbeddedBus.open(tmp_path, 3)
    service = Service(bus, Rules(clock="log"))
    service.start()
    follower = Follower()
    await follower.take(service, 1)
    for number in range(60):
        await service.submit(events(chance, number))
        if chance.random() < 0.2:
            service.stop()
            service = Service(bus, Rules(clock="log"))
            service.start()
        if chance.random() < 0.3:
            await follower.take(service, chance.randrange(1, 6), conflate=chance.random() < 0.3)
    await ended(service)
    await follower.take(service, 10_000)
    assert follower.known == listed(bus)
    assert len({topic for topic, _ in follower.known}) >= 3
    bus.close()


async def test_what_retention_has_deleted_is_gone(tmp_path: Path) -> None:
    bus = EmbeddedBus.open(tmp_path, 1)
    service = Service(bus, Rules(clock="log"))
    service.start()
    follower = Follower()
    await follower.take(service, 1)
    await service.submit([b"x"])
    service.stop()
    again = Service(bus, Rules(clock="log"))
    while bus.retention.drop_history("dead-letters", 0, 1 << 62):
        pass
    with pytest.raises(StreamGone, match="dead-letters was deleted"):
        await again.subscribe(TOPICS, follower.point)
    # Who does not follow the dead letters has missed nothing.
    await again.subscribe(frozenset({"positions"}), follower.point)
    bus.close()


@pytest.mark.parametrize(
    "given",
    [
        "17",
        "",
        "ü",
        Point("other", dict.fromkeys(OUTPUT_TOPICS, (0,))).text,
        Point("mine", dict.fromkeys(OUTPUT_TOPICS, (0, 0))).text,
        Point("mine", dict.fromkeys(OUTPUT_TOPICS, ())).text,
        Point("mine", dict.fromkeys(OUTPUT_TOPICS, (1 << 80,))).text,
        Point("mine", dict.fromkeys(OUTPUT_TOPICS, (1 << 30,))).text[:-2],
    ],
)
def test_an_id_that_is_not_of_this_log_is_refused(given: str) -> None:
    with pytest.raises(StreamGone, match="no id of the stream of this log"):
        Point("mine", dict.fromkeys(OUTPUT_TOPICS, (5,))).read(given)


def test_an_id_is_short_and_is_read_as_it_was() -> None:
    numbers = (0, 127, 128, 1 << 20, 1 << 40, 7, 8, 9)
    point = Point("mine", dict.fromkeys(OUTPUT_TOPICS, numbers))
    assert point.read(point.text) == point
    assert len(point.text) < 150


async def test_of_a_thing_that_changes_while_a_reader_is_behind_only_the_latest_waits() -> None:
    service = Service(MemoryBus(1), Rules(clock="log"))
    service.start()
    slow = await service.subscribe(frozenset({"positions"}), conflate=True)
    for number in range(1, 501):
        await service.submit([event("stock.counted", THEN, sku="A", location="L", qty=number)])
    await service.submit([event("stock.counted", THEN, sku="B", location="L", qty=1)])
    await ended(service)
    assert slow.waiting_bytes < 1_000
    batches = slow.batches()
    assert not (await anext(batches)).outputs
    batch = await anext(batches)
    told = [json.loads(output.value)["data"] for output in batch.outputs]
    assert [(row["sku"], row["version"]) for row in told] == [("A", 500), ("B", 1)]
    assert batch.left_out == 499
    assert batch.point == service.broadcaster.point
