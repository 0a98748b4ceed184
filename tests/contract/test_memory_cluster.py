"""The cluster in memory under the suite of every cluster, and what only it is asked: requests that go wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from engine.bus.memory.broker import MemoryBroker
from engine.bus.memory.cluster import Request
from engine.bus.single import Record
from engine.core.errors import BrokenInvariant, EnvironmentFailure, Fenced
from engine.core.topics import Topic
from tests.contract.test_cluster import ClusterSuite, commit, events, signal, until
from tests.simulation.faults import Ending, Fate, FaultyCluster


class MemoryPlace:
    """A broker in memory. `fates` is what becomes of the next requests of the given kinds."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(4)
        self.fates: dict[Request, Fate] = {}

    @asynccontextmanager
    async def cluster(self) -> AsyncIterator[FaultyCluster]:
        yield FaultyCluster(self.broker, "worker", lambda _, request: self.fates.get(request, Fate()))

    async def write(self, records: Sequence[Record]) -> None:
        self.broker.append(records)

    async def outputs(self, topic: Topic, partition: int) -> list[bytes]:
        return [output.value for output in self.broker.outputs(topic, partition)]


class TestMemoryCluster(ClusterSuite):
    @asynccontextmanager
    async def build(self, path: Path) -> AsyncIterator[MemoryPlace]:
        yield MemoryPlace()

    @pytest.mark.parametrize(("ending", "applied"), [("refused", False), ("unknown", True)])
    async def test_a_commit_that_fails(self, place: MemoryPlace, ending: Ending, applied: bool) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            place.fates["commit"] = Fate(ending, failure=EnvironmentFailure("as asked"))
            with pytest.raises(EnvironmentFailure, match="as asked"):
                await owned.commit(commit(outputs=[signal(b"1")]), events(1, b"copy"))
            with pytest.raises(BrokenInvariant):
                await owned.commit(commit(), [])
            owned = await cluster.own(0)
        assert owned.marker == (b"m" if applied else None)
        assert await place.outputs("signals", 0) == ([b"1"] if applied else [])
        assert (place.broker.fetch(1, 0, 10) is not None) == applied

    async def test_a_commit_on_its_way_takes_effect_though_its_sender_is_gone(self, place: MemoryPlace) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            place.fates["commit"] = Fate(there=0.05)
            committing = asyncio.create_task(owned.commit(commit(), []))
            await asyncio.sleep(0)
            cluster.cut_off()
            committing.cancel()
            await until(lambda: place.broker.next_offset(0) == 1)

    async def test_a_commit_on_its_way_is_void_once_its_sender_is_fenced(self, place: MemoryPlace) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            former = await cluster.own(0)
            place.fates["commit"] = Fate(there=0.02)
            committing = asyncio.create_task(former.commit(commit(), []))
            await asyncio.sleep(0)
            await cluster.own(0)
            with pytest.raises(Fenced):
                await committing
        assert place.broker.next_offset(0) == 0

    async def test_offsets_may_have_gaps(self, place: MemoryPlace) -> None:
        place.broker.append(events(1, b"one"))
        place.broker.skip(1, 3)
        place.broker.append(events(1, b"two"))
        place.broker.skip(1, 2)
        whole, *parts, none = (place.broker.fetch(1, *part) for part in ((0, 10), (0, 1), (1, 9), (5, 10)))
        assert whole is not None
        assert [record.offset for record in whole.records] == [0, 4]
        assert [part and part[1:3] for part in parts] == [(0, 1), (1, 7)]
        assert (none and none[1:4]) == (5, 7, [])
        assert place.broker.fetch(1, 7, 10) is None
