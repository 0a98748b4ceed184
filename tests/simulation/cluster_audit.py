"""What must hold of a broker once everything has drained, whatever has happened before."""

from __future__ import annotations

import json
from collections import Counter
from itertools import pairwise

from engine.bus.memory.broker import MemoryBroker
from engine.bus.single import Output, Record, StateReader
from engine.core.events import Broadcast, ClockTicked, decode
from engine.core.values import partition_of
from engine.runtime.arrivals import Decoder
from engine.runtime.fold import Fold
from engine.runtime.marker import read_marker, resume
from tables.stores.memory import MemoryFamily
from tests.auditor.adapter import differences, raw_of
from tests.auditor.model import Key, Row
from tests.auditor.plan import Plan
from tests.simulation.cluster_world import ClusterWorld
from tests.simulation.process import RULES

ALL = 10**9


def audit(world: ClusterWorld) -> None:
    broker = world.broker
    for partition in range(broker.partitions):
        audit_owners(broker, partition)
        audit_fold(broker, partition)
        audit_rows(world, partition)
    audit_copies(world)
    audit_refused(world)


def log_of(broker: MemoryBroker, partition: int) -> list[Record]:
    fetched = broker.fetch(partition, 0, ALL)
    return [] if fetched is None else list(fetched.records)


def folded_part(broker: MemoryBroker, partition: int) -> list[Record]:
    return [record for record in log_of(broker, partition) if record.offset < broker.next_offset(partition)]


def audit_owners(broker: MemoryBroker, partition: int) -> None:
    """Once an owner has committed, no former one does; each goes on exactly where the last commit ended."""
    journal = broker.journal(partition)
    for before, after in pairwise(journal):
        assert after.epoch >= before.epoch, f"partition {partition}: a fenced owner has committed: {before}, {after}"
        assert after.start == before.next_offset


def audit_fold(broker: MemoryBroker, partition: int) -> None:
    """Invariants 3 and 6: one plain task that folds the log in one go gives the same bytes, everything once."""
    rows = MemoryFamily()
    task = Fold(rows, partition, broker.partitions, resume(None, RULES), 64 << 20)
    arrivals = Decoder(broker.partitions).arrivals(folded_part(broker, partition))
    commit = task.step(arrivals, append=False).commit
    for key, value in commit.changes:
        rows.apply(key, value)
    for topic in ("signals", "alerts", "dead-letters"):
        assert broker.outputs(topic, partition) == [output for output in commit.outputs if output.topic == topic]
    expected = [output for output in commit.outputs if output.topic == "positions"]
    assert latest(broker.outputs("positions", partition)) == latest(expected)
    assert broker.touched(partition) == commit.touched
    assert pairs(broker.state(partition)) == pairs(rows)
    assert broker.marker(partition) == commit.marker


def audit_refused(world: ClusterWorld) -> None:
    """Bad input is refused once, and nothing else is; an answer may come too late, which is for the fold to say."""
    broker = world.broker
    letters = [output for p in range(broker.partitions) for output in broker.outputs("dead-letters", p)]
    refused = Counter(raw_of(json.loads(letter.value)["data"]) for letter in letters)
    assert {raw: count for raw, count in refused.items() if raw not in world.answers} == world.refused


def latest(outputs: list[Output]) -> dict[str, Output]:
    return {output.key: output for output in outputs}


def pairs(rows: StateReader) -> list[tuple[bytes, bytes]]:
    return list(rows.scan(b"", b"\xff"))


def audit_copies(world: ClusterWorld) -> None:
    """What was sent to one partition, though it concerns all, is in every other one exactly once."""
    broker = world.broker
    alone: Counter[tuple[int, bytes]] = Counter()
    copies: Counter[tuple[int, bytes]] = Counter()
    for partition in range(broker.partitions):
        fetched = broker.fetch(partition, 0, ALL)
        for record in fetched.records if fetched else ():
            event = decode(record.value)
            if not isinstance(event, Broadcast) or isinstance(event, ClockTicked):
                continue
            if fetched and record.offset in fetched.everywhere:
                copies[partition, record.value] += 1
            elif record.offset < broker.next_offset(partition):
                alone[partition, record.value] += 1
    expected = Counter({(q, raw): count for raw, count in world.marked.items() for q in range(broker.partitions)})
    for (partition, raw), count in alone.items():
        for other in range(broker.partitions):
            if other != partition:
                expected[other, raw] += count
    assert copies == expected


def audit_rows(world: ClusterWorld, partition: int) -> None:
    """The rows are those of the independent model, told of every event that was sent to its place."""
    published = latest(world.broker.outputs("positions", partition))
    found = {row_of(key): figures(output) for key, output in published.items()}
    model = Plan(world.accepted, read_marker(world.broker.marker(partition)).now)
    expected = {
        key: row for key, row in model.rows().items() if partition_of(key[0], world.broker.partitions) == partition
    }
    assert differences(expected, found) == []


def row_of(key: str) -> Key:
    sku, location = key.split("\0")
    return sku, location


def figures(position: Output) -> Row:
    data = json.loads(position.value)["data"]
    return Row(**{name: data[name] for name in ("available", "held", "reserved", "on_order", "in_transit")})
