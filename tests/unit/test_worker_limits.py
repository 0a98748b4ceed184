"""A worker that is given too much: long commits are cut, long records do not pile up, what cannot be ends it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence

import pytest

from engine.bus.cluster import Fetched, length_of
from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryCluster, Request
from engine.bus.single import Commit, Record
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.rules import Rules
from engine.runtime.arrivals import Decoder
from engine.runtime.clock import WallClock
from engine.runtime.cluster.surroundings import Machine, Pacing
from engine.runtime.cluster.worker import Worker
from engine.runtime.fold import Fold
from engine.runtime.marker import Marker
from engine.runtime.publishing import LONGEST_KEPT_BYTES
from tables.stores.memory import MemoryFamily
from tests.auditor.events import event, issued
from tests.auditor.model import instant
from tests.auditor.workload import encoded
from tests.simulation.faults import Fate, FaultyCluster
from tests.simulation.loop import virtual_time

ARRIVED = instant("2026-03-04T00:00:00+00:00")
ROWS = 40
COMMIT_BYTES = 30_000
BEFORE_A_TICK = 4.5
LOADED = Machine(WallClock(lambda: ARRIVED, lambda: ARRIVED), lambda: 1.0)


class Scales(MemoryBroker):
    """A broker that weighs every commit, and sees how many events each is of."""

    def __init__(self, partitions: int) -> None:
        super().__init__(partitions)
        self.weighed: list[tuple[int, int]] = []

    def commit(self, epoch: int, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Weigh it first."""
        events = commit.next_offset - self.next_offset(commit.partition)
        super().commit(epoch, commit, broadcast)
        self.weighed.append((length_of(commit, broadcast), events))


def story() -> list[Record]:
    """Policies and issues of rows with long names; each issue opens or amends a signal."""
    records = []
    for number in range(ROWS * 4):
        row = {"sku": f"{number % ROWS:03}" + "-long-name" * 6, "location": "LDS"}
        kinds = {
            0: event("stock.counted", 0, **row, qty=100),
            1: event("policy.set", 0, **row, policy={"kind": "min_max", "min": 90, "max": 500}, lead_time_days=3),
        }
        said = kinds.get(number // ROWS) or event("stock.issued", 1, **row, qty=30 * number)
        records.append(Record(0, 0, row["sku"], encoded({**said, "id": f"e-{number}"}), ARRIVED))
    return records


async def worked(broker: MemoryBroker, pacing: Pacing, fate: Fate | None = None) -> None:
    """Let a worker fold all that the broker has."""

    def fates(_: str, request: Request) -> Fate:
        return fate if fate is not None and request == "commit" else Fate()

    await worked_on(FaultyCluster(broker, "worker", fates), pacing)


async def worked_on(cluster: MemoryCluster, pacing: Pacing) -> None:
    """Let a worker of a cluster fold all that there is."""
    worker = Worker(cluster, Rules(), 1 << 20, pacing, LOADED)
    asked = asyncio.Event()
    running = asyncio.create_task(worker.run(asked))
    try:
        await cluster.start(worker)
        await asyncio.wait([running], timeout=BEFORE_A_TICK)
    finally:
        asked.set()
        await cluster.stop()
        await running


def all_of(broker: MemoryBroker) -> tuple[object, ...]:
    signals = [(output.id, output.value) for output in broker.outputs("signals", 0)]
    latest = {output.id: output.value for output in broker.outputs("positions", 0)}
    return list(broker.state(0).scan(b"", b"\xff")), signals, latest, broker.marker(0)


def test_a_commit_that_is_too_long_is_cut_and_the_same_comes_out() -> None:
    whole, cut = Scales(1), Scales(1)
    for broker, limit in ((whole, 1 << 30), (cut, COMMIT_BYTES)):
        broker.append(story())
        with virtual_time() as runner:
            runner.run(worked(broker, Pacing(commit_bytes=limit)))
        assert broker.next_offset(0) == len(story())
    assert max(length for length, _ in whole.weighed) > 3 * COMMIT_BYTES
    assert all(length <= COMMIT_BYTES or events == 1 for length, events in cut.weighed)
    assert len(whole.weighed) < len(cut.weighed) < len(story()) // 3, "cut, but not into single events"
    assert all_of(cut) == all_of(whole)
    assert len(broker.outputs("signals", 0)) >= ROWS


def test_a_single_event_is_never_cut() -> None:
    broker = Scales(1)
    broker.append(story())
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing(commit_bytes=1)))
    assert {events for _, events in broker.weighed} == {1}
    assert broker.next_offset(0) == len(story())


def test_after_a_cut_commits_grow_again() -> None:
    broker = Scales(1)
    broker.append(story())
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing(commit_bytes=1)))
        cluster_of_one = len(broker.weighed)
    broker.append([Record(0, 0, "A", encoded({**issued(1, 1), "id": f"i-{n}"}), ARRIVED) for n in range(200)])
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing(commit_bytes=COMMIT_BYTES)))
    assert len(broker.weighed) - cluster_of_one < 20


class Weak(MemoryBroker):
    """A broker that fails at what is large, and does not say why."""

    def commit(self, epoch: int, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Fail at more than a few events."""
        if commit.next_offset - self.next_offset(commit.partition) > 10:
            raise EnvironmentFailure("the transaction failed: TimeoutError")
        super().commit(epoch, commit, broadcast)


def test_a_commit_that_fails_is_not_repeated_as_it_was() -> None:
    broker = Weak(1)
    broker.append(story())
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing(first_pause=0.01, last_pause=0.01)))
    assert broker.next_offset(0) == len(story())


def test_copies_for_other_partitions_count() -> None:
    broker = Scales(64)
    said = [event("location.defined", 0, location=f"L{n}", time_zone="Europe/London") for n in range(40)]
    broker.append([Record(0, 0, "erp", encoded({**one, "id": f"l-{n}"}), ARRIVED) for n, one in enumerate(said)])
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing(commit_bytes=100_000)))
    assert len([length for length, events in broker.weighed if events > 1]) > 1
    assert all(length <= 100_000 for length, _ in broker.weighed)
    assert all(broker.end_offset(partition) >= 40 for partition in range(64))


@pytest.mark.parametrize("key", ["\udcff\udcfe", "k" * 100_000])
def test_a_copy_for_another_partition_has_the_source_as_its_key(key: str) -> None:
    broker = MemoryBroker(2)
    said = event("location.defined", 0, location="LDS", time_zone="Europe/London")
    broker.append([Record(0, 0, key, encoded(said), ARRIVED)])
    with virtual_time() as runner:
        runner.run(worked(broker, Pacing()))
    copy = broker.fetch(1, 0, 1)
    assert copy is not None
    assert copy.records[0].key == said["source"]


def test_what_a_broker_will_never_take_ends_the_worker_with_what_to_do() -> None:
    broker = MemoryBroker(1)
    broker.append(story())
    never = Fate("refused", failure=UsageError("max.message.bytes was lowered"))
    with virtual_time() as runner, pytest.raises(UsageError, match=r"max\.message\.bytes was lowered"):
        runner.run(worked(broker, Pacing(), never))
    assert broker.next_offset(0) == 0


def test_long_records_do_not_pile_up() -> None:
    async def wanted() -> list[bool]:
        """Whether more is wanted, before and after a long record was taken."""
        cluster = MemoryCluster(MemoryBroker(1), "worker")
        worker = Worker(cluster, Rules(), 1 << 20, Pacing(commit_bytes=1_000), LOADED)
        cluster.attach(worker)
        await cluster.assign(frozenset({0}))
        await asyncio.sleep(1)
        (partition,) = worker.loops.values()
        before = partition.wants()
        partition.take(Fetched(0, 0, 1, [Record(0, 0, "A", b"x" * 1_001, ARRIVED)]))
        after = partition.wants()
        await partition.stop()
        return [before, after]

    with virtual_time() as runner:
        assert runner.run(wanted()) == [True, False]


@pytest.mark.parametrize(("length", "kept"), [(LONGEST_KEPT_BYTES, True), (LONGEST_KEPT_BYTES + 1, False)])
def test_a_refused_record_that_no_dead_letter_has_room_for_is_named_by_its_digest(length: int, kept: bool) -> None:
    task = Fold(MemoryFamily(), 0, 1, Marker(), 1 << 20)
    record = Record(0, 0, "A", b"\xff" * length, ARRIVED)
    (letter,) = task.step(Decoder(1).arrivals([record]), append=False).commit.outputs
    said = json.loads(letter.value)["data"]
    assert said["reason"] == "too_large"
    assert (said.get("raw_base64") is not None) == kept
    assert ("SHA-256" in said["detail"]) != kept
    assert len(letter.value) < 24 << 20


def test_who_takes_over_tells_the_group_what_the_former_owner_could_not() -> None:
    broker = MemoryBroker(1)
    broker.append(story())
    mute = MemoryCluster(broker, "mute")
    heir = MemoryCluster(broker, "heir")
    for cluster in (mute, heir):
        with virtual_time() as runner:
            runner.run(worked_on(cluster, Pacing()))
    assert mute.told == heir.told == {0: len(story())}


class Forgetful(MemoryCluster):
    """A cluster whose group does not take offsets for a while."""

    refusals = 3

    async def committed(self, offsets: dict[int, int]) -> None:
        """Refuse a few times."""
        if self.refusals:
            self.refusals -= 1
            raise EnvironmentFailure("the group is being shared")
        await super().committed(offsets)


def test_the_group_learns_of_the_last_commit_although_it_did_not_listen_at_first() -> None:
    broker = MemoryBroker(1)
    broker.append(story())
    cluster = Forgetful(broker, "worker")
    with virtual_time() as runner:
        runner.run(worked_on(cluster, Pacing()))
    assert cluster.told == {0: len(story())}
