"""A worker of a cluster: a loop owns and folds each of the partitions that the group assigns to it."""

import asyncio
import logging
from dataclasses import dataclass

from engine.bus.cluster import Cluster, Fetched
from engine.bus.single import Record
from engine.core.errors import BrokenInvariant, ClockAhead, EnvironmentFailure, StocklineError, UsageError
from engine.core.events import encode
from engine.core.payloads import ClockAcceptedData
from engine.core.rules import Rules
from engine.core.values import SECOND, moment
from engine.runtime.arrivals import Decoder
from engine.runtime.clock import CLOCK_SOURCE, WallClock, accepted_of
from engine.runtime.cluster.offsets import OffsetReporter
from engine.runtime.cluster.partition_loop import PartitionLoop, late_broker
from engine.runtime.cluster.surroundings import Load, Machine, Pacing, Surroundings
from engine.runtime.cluster.ticker import Ticker
from engine.runtime.commits import CommitCounts
from engine.runtime.fold import Fold

log = logging.getLogger(__name__)


@dataclass
class WorkerCounts(CommitCounts):
    """What a worker has done since it began: commits, commits that were refused, and restores of partitions."""

    fenced: int = 0
    restores: int = 0
    restore_seconds: float = 0.0


class Worker:
    """The receiver of a cluster: call `run` once the cluster was started with it.

    Attributes:
        loops: partition -> its loop.
        counts: what was committed, for the metrics.
        joined: whether the group has assigned partitions, be it none, since the worker began.
    """

    def __init__(
        self, cluster: Cluster, rules: Rules, memory_bytes: int, pacing: Pacing, machine: Machine | None = None
    ) -> None:
        self.loops: dict[int, PartitionLoop] = {}
        self.counts = WorkerCounts()
        self.joined = False
        machine = machine or Machine(WallClock(), Load())
        self._surroundings = Surroundings(cluster, rules, pacing, machine, Decoder(cluster.partitions), self)
        self._memory_bytes = memory_bytes // cluster.partitions
        self._offsets = OffsetReporter(cluster, self.loops.__contains__)
        self._ticker = Ticker(cluster, machine.clock, self.folds)
        self._ended = False
        self._failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    # called by the membership of the group ----------------------------------------------------------------------------

    def wants(self, partition: int) -> bool:
        """Whether more of a partition would be taken now."""
        loop = self.loops.get(partition)
        return loop is not None and loop.wants()

    async def take(self, fetched: Fetched) -> None:
        """Hand fetched records to the loop of their partition."""
        loop = self.loops.get(fetched.partition)
        if loop is not None:
            loop.take(fetched)

    async def on_revoked(self) -> None:
        """Let commits under way come to their end, and begin none."""
        await asyncio.gather(*(loop.pause() for loop in self.loops.values()))

    async def on_assigned(self, partitions: frozenset[int]) -> None:
        """Stop the loops of lost partitions, resume those that stay, start those of new ones."""
        log.info("partitions: %s", sorted(partitions))
        self.joined = True
        gone = [self.loops.pop(partition) for partition in sorted(self.loops.keys() - partitions)]
        await asyncio.gather(*(loop.stop() for loop in gone))
        for partition in sorted(partitions):
            if self._ended:
                return  # A rebalance can arrive during shutdown. A loop started now would never be stopped.
            if partition in self.loops:
                await self.loops[partition].resume()
            else:
                self.loops[partition] = PartitionLoop(partition, self._surroundings, self._memory_bytes)

    def failed(self, error: BaseException) -> None:
        """The worker cannot go on; safe to call from any thread."""
        self._failure.get_loop().call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_result(error)

    # called by the loops of partitions --------------------------------------------------------------------------------

    def consumed(self, partition: int, end: int) -> None:
        """All records before the offset `end` are folded and committed."""
        self._offsets.consumed(partition, end)

    def committed(self, seconds: float) -> None:
        """A commit has succeeded; it took so long."""
        self.counts.succeeded(seconds)

    def restored(self, seconds: float) -> None:
        """The rows of a partition are up to date; that took so long."""
        self.counts.restores += 1
        self.counts.restore_seconds += seconds

    def fenced(self) -> None:
        """A commit was refused because another process owns the partition."""
        self.counts.fenced += 1

    def tick_unfinished(self, partition: int) -> None:
        """The last tick has left some of what was due to the next one."""
        self._ticker.tick_unfinished(partition)

    # for metrics, health and operators --------------------------------------------------------------------------------

    def folds(self) -> list[Fold]:
        """The folds of the partitions that this worker owns at present."""
        return [loop.fold for loop in self.loops.values() if loop.fold is not None]

    @property
    def ready(self) -> bool:
        """Whether the group has assigned partitions and the rows of all of them are restored."""
        return self.joined and all(loop.fold is not None for loop in self.loops.values())

    @property
    def _newest(self) -> int:
        """The latest arrival among the records that wait in this worker's partitions; 0 where none does."""
        return max((loop.newest for loop in self.loops.values()), default=0)

    @property
    def ahead(self) -> int:
        """By how many microseconds this machine's clock, or a broker's, has jumped ahead; 0 while they agree."""
        clock, newest = self._surroundings.machine.clock, self._newest
        return max(clock.jumped, newest - clock.expected if newest > clock.latest else 0)

    def trouble(self) -> str | None:
        """Why this worker does not fold some of its partitions at present; None while it folds all of them."""
        clock, newest = self._surroundings.machine.clock, self._newest
        if newest > clock.latest:
            return late_broker(newest, clock.expected)
        try:
            clock.read()
        except ClockAhead as error:
            return str(error)
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Accept that this machine's or a broker's clock has jumped and is right, and log that.

        Returns:
            The event's data; None if no clock has jumped.
        """
        clock, cluster, ahead = self._surroundings.machine.clock, self._surroundings.cluster, self.ahead
        if not ahead:
            return None
        before = clock.expected
        accepted = ClockAcceptedData(at=moment(before + ahead), jumped_seconds=ahead // SECOND, by=by)
        raw = encode(accepted_of(before, accepted))
        await cluster.append([Record(p, 0, CLOCK_SOURCE, raw, before) for p in range(cluster.partitions)])
        clock.follow(before + ahead)
        return accepted

    # life -------------------------------------------------------------------------------------------------------------

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; raises the error that ended the worker otherwise."""
        ticking = asyncio.create_task(self._tick())
        stopping: asyncio.Future[object] = asyncio.ensure_future(stop.wait())
        failing: asyncio.Future[object] = asyncio.ensure_future(asyncio.shield(self._failure))
        try:
            await asyncio.wait([stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ended = True
            for waiting in (ticking, stopping, failing):
                waiting.cancel()
            await self._close()
        if not self._failure.done():
            return
        error = self._failure.result()
        if not (stop.is_set() and isinstance(error, EnvironmentFailure)):
            raise error if isinstance(error, StocklineError) else BrokenInvariant(repr(error)) from error
        # The other workers and the broker may be stopping too. All that was committed is kept, so nothing is lost.
        log.info("while stopping: %s", error)

    async def _tick(self) -> None:
        if self._surroundings.rules.clock == "log":
            return
        try:
            await self._ticker.run()
        except UsageError as error:
            self.failed(error)

    async def _close(self) -> None:
        await self.on_revoked()
        await asyncio.gather(*(loop.stop() for loop in self.loops.values()))
        self.loops.clear()
        await self._offsets.close()
