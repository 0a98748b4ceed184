"""A cluster in memory, for simulations and tests: it keeps the same contract as the one on Kafka."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from engine.bus.cluster import Fetched, Receiver
from engine.bus.memory.broker import MemoryBroker, Owned
from engine.bus.single import Commit, Record, StateReader
from engine.core.errors import BrokenInvariant

IDLE_SECONDS = 0.005
FETCH_RECORDS = 500

T = TypeVar("T")
Request = Literal["own", "commit", "append"]
"""A kind of request to the broker."""


class MemoryCluster:
    """A worker's access to a broker.

    It delivers records by itself between `start` and `stop`. If it was not started, its user drives it through
    `attach`, `pause`, `assign` and `fetch`.
    """

    def __init__(self, broker: MemoryBroker, name: str) -> None:
        self.broker = broker
        self.name = name
        self.partitions = broker.partitions
        self.told: dict[int, int] = {}
        self._receiver: Receiver | None = None
        self._assignment: frozenset[int] = frozenset()
        self._places: dict[int, int] = {}
        self._delivering: asyncio.Task[None] | None = None

    # what a worker calls ----------------------------------------------------------------------------------------------

    async def own(self, partition: int) -> "MemoryOwnership":
        """Own a partition: fence its former owner, copy its rows."""
        return MemoryOwnership(self, partition, await self.ask("own", lambda: self.broker.own(partition)))

    async def seek(self, partition: int, offset: int) -> None:
        """Let fetching of a partition begin, or go on, at `offset`; one that is not assigned is left alone."""
        await asyncio.sleep(0)
        if partition in self._assignment:
            self._places[partition] = offset

    async def append(self, records: Sequence[Record]) -> None:
        """Append ticks of the clock, which their sender has put into every partition that needs them."""
        await self.ask("append", lambda: self.broker.append(records, everywhere=True))

    async def committed(self, offsets: dict[int, int]) -> None:
        """Note how far partitions have come."""
        self.told |= offsets

    async def ask(self, request: Request, effect: Callable[[], T]) -> T:  # noqa: ARG002 - those that override it look at it
        """Let `effect` happen at the broker and return its result. Simulations override it to inject faults."""
        await asyncio.sleep(0)
        result = effect()
        await asyncio.sleep(0)
        return result

    # the group --------------------------------------------------------------------------------------------------------

    async def start(self, receiver: Receiver) -> None:
        """Join the group, and deliver to `receiver`."""
        self._receiver = receiver
        self._delivering = asyncio.create_task(self._deliver())
        await self.broker.join(self)

    async def stop(self) -> None:
        """Leave the group; a second call does nothing."""
        if self._delivering is not None:
            self._delivering.cancel()
            await asyncio.gather(self._delivering, return_exceptions=True)
            self._delivering = None
            await self.broker.leave(self)

    async def pause(self) -> None:
        """The group is about to share anew: no place holds beyond that."""
        self._places.clear()
        if self._receiver is not None:
            await self._receiver.on_revoked()

    async def assign(self, partitions: frozenset[int]) -> None:
        """The group has given this member these partitions."""
        self._assignment = partitions
        if self._receiver is not None:
            await self._receiver.on_assigned(partitions)

    def attach(self, receiver: Receiver) -> None:
        """Let `receiver` hear of assignments, without joining the group."""
        self._receiver = receiver

    @property
    def fetching(self) -> list[int]:
        """The partitions with a place to fetch from."""
        return sorted(self._places)

    def fetch(self, partition: int, limit: int) -> Fetched | None:
        """What comes next in a partition; the place moves on."""
        fetched = self.broker.fetch(partition, self._places[partition], limit)
        if fetched is not None:
            self._places[partition] = fetched.end
        return fetched

    async def _deliver(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS)
            for partition in self.fetching:
                receiver = self._receiver
                if receiver is None or partition not in self._places or not receiver.wants(partition):
                    continue
                fetched = self.fetch(partition, FETCH_RECORDS)
                if fetched is not None:
                    await receiver.take(fetched)


class MemoryOwnership:
    """A partition that a worker owns."""

    def __init__(self, cluster: MemoryCluster, partition: int, owned: Owned) -> None:
        self.marker: bytes | None = owned.marker
        self.next_offset = owned.next_offset
        self._cluster = cluster
        self._partition = partition
        self._epoch = owned.epoch
        self._rows = owned.state
        self._usable = True

    @property
    def state(self) -> StateReader:
        """Committed rows, as far as this owner knows."""
        return self._rows

    async def commit(self, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Commit; the rows follow only where the broker says that it was done."""
        if not self._usable:
            raise BrokenInvariant(f"partition {self._partition}: a commit after one whose outcome is not known")
        self._usable = False
        await self._cluster.ask("commit", lambda: self._cluster.broker.commit(self._epoch, commit, broadcast))
        for key, value in commit.changes:
            self._rows.apply(key, value)
        self.marker, self.next_offset = commit.marker, commit.next_offset
        self._usable = True

    async def close(self) -> None:
        """Let go of the partition; the copy of its rows goes with this object."""
        self._usable = False

    async def discard(self) -> None:
        """Let go of the partition in the same way: there are no other local rows."""
        self._usable = False
