"""kill -9 in the middle of a stream of events: what had a 202 is there exactly once, and outputs are the same."""

import json
import random
import resource
import threading
import time
from http.client import HTTPException
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.integration.process import Stockline, event, stockline

SKUS, BATCH = 40, 50


class Sender(threading.Thread):
    """Posts batches one after the other until it is done or its engine is gone; knows which had a 202."""

    def __init__(self, engine: Stockline, batches: list[list[dict[str, Any]]]) -> None:
        super().__init__()
        self._engine = engine
        self._batches = batches
        self.acknowledged: list[list[dict[str, Any]]] = []

    def run(self) -> None:
        for batch in self._batches:
            body = "\n".join(map(json.dumps, batch)).encode()
            try:
                answer = self._engine.call("POST", "/v1/events", body, "application/x-ndjson")
            except (OSError, HTTPException):
                return
            if answer.status != 202 or answer.json["accepted"] != len(batch):
                return
            self.acknowledged.append(batch)


def movements(sender: int, batches: int, chance: random.Random) -> list[list[dict[str, Any]]]:
    """Batches of adjustments; the name of an event is never used twice."""

    def found(name: str) -> dict[str, Any]:
        sku, qty = f"S{chance.randrange(SKUS):02}", chance.randint(1, 9)
        return event("stock.adjusted", name, sku=sku, location="LDS", qty=qty, reason="found")

    return [[found(f"{sender}-{batch}-{n}") for n in range(BATCH)] for batch in range(batches)]


def stock_of(events: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    """Quantity and number of events by sku."""
    found: dict[str, tuple[int, int]] = {}
    for each in events:
        qty, count = found.get(each["data"]["sku"], (0, 0))
        found[each["data"]["sku"]] = (qty + each["data"]["qty"], count + 1)
    return found


def rows(engine: Stockline) -> dict[str, tuple[int, int]]:
    return {row["sku"]: (row["available"], row["version"]) for row in engine.everything("/v1/positions")}


Each = TypeVar("Each")


def flat(batches: list[list[Each]]) -> list[Each]:
    return [each for batch in batches for each in batch]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11, 12])
def test_what_had_a_202_is_there_exactly_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    plans = [movements(sender, 60, chance) for sender in range(4)]
    done: list[list[list[dict[str, Any]]]] = [[] for _ in plans]
    kills = 0
    while any(len(mine) < len(plan) for mine, plan in zip(done, plans, strict=True)):
        with Stockline(tmp_path / "data", "--clock", "log") as engine:
            # Exactly what was acknowledged, and at most the batch of each sender whose answer was lost with the kill.
            acknowledged = stock_of(flat(flat(done)))
            found = rows(engine)
            assert all(found[sku][1] >= count for sku, (_, count) in acknowledged.items())
            assert sum(count for _, count in found.values()) - sum(c for _, c in acknowledged.values()) <= 4 * BATCH
            senders = [Sender(engine, plan[len(mine) :]) for mine, plan in zip(done, plans, strict=True)]
            for sender in senders:
                sender.start()
            if kills < 4:
                time.sleep(chance.uniform(0.05, 0.4))
                engine.kill()
                kills += 1
            for sender, mine in zip(senders, done, strict=True):
                sender.join()
                mine += sender.acknowledged
            if kills == 4 and engine.process.poll() is None:
                assert rows(engine) == stock_of(flat(flat(done)))
                assert engine.stop() == 0
    assert sum(count for _, count in stock_of(flat(flat(plans))).values()) == 4 * 60 * BATCH
    audited = stockline("audit", "--data", str(tmp_path / "data"))
    assert audited.returncode == 0, audited.stdout + audited.stderr


def happening(name: str, at: str, chance: random.Random) -> dict[str, Any]:
    """Something that may happen in a warehouse."""
    row = {"sku": f"S{chance.randrange(12):02}", "location": "LDS"}
    kinds: list[tuple[str, dict[str, Any]]] = [
        ("stock.issued", {"qty": chance.randint(1, 30)}),
        ("stock.issued", {"qty": chance.randint(1, 30)}),
        ("stock.returned", {"qty": 2, "disposition": "held"}),
        ("goods.received", {"receipt": name, "qty": 50, "damaged": 2}),
        ("balance.reported", {"on_hand": chance.randint(0, 90)}),
        ("order.placed", {"order": name, "line": 1, "supplier": "ACME", "qty": 48, "due": "2026-04-20"}),
    ]
    kind, data = chance.choice(kinds)
    return event(kind, name, at, **row, **data)


def story(chance: random.Random) -> list[list[dict[str, Any]]]:
    """A month of a small warehouse, a batch a day, each out of order within itself."""
    setup = []
    for n in range(12):
        row = {"sku": f"S{n:02}", "location": "LDS"}
        setup += [
            event("item.defined", f"item-{n}", sku=row["sku"], base_unit="each", units={"case": 12}),
            event("policy.set", f"policy-{n}", **row, policy={"kind": "min_max", "min": 40, "max": 150}, multiple=6),
            event("stock.counted", f"count-{n}", **row, qty=60),
        ]
    days = [
        [happening(f"{day}-{n}", f"2026-04-{day:02}T{chance.randrange(24):02}:00:00Z", chance) for n in range(25)]
        for day in range(1, 31)
    ]
    return [setup, *days]


def told(engine: Stockline) -> dict[str, list[Any]]:
    return {table: engine.everything(f"/v1/{table}?sort=id") for table in ("signals", "alerts")} | {
        "positions": engine.everything("/v1/positions")
    }


@pytest.mark.slow
def test_signals_and_alerts_are_the_same_with_and_without_kills(tmp_path: Path) -> None:
    batches = story(random.Random(5))
    with Stockline(tmp_path / "calm", "--clock", "log") as engine:
        for batch in batches:
            engine.send(*batch)
        calm = told(engine)
    assert len(calm["signals"]) > 5
    assert len(calm["alerts"]) > 5
    place, chance = 0, random.Random(6)
    for remaining in range(4, -1, -1):
        with Stockline(tmp_path / "killed", "--clock", "log") as engine:
            wanted = chance.randint(1, 6) if remaining else len(batches)
            # One batch more is on its way at the kill, and no other: a machine that is slow to kill is not overtaken.
            sender = Sender(engine, batches[place : place + wanted + 1])
            sender.start()
            if remaining:
                while len(sender.acknowledged) < wanted and sender.is_alive():
                    time.sleep(0.001)
                engine.kill()
            sender.join()
            place += len(sender.acknowledged)
            assert (place < len(batches)) == (remaining > 0), "the kill was not in the middle"
            if not remaining:
                assert told(engine) == calm


def test_a_disk_that_takes_no_more_ends_the_process_and_loses_nothing(tmp_path: Path) -> None:
    batches = movements(0, 400, random.Random(3))
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        engine.send(*batches[0])
        # No file may grow beyond this from now on: the next write that wants to fails, as on a full disk.
        resource.prlimit(engine.process.pid, resource.RLIMIT_FSIZE, (200_000, 200_000))
        sender = Sender(engine, batches[1:])
        sender.run()
        assert len(sender.acknowledged) < len(batches) - 1
        assert engine.process.wait(120) == 3
        errors = engine.errors()
        assert "stockline: " in errors
    with Stockline(tmp_path / "data", "--clock", "log") as engine:
        taken = [batches[0], *sender.acknowledged]
        acknowledged, found = stock_of(flat(taken)), rows(engine)
        assert all(found[sku][1] >= count for sku, (_, count) in acknowledged.items())
        for batch in batches[len(taken) :]:
            engine.send(*batch)
        assert rows(engine) == stock_of(flat(batches))
