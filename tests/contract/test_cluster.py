"""What every cluster must do, run against each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from engine.bus.cluster import Fetched
from engine.bus.single import Commit, Output, Record
from engine.core.errors import Fenced
from engine.core.topics import Topic

ROW = "85123A\0LDS"
PATIENCE_SECONDS = 120.0


class Place(Protocol):
    """A place with a cluster, seen from outside; it has at least three partitions."""

    def cluster(self) -> AbstractAsyncContextManager[Any]:
        """The cluster of one process, not yet started."""

    async def write(self, records: Sequence[Record]) -> None:
        """Append records as producers outside do."""

    async def outputs(self, topic: Topic, partition: int) -> list[bytes]:
        """What was committed to a topic's partition, in order."""


class Reader:
    """A receiver that reads every partition it is given from an offset on."""

    def __init__(self, cluster: Any, offset: int = 0) -> None:
        self.cluster = cluster
        self.offset = offset
        self.fetched: list[Fetched] = []
        self.assignment: frozenset[int] = frozenset()
        self.pauses = 0

    def wants(self, partition: int) -> bool:
        return True

    async def take(self, fetched: Fetched) -> None:
        self.fetched.append(fetched)

    async def on_revoked(self) -> None:
        self.pauses += 1

    async def on_assigned(self, partitions: frozenset[int]) -> None:
        self.assignment = partitions
        for partition in partitions:
            await self.cluster.seek(partition, self.offset)

    def failed(self, error: BaseException) -> None:
        raise error

    def values(self, partition: int) -> list[bytes]:
        return [record.value for record in self.records(partition)]

    def records(self, partition: int) -> list[Record]:
        return [record for part in self.fetched if part.partition == partition for record in part.records]

    def everywhere(self, partition: int) -> set[int]:
        return {offset for part in self.fetched if part.partition == partition for offset in part.everywhere}


async def until(condition: Any) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is waited for may be in another process
            await asyncio.sleep(0.01)


def events(partition: int, *values: bytes) -> list[Record]:
    return [Record(partition, 0, "sku", value, 1_000) for value in values]


def commit(partition: int = 0, next_offset: int = 1, **parts: Any) -> Commit:
    empty: dict[str, Any] = {"records": [], "changes": [], "outputs": [], "touched": [], "marker": b"m"}
    return Commit(partition, **(empty | parts), next_offset=next_offset)


def signal(value: bytes) -> Output:
    return Output("signals", ROW, "s-1", value, "signal.raised")


@asynccontextmanager
async def reading(place: Place, offset: int = 0) -> AsyncIterator[Reader]:
    """A process that reads all logs from `offset` on."""
    async with place.cluster() as cluster:
        reader = Reader(cluster, offset)
        await cluster.start(reader)
        try:
            yield reader
        finally:
            await cluster.stop()


class ClusterSuite:
    """Inherit and provide `build`, which opens a new, empty place."""

    def build(self, path: Path) -> AbstractAsyncContextManager[Any]:
        raise NotImplementedError

    @pytest.fixture
    async def place(self, tmp_path: Path) -> AsyncIterator[Any]:
        async with self.build(tmp_path) as place:
            yield place

    async def test_a_partition_without_commits(self, place: Place) -> None:
        async with place.cluster() as cluster:
            assert cluster.partitions >= 3
            owned = await cluster.own(0)
            assert owned.marker is None
            assert owned.next_offset == 0
            assert owned.state.get(b"s-row") is None
            await owned.close()

    async def test_the_next_owner_finds_what_was_committed(self, place: Place) -> None:
        await place.write(events(0, b"one", b"two"))
        async with place.cluster() as first, place.cluster() as second:
            owned = await first.own(0)
            changes = [(b"s-row", b"1"), (b"s-gone", b"1")]
            await owned.commit(commit(changes=changes, outputs=[signal(b"1")], marker=b"one"), [])
            assert owned.state.get(b"s-row") == b"1"
            await owned.commit(commit(0, 2, changes=[(b"s-row", b"2"), (b"s-gone", None)], marker=b"two"), [])
            await owned.close()
            for cluster in (first, second):
                owned = await cluster.own(0)
                assert (owned.marker, owned.next_offset) == (b"two", 2)
                assert owned.state.get_many([b"s-row", b"s-gone"]) == [b"2", None]
                assert list(owned.state.scan(b"s", b"t")) == [(b"s-row", b"2")]
                await owned.close()
        assert await place.outputs("signals", 0) == [b"1"]

    async def test_partitions_are_apart(self, place: Place) -> None:
        await place.write([*events(0, b"one"), *events(1, b"one")])
        async with place.cluster() as cluster:
            zero, one = await cluster.own(0), await cluster.own(1)
            await zero.commit(commit(0, changes=[(b"s-row", b"0")], outputs=[signal(b"0")], marker=b"zero"), [])
            assert one.state.get(b"s-row") is None
            await one.commit(commit(1, outputs=[signal(b"1")], marker=b"one"), [])
            await zero.close()
            await one.close()
            one = await cluster.own(1)
            assert (one.marker, one.state.get(b"s-row")) == (b"one", None)
            await one.close()
        assert [await place.outputs("signals", partition) for partition in (0, 1)] == [[b"0"], [b"1"]]

    async def test_a_former_owner_is_fenced_and_leaves_nothing(self, place: Place) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as first, place.cluster() as second:
            former = await first.own(0)
            await former.commit(commit(changes=[(b"s-row", b"1")], outputs=[signal(b"1")], marker=b"one"), [])
            owner = await second.own(0)
            late = commit(changes=[(b"s-row", b"late")], outputs=[signal(b"late")], marker=b"late")
            with pytest.raises(Fenced):
                await former.commit(late, events(1, b"late"))
            await former.close()
            await owner.commit(commit(changes=[(b"s-other", b"2")], outputs=[signal(b"2")], marker=b"two"), [])
            await owner.close()
            owner = await second.own(0)
            assert owner.marker == b"two"
            assert list(owner.state.scan(b"s", b"t")) == [(b"s-other", b"2"), (b"s-row", b"1")]
            await owner.close()
        assert await place.outputs("signals", 0) == [b"1", b"2"]
        await place.write(events(1, b"end"))
        async with reading(place) as reader:
            await until(lambda: reader.values(1))
            assert reader.values(1) == [b"end"]

    async def test_an_owner_is_fenced_by_itself_too(self, place: Place) -> None:
        await place.write(events(0, b"one"))
        async with place.cluster() as cluster:
            former, owner = await cluster.own(0), await cluster.own(0)
            with pytest.raises(Fenced):
                await former.commit(commit(), [])
            await owner.commit(commit(), [])
            await former.close()
            await owner.close()

    async def test_broadcasts_arrive_where_they_are_sent_and_are_marked(self, place: Place) -> None:
        await place.write([record for partition in (0, 1, 2) for record in events(partition, b"before")])
        async with place.cluster() as cluster:
            owned = await cluster.own(0)
            await owned.commit(commit(), [*events(1, b"copy"), *events(2, b"copy")])
            await owned.close()
        await place.write([record for partition in (0, 1, 2) for record in events(partition, b"after")])
        async with reading(place) as reader:
            await until(lambda: all(b"after" in reader.values(partition) for partition in (0, 1, 2)))
            assert reader.values(0) == [b"before", b"after"]
            assert reader.everywhere(0) == set()
            for partition in (1, 2):
                assert reader.values(partition) == [b"before", b"copy", b"after"]
                assert reader.everywhere(partition) == {reader.records(partition)[1].offset}

    async def test_ticks_are_appended_and_marked(self, place: Place) -> None:
        async with place.cluster() as cluster:
            reader = Reader(cluster)
            await cluster.start(reader)
            await cluster.append([*events(0, b"tick"), *events(2, b"tick")])
            await until(lambda: reader.values(0) and reader.values(2))
            assert (reader.values(1), set(reader.values(0)), set(reader.values(2))) == ([], {b"tick"}, {b"tick"})
            assert reader.everywhere(2) == {record.offset for record in reader.records(2)}
            await cluster.stop()

    async def test_fetches_follow_on_each_other(self, place: Place) -> None:
        values = [b"event %d" % n for n in range(50)]
        async with reading(place) as reader:
            for value in values:
                await place.write(events(1, value))
            await until(lambda: len(reader.records(1)) == len(values))
            fetched = [part for part in reader.fetched if part.partition == 1]
        assert reader.values(1) == values
        end = 0
        for part in fetched:
            assert part.start == end
            end = part.end
            offsets = [record.offset for record in part.records]
            assert offsets == sorted(set(offsets))
            assert all(part.start <= offset < part.end for offset in offsets)
            assert all((record.partition, record.key) == (1, "sku") for record in part.records)

    async def test_a_seek_begins_anew(self, place: Place) -> None:
        await place.write(events(1, *(b"event %d" % n for n in range(5))))
        async with reading(place) as reader:
            await until(lambda: len(reader.records(1)) == 5)
            third = reader.records(1)[2]
            reader.fetched.clear()
            await reader.cluster.seek(1, third.offset)
            await until(lambda: len(reader.records(1)) == 3)
            assert reader.records(1)[0] == third

    async def test_two_processes_share_the_partitions(self, place: Place) -> None:
        async with reading(place) as one:
            everything = frozenset(range(one.cluster.partitions))
            await until(lambda: one.assignment == everything)
            async with reading(place) as other:
                await until(lambda: other.assignment and one.assignment | other.assignment == everything)
                await until(lambda: not one.assignment & other.assignment)
                assert one.pauses
            await until(lambda: one.assignment == everything)
