"""A worker of a cluster: the partitions that the group gives it, each owned and folded by an actor of its own."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from engine.bus.cluster import Cluster, Fetched
from engine.bus.single import Record
from engine.core.errors import BrokenInvariant, ClockAhead, EnvironmentFailure, StocklineError, UsageError
from engine.core.events import encode
from engine.core.payloads import ClockAcceptedData
from engine.core.rules import Rules
from engine.core.values import SECOND, moment
from engine.runtime.arrivals import Decoder
from engine.runtime.clock import CLOCK_SOURCE, TICK_SECONDS, News, WallClock, accepted_of, ticks_of
from engine.runtime.cluster.partition_loop import PartitionLoop, late_broker
from engine.runtime.fold import Fold
from tables.rows import Feed

COMMIT_BYTES = 16 << 20
"""Of changes and outputs in a commit of several events; as much may wait to be folded, of each partition."""
TELL_AGAIN_SECONDS = 0.5
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pacing:
    """How much a commit holds and how often one is made. Seconds and bytes."""

    commit_records: int = 4_000
    commit_bytes: int = COMMIT_BYTES
    max_interval: float = 0.1
    fenced_pause: float = 8.0
    first_pause: float = 0.2
    last_pause: float = 5.0
    handover: float = 4.0


@dataclass(frozen=True)
class Senses:
    """What a worker knows of the world: wall time, and how busy its process is, from 0 to 1."""

    clock: WallClock
    load: Callable[[], float]


@dataclass
class Counts:
    """What a worker has done since it began."""

    commits: int = 0
    fenced: int = 0
    last_commit_seconds: float = 0.0


class Load:
    """How busy this process is: its processor time over wall time, smoothed over about half a second."""

    def __init__(self) -> None:
        self._at, self._used, self._load = time.monotonic(), time.process_time(), 0.0

    def __call__(self) -> float:
        """From 0 to 1."""
        at, used = time.monotonic(), time.process_time()
        if (elapsed := at - self._at) >= 0.1:
            weight = min(1.0, elapsed / 0.5)
            self._load += weight * (min(1.0, (used - self._used) / elapsed) - self._load)
            self._at, self._used = at, used
        return self._load


class Worker:
    """The receiver of a cluster: call `run` once the cluster was started with it."""

    def __init__(
        self, cluster: Cluster, rules: Rules, memory_bytes: int, pacing: Pacing, senses: Senses | None = None
    ) -> None:
        self.cluster = cluster
        self.rules = rules
        self.pacing = pacing
        self.senses = senses or Senses(WallClock(), Load())
        self.memory_bytes = memory_bytes
        self.decoder = Decoder(cluster.partitions)
        self.actors: dict[int, PartitionLoop] = {}
        self.counts = Counts()
        self.joined = False
        self._ended = False
        self._failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._untold: dict[int, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._news = News()
        self._behind: set[int] = set()
        self._hurry = asyncio.Event()

    # the group --------------------------------------------------------------------------------------------------------

    def wants(self, partition: int) -> bool:
        """Whether more of a partition would be taken now."""
        actor = self.actors.get(partition)
        return actor is not None and actor.wants()

    async def take(self, fetched: Fetched) -> None:
        """Hand what was fetched to its actor."""
        actor = self.actors.get(fetched.partition)
        if actor is not None:
            actor.take(fetched)

    async def paused(self) -> None:
        """Let commits under way come to their end, and begin none."""
        await asyncio.gather(*(actor.pause() for actor in self.actors.values()))

    async def assigned(self, partitions: frozenset[int]) -> None:
        """Keep what stays, let go of what went, begin what came."""
        log.info("partitions: %s", sorted(partitions))
        self.joined = True
        gone = [self.actors.pop(partition) for partition in sorted(self.actors.keys() - partitions)]
        await asyncio.gather(*(actor.stop() for actor in gone))
        for partition in sorted(partitions):
            if self._ended:
                return  # The group may speak to a worker that is on its way out: nobody would stop a new actor.
            if partition in self.actors:
                await self.actors[partition].resume()
            else:
                self.actors[partition] = PartitionLoop(self, partition, self.memory_bytes // self.cluster.partitions)

    def failed(self, error: BaseException) -> None:
        """The worker cannot go on; safe to call from any thread."""
        self._failure.get_loop().call_soon_threadsafe(self._fail, error)

    def _fail(self, error: BaseException) -> None:
        if not self._failure.done():
            self._failure.set_result(error)

    @property
    def ready(self) -> bool:
        """Whether the group has shared its partitions and all of this worker's are restored."""
        return self.joined and all(actor.task is not None for actor in self.actors.values())

    @property
    def _newest(self) -> int:
        """The latest arrival of what waits in this worker's partitions; 0 where nothing does."""
        return max((actor.newest for actor in self.actors.values()), default=0)

    @property
    def ahead(self) -> int:
        """By how many microseconds this machine's clock, or a broker's, has jumped ahead; 0 while they agree."""
        clock, newest = self.senses.clock, self._newest
        return max(clock.jumped, newest - clock.expected if newest > clock.latest else 0)

    def trouble(self) -> str | None:
        """Why some of what this worker has is not folded at present, None where all is."""
        clock, newest = self.senses.clock, self._newest
        if newest > clock.latest:
            return late_broker(newest, clock.expected)
        try:
            clock.read()
        except ClockAhead as error:
            return str(error)
        return None

    async def accept_clock(self, by: str) -> ClockAcceptedData | None:
        """Take the clocks of this machine and of the brokers for right, and log it; None where they have not jumped."""
        clock, ahead = self.senses.clock, self.ahead
        if not ahead:
            return None
        before = clock.expected
        accepted = ClockAcceptedData(at=moment(before + ahead), jumped_seconds=ahead // SECOND, by=by)
        raw = encode(accepted_of(before, accepted))
        partitions = range(self.cluster.partitions)
        await self.cluster.append([Record(partition, 0, CLOCK_SOURCE, raw, before) for partition in partitions])
        clock.follow(before + ahead)
        return accepted

    # life -------------------------------------------------------------------------------------------------------------

    async def run(self, asked: asyncio.Event) -> None:
        """Work until asked to stop; raises what ended it otherwise."""
        ticking = asyncio.create_task(self._tick())
        stopping: asyncio.Future[object] = asyncio.ensure_future(asked.wait())
        failing: asyncio.Future[object] = asyncio.ensure_future(asyncio.shield(self._failure))
        try:
            await asyncio.wait([stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._ended = True
            for waiting in (ticking, stopping, failing):
                waiting.cancel()
            await self.paused()
            await asyncio.gather(*(actor.stop() for actor in self.actors.values()))
            self.actors.clear()
            if self._telling is not None:
                await self._telling
        if self._failure.done():
            error = self._failure.result()
            raise error if isinstance(error, StocklineError) else BrokenInvariant(repr(error)) from error

    def settled(self, partition: int, end: int) -> None:
        """All before `end` is folded: tell the group's offsets, several at once where they come fast."""
        self._untold[partition] = end
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        while self._untold:
            told, self._untold = self._untold, {}
            try:
                await self.cluster.committed(told)
            except EnvironmentFailure as error:
                log.info("the group's offsets were not told: %s", error)
                if self._ended:
                    return
                # Who waits for the end of the log would else wait until the next event.
                self._untold = {
                    partition: end for partition, end in told.items() if partition in self.actors
                } | self._untold
                await asyncio.sleep(TELL_AGAIN_SECONDS)

    def left(self, partition: int) -> None:
        """The tick that was folded has left some of what was due: let the next follow at once, behind what waits."""
        self._behind.add(partition)
        self._hurry.set()

    async def _tick(self) -> None:
        clock = asyncio.get_running_loop().time
        look = clock() + TICK_SECONDS
        while self.rules.clock == "wall":
            late = not await self._hurried(look - clock())
            behind, self._behind = self._behind, set()
            try:
                if behind:
                    await self._append_ticks({}, sorted(behind))
                if late or clock() >= look:
                    look = clock() + TICK_SECONDS
                    await self.tick()
            except EnvironmentFailure as error:
                log.warning("time stands still: %s", error)
            except UsageError as error:
                self.failed(error)

    async def _hurried(self, seconds: float) -> bool:
        """Whether a tick must follow at once; waits for it at most so long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._hurry.wait(), max(0.0, seconds))
        hurried = self._hurry.is_set()
        self._hurry.clear()
        return hurried

    async def tick(self) -> None:
        """Write the time where that changes something: into partitions of this worker where something is due.

        It goes into all partitions where others would otherwise take a feed for stale that is alive here.
        """
        tasks = [actor.task for actor in self.actors.values() if actor.task is not None]
        now = self.senses.clock.read()
        news = self._news.ripe(now, self._declared(tasks))
        due = range(self.cluster.partitions) if news else [task.partition for task in tasks if task.due(now)]
        if due:
            await self._append_ticks(news, due)
            self._news.told(news.items())

    def _declared(self, tasks: Sequence[Fold]) -> dict[str, Feed]:
        """All feeds that this worker's partitions know of; on the way, what has arrived in them is heard."""
        declared: dict[str, Feed] = {}
        for task in tasks:
            declared.update(task.feeds.declared)
            for name, last in task.feeds.take_arrivals().items():
                self._news.heard(name, last)
        return declared

    async def _append_ticks(self, news: dict[str, int], partitions: Sequence[int]) -> None:
        at = self.senses.clock.read()
        raws = [encode(event) for event in ticks_of(at, news)]
        await self.cluster.append([Record(p, 0, CLOCK_SOURCE, raw, at) for p in partitions for raw in raws])
