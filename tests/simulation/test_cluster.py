"""Many clusters, each from its seed; a failure names the seed that repeats it.

`STOCKLINE_SEEDS` is how many seeds to run (`make simulate` runs more of them), `STOCKLINE_SEED` the only one of them.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from typing import get_args

import pytest

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import MemoryOwnership
from engine.bus.single import Record
from engine.core.errors import Corrupt, EnvironmentFailure
from engine.runtime.cluster.surroundings import Pacing
from engine.runtime.cluster.worker import Worker
from tests.simulation.cluster_audit import audit
from tests.simulation.cluster_world import STEPS, ClusterWorld
from tests.simulation.faults import Ending, Fate, FaultyCluster
from tests.simulation.loop import Standstill, VirtualLoop, virtual_time
from tests.simulation.process import RULES

ONE = os.environ.get("STOCKLINE_SEED")
SEEDS = int(os.environ.get("STOCKLINE_SEEDS", "400"))
CHUNK = 50
CHUNKS = [range(int(ONE), int(ONE) + 1)] if ONE else [range(n, min(n + CHUNK, SEEDS)) for n in range(0, SEEDS, CHUNK)]


def lived(seed: int) -> ClusterWorld:
    """A world that has lived and stood the audit."""
    with virtual_time() as runner:
        loop = runner.get_loop()
        assert isinstance(loop, VirtualLoop)
        world = ClusterWorld(seed, loop)
        try:
            runner.run(world.run())
            audit(world)
        except BaseException as error:
            error.add_note(f"seed {seed}: repeat it with STOCKLINE_SEED={seed}; {dict(world.steps)}")
            raise
    return world


@pytest.mark.parametrize("seeds", CHUNKS, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_worlds(seeds: range) -> None:
    for seed in seeds:
        lived(seed)


def test_a_seed_repeats_itself() -> None:
    one, again = lived(7), lived(7)
    assert one.steps == again.steps
    assert one.loop.time() == again.loop.time()
    for partition in range(one.broker.partitions):
        assert one.broker.journal(partition) == again.broker.journal(partition)
        assert one.broker.fetch(partition, 0, 10**9) == again.broker.fetch(partition, 0, 10**9)


def test_everything_that_can_go_wrong_does() -> None:
    steps: Counter[str] = Counter()
    for seed in range(40):
        steps += lived(seed).steps
    faults = {f"{request} {ending}" for request in ("own", "commit") for ending in set(get_args(Ending)) - {"done"}}
    assert (faults | set(STEPS)) - set(steps) == set()


def test_a_world_that_waits_for_nothing_is_found() -> None:
    with virtual_time() as runner, pytest.raises(Standstill):
        runner.run(asyncio.Event().wait())


class _Unclosable(FaultyCluster):
    """Its disk fails when a partition is let go of."""

    async def own(self, partition: int) -> MemoryOwnership:
        task = await super().own(partition)

        async def close() -> None:
            raise Corrupt("as asked")

        task.close = close  # type: ignore[method-assign]
        return task


def test_a_partition_that_cannot_be_let_go_of_ends_its_worker() -> None:
    fates = {"commit": Fate("refused", failure=EnvironmentFailure("not now"))}
    broker = MemoryBroker(1)
    cluster = _Unclosable(broker, "worker", lambda _, request: fates.get(request, Fate()))

    async def work() -> None:
        worker = Worker(cluster, RULES, 1 << 20, Pacing())
        await cluster.start(worker)
        broker.append([Record(0, 0, "", b"any record asks for a commit", 0)])
        await asyncio.wait_for(worker.run(asyncio.Event()), 60)

    with virtual_time() as runner, pytest.raises(Corrupt):
        runner.run(work())
