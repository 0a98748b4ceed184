"""The parts of the chaos that need no Kafka: the oracle agrees with the engine on the story, the rows can be read."""

import json
import time
from collections import Counter
from itertools import count
from pathlib import Path
from typing import Any

from rocksdict import Options, Rdict

from engine.bus.kafka.worker.cache import Cache, CacheSettings
from engine.bus.memory.bus import MemoryBus
from engine.core.rules import Rules
from engine.core.values import partition_of
from engine.runtime.single.engine import Engine
from tests.chaos.oracle import LogRecord, Oracle
from tests.chaos.rows import FAMILIES, digests
from tests.chaos.story import Message, Story

EVENTS = 4_000
PARTITIONS = 8
HOUR = 3_600_000_000


def told(seed: int) -> list[Message]:
    """A story whose poison is left out: what is wrong with its place or key only a cluster can see."""
    story = Story(seed)
    messages = [*story.setup(), *(story.next() for _ in range(EVENTS))]
    return [message for message in messages if message.key not in (None, b"POISON", b"WRONG")]


def latest(bus: Any) -> dict[str, dict[str, Any]]:
    """The positions by sku."""
    found = [json.loads(value)["data"] for _, value in bus.published.things("positions")]
    return {position["sku"]: position for position in found}


def signals(bus: Any) -> dict[str, list[tuple[str, int, int]]]:
    """The revisions of signals by sku, in order."""
    found: dict[str, list[tuple[str, int, int]]] = {}
    for partition in range(PARTITIONS):
        for event in map(json.loads, bus.published.history("signals", partition)):
            said = event["data"]
            found.setdefault(said["sku"], []).append((event["type"], said["revision"], said["qty"]))
    return found


def log_of(messages: list[Message]) -> list[LogRecord]:
    offsets = {partition: count() for partition in range(PARTITIONS)}
    places = [(partition_of((message.key or b"").decode(), PARTITIONS), message) for message in messages]
    return [LogRecord(partition, next(offsets[partition]), said.key, said.value) for partition, said in places]


def test_the_oracle_of_the_chaos_agrees_with_the_engine_on_the_story() -> None:
    messages = told(seed=1)
    kinds = Counter(json.loads(message.value or b"")["type"] for message in messages)
    assert {"balance.reported", "stock.reserved", "shipment.notified", "forecast.revised"} <= kinds.keys()
    bus = MemoryBus(PARTITIONS)
    engine = Engine(bus, Rules())
    now = time.time_ns() // 1000
    for start in range(0, len(messages), 500):
        engine.submit([message.value or b"" for message in messages[start : start + 500]], now)
    for hours in range(1, 20):
        engine.tick(now + hours * HOUR)
    oracle = Oracle(log_of(messages), PARTITIONS)
    positions = latest(bus)
    for sku, row in oracle.rows.items():
        assert positions[sku].items() >= row.balances.items(), sku
        assert positions[sku]["version"] == row.version, sku
        assert signals(bus).get(sku, []) == row.told, sku
    assert len(oracle.rows) > 60
    assert sum(len(row.told) for row in oracle.rows.values()) > 0


def test_the_digests_of_rows_leave_out_what_is_no_database(tmp_path: Path) -> None:
    for partition in range(3):
        Cache.open(CacheSettings(tmp_path, 8, 1), partition, "topic").close()
    (tmp_path / "task-1" / "db" / "CURRENT").unlink()
    assert digests(tmp_path).keys() == {"task-0", "task-2"}


def test_the_digests_of_rows_leave_out_what_cannot_be_read_to_its_end(tmp_path: Path) -> None:
    for partition in range(2):
        database = tmp_path / f"task-{partition}" / "db"
        options = Options(raw_mode=True)
        options.create_missing_column_families(True)
        options.create_if_missing(True)
        rows = Rdict(str(database), options, {name: Options(raw_mode=True) for name in FAMILIES})
        family = rows.get_column_family(FAMILIES[0])
        for number in range(1_000):
            family[b"%d" % number] = b"x" * 100
        family.flush()
        family.close()
        rows.close()
    before = digests(tmp_path)
    (file,) = (tmp_path / "task-1" / "db").glob("*.sst")
    damaged = bytearray(file.read_bytes())
    damaged[100:200] = b"\0" * 100
    file.write_bytes(damaged)
    assert digests(tmp_path) == {"task-0": before["task-1"]}
