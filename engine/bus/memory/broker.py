"""A broker in memory, for simulations and tests: logs, ownerships with their epochs, and what owners have committed."""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from engine.bus.cluster import Fetched
from engine.bus.single import Commit, Output, Record, StateReader
from engine.core.errors import BrokenInvariant, Fenced
from engine.core.topics import Topic
from tables.stores.memory import MemoryFamily


class Member(Protocol):
    """A process in the broker's consumer group."""

    async def pause(self) -> None:
        """The group is about to share its partitions anew."""

    async def assign(self, partitions: frozenset[int]) -> None:
        """The group has given this member these partitions."""


class Owned(NamedTuple):
    """What the broker tells who owns a partition: the epoch of the ownership, and the partition as committed."""

    epoch: int
    state: MemoryFamily
    marker: bytes | None
    next_offset: int


class Committed(NamedTuple):
    """A line of the broker's journal: who committed which stretch of a partition's log."""

    epoch: int
    start: int
    next_offset: int


class _Partition:
    """All that the broker has of one partition."""

    def __init__(self) -> None:
        self.log: list[Record] = []
        self.end = 0
        self.everywhere: set[int] = set()
        self.epoch = 0
        self.state = MemoryFamily()
        self.marker: bytes | None = None
        self.next_offset = 0
        self.outputs: dict[Topic, list[Output]] = defaultdict(list)
        self.touched: list[tuple[str, int]] = []
        self.journal: list[Committed] = []


class MemoryBroker:
    """The logs, and what owners have committed, for as long as the object lives. Every method is one instant."""

    def __init__(self, partitions: int = 8) -> None:
        self.partitions = partitions
        self._partitions = [_Partition() for _ in range(partitions)]
        self._members: list[Member] = []
        self._sharing = asyncio.Lock()

    # the log ----------------------------------------------------------------------------------------------------------

    def append(self, records: Sequence[Record], everywhere: bool = False) -> None:
        """Append records to the partitions they name; their offsets are ignored."""
        for record in records:
            of = self._partitions[record.partition]
            if everywhere:
                of.everywhere.add(of.end)
            of.log.append(record._replace(offset=of.end))
            of.end += 1

    def skip(self, partition: int, offsets: int) -> None:
        """Use up offsets for what no reader sees, as the end of a transaction does."""
        self._partitions[partition].end += offsets

    def fetch(self, partition: int, offset: int, limit: int) -> Fetched | None:
        """At most `limit` records from `offset` on; None where the log ends there."""
        of = self._partitions[partition]
        if offset >= of.end:
            return None
        first = bisect_left(of.log, offset, key=_offset)
        records = of.log[first : first + limit]
        end = of.end if first + limit >= len(of.log) else records[-1].offset + 1
        everywhere = frozenset(record.offset for record in records if record.offset in of.everywhere)
        return Fetched(partition, offset, end, records, everywhere)

    def end_offset(self, partition: int) -> int:
        """The offset that the next record gets."""
        return self._partitions[partition].end

    # owners -----------------------------------------------------------------------------------------------------------

    def own(self, partition: int) -> Owned:
        """Begin a new ownership, which fences the one before. Its rows are a copy, as a restore makes one."""
        of = self._partitions[partition]
        of.epoch += 1
        return Owned(of.epoch, _copy(of.state), of.marker, of.next_offset)

    def commit(self, epoch: int, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Apply a commit and append `broadcast`, all or nothing.

        Raises:
            Fenced: `epoch` is not that of the last ownership.
            BrokenInvariant: the commit does not fit the log.
        """
        of = self._partitions[commit.partition]
        if epoch != of.epoch:
            raise Fenced(f"partition {commit.partition} was owned anew")
        if commit.records or not of.next_offset <= commit.next_offset <= of.end:
            raise BrokenInvariant(f"partition {commit.partition}: a commit up to {commit.next_offset} does not fit")
        of.journal.append(Committed(epoch, of.next_offset, commit.next_offset))
        for key, value in commit.changes:
            of.state.apply(key, value)
        for output in commit.outputs:
            of.outputs[output.topic].append(output)
        of.touched += commit.touched
        of.marker, of.next_offset = commit.marker, commit.next_offset
        self.append(broadcast, everywhere=True)
        for partition in {record.partition for record in broadcast}:
            self.skip(partition, 1)

    # what was committed -----------------------------------------------------------------------------------------------

    def state(self, partition: int) -> StateReader:
        """The rows of a partition."""
        return self._partitions[partition].state

    def marker(self, partition: int) -> bytes | None:
        """The marker of a partition's last commit, None before the first."""
        return self._partitions[partition].marker

    def next_offset(self, partition: int) -> int:
        """Where the log goes on after the last commit."""
        return self._partitions[partition].next_offset

    def outputs(self, topic: Topic, partition: int) -> list[Output]:
        """Every output of a topic from one partition, in the order of its commits."""
        return list(self._partitions[partition].outputs[topic])

    def touched(self, partition: int) -> list[tuple[str, int]]:
        """Rows, and the offsets of events that concern them, in the order of the commits."""
        return list(self._partitions[partition].touched)

    def journal(self, partition: int) -> list[Committed]:
        """Every commit of a partition that took effect, in order."""
        return list(self._partitions[partition].journal)

    # the group --------------------------------------------------------------------------------------------------------

    async def join(self, member: Member) -> None:
        """Give a member its share of the partitions."""
        self._members.append(member)
        await self._share()

    async def leave(self, member: Member) -> None:
        """Share the partitions among the others."""
        if member in self._members:
            self._members.remove(member)
            await self._share()

    async def _share(self) -> None:
        async with self._sharing:
            members = list(self._members)
            await asyncio.gather(*(member.pause() for member in members))
            for i, member in enumerate(members):
                await member.assign(frozenset(range(i, self.partitions, len(members))))


def _offset(record: Record) -> int:
    return record.offset


def _copy(rows: MemoryFamily) -> MemoryFamily:
    copy = MemoryFamily()
    for key, value in rows.scan(b"", b"\xff"):
        copy.apply(key, value)
    return copy
