"""A worker of a cluster: the partitions that the group gives it, each owned and folded on its own.

A partition here is a small actor with one loop. Its steps, and the reason for their order:

1. own      fence the former owner, restore the rows; only then is the place in the log known
2. seek     fetch from there
3. gather   what has been fetched; the busier the process, the longer, so that a commit holds more
4. fold     with the same `Task` that the embedded engine uses
5. commit   rows, outputs, marker in one transaction; while it is under way other partitions fold
6. settle   only now does the next fold begin

Any error of a commit ends the ownership: its outcome may be unknown, so the partition is owned anew, which finds out.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.bus.base import Record
from engine.bus.cluster import Cluster, Fetched, OwnedTask
from engine.core.errors import (
    BrokenInvariant,
    Corrupt,
    DiskFull,
    EnvironmentFailure,
    Fenced,
    StocklineError,
    UsageError,
)
from engine.core.events import Broadcast, ClockTicked, encode
from engine.core.rules import Rules
from engine.runtime.clock import CLOCK_SOURCE, TICK_SECONDS, tick_of
from engine.runtime.task import Arrival, Decoder, Task, read_marker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pacing:
    """How much a commit holds and how often one is made. Seconds."""

    commit_records: int = 4_000
    max_interval: float = 0.1
    fenced_pause: float = 8.0
    first_pause: float = 0.2
    last_pause: float = 5.0
    handover: float = 4.0


@dataclass(frozen=True)
class Senses:
    """What a worker knows of the world: wall time in microseconds, and how busy its process is, from 0 to 1."""

    now: Callable[[], int]
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
        self.senses = senses or Senses(lambda: time.time_ns() // 1000, Load())
        self.memory_bytes = memory_bytes
        self.decoder = Decoder(cluster.partitions)
        self.actors: dict[int, Actor] = {}
        self.counts = Counts()
        self.joined = False
        self._failure: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self._untold: dict[int, int] = {}
        self._telling: asyncio.Task[None] | None = None
        self._told_feeds: dict[str, int] = {}

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
            if partition in self.actors:
                await self.actors[partition].resume()
            else:
                self.actors[partition] = Actor(self, partition, self.memory_bytes // self.cluster.partitions)

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

    # life -------------------------------------------------------------------------------------------------------------

    async def run(self, asked: asyncio.Event) -> None:
        """Work until asked to stop; raises what ended it otherwise."""
        ticking = asyncio.create_task(self._tick())
        stopping: asyncio.Future[object] = asyncio.ensure_future(asked.wait())
        failing: asyncio.Future[object] = asyncio.ensure_future(asyncio.shield(self._failure))
        try:
            await asyncio.wait([stopping, failing], return_when=asyncio.FIRST_COMPLETED)
        finally:
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
            await self.cluster.committed(told)

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            if self.rules.clock == "wall":
                try:
                    await self.tick()
                except EnvironmentFailure as error:
                    log.warning("time stands still: %s", error)

    async def tick(self) -> None:
        """Write the time into this worker's partitions; into all where others would not know of a feed's arrival."""
        open_actors = [actor for actor in self.actors.values() if actor.task is not None]
        feeds: dict[str, int] = {}
        for actor in open_actors:
            for name, feed in actor.task.feeds.items() if actor.task else ():
                feeds[name] = max(feed.last, feeds.get(name, 0))
        news = feeds != self._told_feeds
        targets = range(self.cluster.partitions) if news else [actor.partition for actor in open_actors]
        if open_actors:
            at = self.senses.now()
            raw = encode(tick_of(at, feeds))
            await self.cluster.append([Record(partition, 0, CLOCK_SOURCE, raw, at) for partition in targets])
            self._told_feeds = feeds


class Actor:
    """One partition of a worker."""

    def __init__(self, worker: Worker, partition: int, memory_bytes: int) -> None:
        self.partition = partition
        self.task: Task | None = None
        self._worker = worker
        self._memory_bytes = memory_bytes
        self._owned: OwnedTask | None = None
        self._queue: deque[Fetched] = deque()
        self._waiting = 0
        self._expected: int | None = None
        self._arrived = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._committing = asyncio.Lock()
        self._loop = asyncio.create_task(self._run(), name=f"partition {partition}")

    # what is fetched --------------------------------------------------------------------------------------------------

    def wants(self) -> bool:
        """Whether more would be taken now."""
        return self._expected is not None and self._waiting < 2 * self._worker.pacing.commit_records

    def take(self, fetched: Fetched) -> None:
        """Queue what follows on what was taken before; anything else is from before a seek.

        Such a fetch may begin at the very offset that was sought. The one that was asked for then overlaps it, and
        only the rest of it is new.
        """
        expected = self._expected
        if expected is None or not fetched.start <= expected < fetched.end:
            log.debug("partition %d: dropped a fetch from %d, not %s", self.partition, fetched.start, expected)
            return
        if fetched.start < expected:
            rest = [record for record in fetched.records if record.offset >= expected]
            fetched = fetched._replace(start=expected, records=rest)
        self._expected = fetched.end
        if fetched.records:
            self._queue.append(fetched)
            self._waiting += len(fetched.records)
            self._arrived.set()
        elif not self._queue and not self._committing.locked():
            self._worker.settled(self.partition, fetched.end)

    def _forget(self) -> None:
        self._expected = None
        self._queue.clear()
        self._waiting = 0
        self._arrived.clear()

    async def _seek(self) -> None:
        assert self._owned is not None
        self._forget()
        offset = self._owned.next_offset if self.task is None else self.task.marker.next_offset
        self._expected = offset
        await self._worker.cluster.seek(self.partition, offset)

    # life -------------------------------------------------------------------------------------------------------------

    async def pause(self) -> None:
        """Begin no further commit; returns when none is under way, or after a while."""
        self._allowed.clear()
        self._forget()
        try:
            async with asyncio.timeout(self._worker.pacing.handover), self._committing:
                pass
        except TimeoutError:
            log.warning("partition %d: a commit does not come to its end", self.partition)

    async def resume(self) -> None:
        """The group has left this partition with us."""
        if self.task is not None:
            await self._seek()
        self._allowed.set()

    async def stop(self) -> None:
        """Let go of the partition."""
        self._loop.cancel()
        await asyncio.gather(self._loop, return_exceptions=True)

    async def _run(self) -> None:
        pacing = self._worker.pacing
        pause = pacing.first_pause
        while True:
            error: BaseException | None = None
            try:
                await self._own()
                pause = pacing.first_pause
                await self._serve()
            except asyncio.CancelledError:
                await self._close(None)
                raise
            except Exception as caught:
                error = caught
            await self._close(error)
            if not isinstance(error, EnvironmentFailure) or isinstance(error, UsageError | DiskFull):
                # A person must act, or there is a bug. A full disk is this machine's: others take over.
                self._worker.failed(error or BrokenInvariant("a partition ended by itself"))
                return
            log.warning("partition %d: %s; it is owned anew", self.partition, error)
            self._worker.counts.fenced += isinstance(error, Fenced)
            # Who was fenced may not be the owner any more: let the group decide before fencing in turn.
            await asyncio.sleep(pacing.fenced_pause if isinstance(error, Fenced) else pause)
            pause = min(2 * pause, pacing.last_pause)

    async def _own(self) -> None:
        await self._allowed.wait()
        worker = self._worker
        self._owned = await worker.cluster.own(self.partition)
        marker = read_marker(self._owned.marker)
        if self._owned.marker is not None and marker.clock != worker.rules.clock:
            raise UsageError(f"the log was begun with --clock {marker.clock} and cannot go on with another")
        self.task = Task(
            self._owned.state, self.partition, worker.cluster.partitions, worker.rules, marker, self._memory_bytes
        )
        await self._allowed.wait()
        await self._seek()
        log.info("partition %d: owned, from offset %d", self.partition, marker.next_offset)

    async def _close(self, error: BaseException | None) -> None:
        self._forget()
        self.task = None
        owned, self._owned = self._owned, None
        if owned is not None:
            await asyncio.shield(owned.close(damaged=isinstance(error, Corrupt)))

    # the loop ---------------------------------------------------------------------------------------------------------

    async def _serve(self) -> None:
        worker, pacing = self._worker, self._worker.pacing
        clock = asyncio.get_running_loop().time
        while True:
            await self._arrived.wait()
            began = clock()
            fetched = self._gather(pacing.commit_records)
            if fetched:
                async with self._committing:
                    await self._commit(fetched)
            interval = pacing.max_interval * worker.senses.load()
            if self._waiting < pacing.commit_records and (rest := interval - (clock() - began)) > 0:
                await asyncio.sleep(rest)

    def _gather(self, limit: int) -> list[Fetched]:
        """What waits, up to about `limit` records; a fetch that is longer is cut."""
        found: list[Fetched] = []
        while self._queue and limit > 0:
            fetched = self._queue.popleft()
            if len(fetched.records) > limit:
                self._queue.appendleft(fetched._replace(records=fetched.records[limit:]))
                cut = fetched.records[limit].offset
                fetched = fetched._replace(records=fetched.records[:limit], end=cut)
            found.append(fetched)
            limit -= len(fetched.records)
            self._waiting -= len(fetched.records)
        if not self._queue:
            self._arrived.clear()
        return found

    async def _commit(self, fetched: Sequence[Fetched]) -> None:
        task, owned, worker = self.task, self._owned, self._worker
        if task is None or owned is None or not self._allowed.is_set():
            return
        arrivals = [arrival for part in fetched for arrival in worker.decoder.arrivals(part.records)]
        broadcast = self._broadcast(arrivals, frozenset().union(*(part.everywhere for part in fetched)))
        step = task.step(arrivals, append=False)
        began = time.monotonic()
        await owned.commit(step.commit, broadcast)
        task.committed()
        worker.counts.commits += 1
        worker.counts.last_commit_seconds = time.monotonic() - began
        worker.settled(self.partition, fetched[-1].end)

    def _broadcast(self, arrivals: Sequence[Arrival], everywhere: frozenset[int]) -> list[Record]:
        """Copies, for the other partitions, of events that concern all and that were sent to this one only."""
        alone = [
            record
            for record, event in arrivals
            if isinstance(event, Broadcast) and type(event) is not ClockTicked and record.offset not in everywhere
        ]
        others = [partition for partition in range(self._worker.cluster.partitions) if partition != self.partition]
        return [record._replace(partition=partition) for record in alone for partition in others]
