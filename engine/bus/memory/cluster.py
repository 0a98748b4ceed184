"""A cluster in memory, for simulation and tests: the same contract as on Kafka, and faults on demand.

A request to the broker travels there, takes effect, and its answer travels back. What sent it may be gone by then: a
request that is on its way takes effect all the same, unless its sender has been fenced meanwhile.
"""

import asyncio
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple, TypeVar

from engine.bus.cluster import Fetched, Receiver
from engine.bus.single import Commit, Output, Record, StateReader, Topic
from engine.core.errors import BrokenInvariant, EnvironmentFailure, Fenced, StocklineError
from tables.stores.memory import MemoryFamily

ANSWER_SECONDS = 30.0
IDLE_SECONDS = 0.005
FETCH_RECORDS = 500

T = TypeVar("T")
Request = Literal["own", "commit", "append"]
Ending = Literal["done", "refused", "unknown", "silent", "lost"]
"""Of a request: an unknown one fails, yet is in effect; silent and lost ones, in effect or not, are not answered."""

IN_EFFECT = frozenset({"done", "unknown", "silent"})
ANSWERED = frozenset({"done", "refused", "unknown"})


class Fate(NamedTuple):
    """What becomes of a request, and how many seconds it travels there and its answer back."""

    ending: Ending = "done"
    there: float = 0.0
    back: float = 0.0
    failure: StocklineError = EnvironmentFailure("the broker does not do it")


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
        self._members: list[MemoryCluster] = []
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

    async def join(self, member: "MemoryCluster") -> None:
        """Give a member its share of the partitions."""
        self._members.append(member)
        await self._share()

    async def leave(self, member: "MemoryCluster") -> None:
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


def certain(name: str, request: Request) -> Fate:
    """A broker without faults."""
    return Fate()


class MemoryCluster:
    """A worker's access to a broker. `fates` is asked what becomes of each request, by worker and kind of request.

    It delivers by itself between `start` and `stop`; without them who steers it calls `pause`, `assign` and `fetch`.
    """

    def __init__(self, broker: MemoryBroker, name: str, fates: Callable[[str, Request], Fate] = certain) -> None:
        self.broker = broker
        self.name = name
        self.partitions = broker.partitions
        self.told: dict[int, int] = {}
        self._fates = fates
        self._receiver: Receiver | None = None
        self._assignment: frozenset[int] = frozenset()
        self._places: dict[int, int] = {}
        self._delivering: asyncio.Task[None] | None = None
        self._cut_off = False

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

    async def ask(self, request: Request, effect: Callable[[], T]) -> T:
        """Let `effect` happen at the broker, as the request's fate has it; its result is the answer."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        if not self._cut_off:
            fate = self._fates(self.name, request)
            loop.call_later(fate.there, _arrive, fate, effect, answer)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await answer
        except TimeoutError:
            raise EnvironmentFailure(f"the broker has not answered within {ANSWER_SECONDS:g} s") from None

    def cut_off(self) -> None:
        """The process has died: nothing that it asks for from now on reaches the broker."""
        self._cut_off = True

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
            await self._receiver.paused()

    async def assign(self, partitions: frozenset[int]) -> None:
        """The group has given this member these partitions."""
        self._assignment = partitions
        if self._receiver is not None:
            await self._receiver.assigned(partitions)

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

    async def close(self, damaged: bool = False) -> None:
        """Let go of the partition; the copy of its rows goes with this object."""
        self._usable = False


def _arrive(fate: Fate, effect: Callable[[], T], answer: "asyncio.Future[T]") -> None:
    """A request is at the broker: it takes effect or not, and the answer sets out or not."""
    says: Callable[[], None] = partial(_fail, answer, fate.failure)
    if fate.ending in IN_EFFECT:
        try:
            result = effect()
        except StocklineError as error:
            says = partial(_fail, answer, error)
        else:
            if fate.ending == "done":
                says = partial(_succeed, answer, result)
    if fate.ending in ANSWERED:
        asyncio.get_running_loop().call_later(fate.back, says)


def _succeed(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[T]", error: StocklineError) -> None:
    if not answer.done():
        answer.set_exception(error)


def _offset(record: Record) -> int:
    return record.offset


def _copy(rows: MemoryFamily) -> MemoryFamily:
    copy = MemoryFamily()
    for key, value in rows.scan(b"", b"\xff"):
        copy.apply(key, value)
    return copy
