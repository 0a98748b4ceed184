"""How often a worker commits: at once where it is idle, rarely and much at a time under load."""

from __future__ import annotations

import asyncio

import pytest

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster
from engine.bus.single import Record
from engine.core.rules import Rules
from engine.runtime.clock import WallClock
from engine.runtime.cluster.surroundings import Load, Machine, Pacing
from engine.runtime.cluster.worker import Worker, WorkerCounts
from tests.auditor.events import issued
from tests.auditor.model import instant
from tests.auditor.workload import encoded
from tests.simulation.loop import virtual_time

ARRIVED = instant("2026-03-04T00:00:00+00:00")
EVENTS, APART = 100, 0.005
FAST = Pacing()


def event(number: int) -> Record:
    return Record(0, 0, "A", encoded({**issued(1, 1), "id": f"issue-{number}"}), ARRIVED)


async def commits_of(load: float, pacing: Pacing, apart: float) -> int:
    """How many commits some events take that arrive one after the other."""
    broker = MemoryBroker(1)
    await folded(broker, load, pacing, apart)
    return len(broker.journal(0))


async def folded(broker: MemoryBroker, load: float = 0.0, pacing: Pacing = FAST, apart: float = APART) -> WorkerCounts:
    """Let a worker fold some events that arrive one after the other."""
    cluster = MemoryCluster(broker, "worker")
    machine = Machine(WallClock(lambda: ARRIVED, lambda: ARRIVED), lambda: load)
    worker = Worker(cluster, Rules(), 1 << 20, pacing, machine)
    asked = asyncio.Event()
    running = asyncio.create_task(worker.run(asked))
    await cluster.start(worker)
    for number in range(EVENTS):
        broker.append([event(number)])
        await asyncio.sleep(apart)
    await asyncio.sleep(2)
    asked.set()
    await running
    await cluster.stop()
    assert broker.journal(0)[-1].next_offset == EVENTS
    return worker.counts


@pytest.mark.parametrize(
    ("load", "pacing", "apart", "least", "most"),
    [
        (0.0, Pacing(), APART, 60, EVENTS),
        (1.0, Pacing(max_interval=0.1), APART, 4, 8),
        (0.5, Pacing(max_interval=0.1), APART, 8, 14),
        (1.0, Pacing(max_interval=60.0, commit_records=10), 0.0, 9, 12),
    ],
)
def test_commits_follow_the_load(load: float, pacing: Pacing, apart: float, least: int, most: int) -> None:
    with virtual_time() as runner:
        assert least <= runner.run(commits_of(load, pacing, apart)) <= most


def test_the_load_is_the_share_of_time_that_is_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter([(0.0, 0.0), (0.05, 0.05), (1.0, 1.0), (2.0, 1.0)])
    at, used = 0.0, 0.0

    def tell() -> float:
        nonlocal at, used
        at, used = next(moments)
        return at

    monkeypatch.setattr("engine.runtime.cluster.surroundings.time.monotonic", tell)
    monkeypatch.setattr("engine.runtime.cluster.surroundings.time.process_time", lambda: used)
    load = Load()
    assert [load(), load(), load()] == [0.0, 1.0, 0.0]
