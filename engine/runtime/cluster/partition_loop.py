"""One partition of a worker: a small actor with one loop.

Its steps, and the reason for their order:

1. own      fence the former owner, restore the rows; only then is the place in the log known
2. seek     fetch from there
3. gather   what has been fetched; the busier the process, the longer, so that a commit holds more
4. fold     with the same `Fold` that the embedded engine uses
5. weigh    what came out too long for one transaction is forgotten, and folded again in halves
6. commit   rows, outputs, marker in one transaction; while it is under way other partitions fold
7. settle   only now does the next fold begin

Any error of a commit ends the ownership: its outcome may be unknown, so the partition is owned anew, which finds out.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from engine.aio import end
from engine.bus.cluster import Fetched, Ownership, length_of
from engine.bus.single import Record
from engine.core.errors import BrokenInvariant, Corrupt, DiskFull, EnvironmentFailure, Fenced, UsageError
from engine.core.events import Broadcast, ClockTicked
from engine.core.values import SECOND, iso
from engine.runtime.arrivals import Arrival
from engine.runtime.fold import Fold
from engine.runtime.marker import resume

if TYPE_CHECKING:
    from engine.runtime.cluster.worker import Worker

log = logging.getLogger(__name__)


HELD_SECONDS = 1.0


def late_broker(newest: int, expected: int) -> str:
    """What to say of an arrival that is later than it can be."""
    return (
        f"a broker says that an event has arrived at {iso(newest)}, {timedelta(seconds=(newest - expected) // SECOND)} "
        "after this machine's clock. Nothing more of its partition is folded until the two agree, or until `stockline "
        "clock accept` at this worker says that the broker is right"
    )


class PartitionLoop:
    """One partition of a worker."""

    def __init__(self, worker: "Worker", partition: int, memory_bytes: int) -> None:
        self.partition = partition
        self.task: Fold | None = None
        self._worker = worker
        self._memory_bytes = memory_bytes
        self._owned: Ownership | None = None
        self._queue: deque[Fetched] = deque()
        self._waiting = 0
        self._waiting_bytes = 0
        self._limit = worker.pacing.commit_records
        self._expected: int | None = None
        self.newest = 0
        """The latest arrival of what is queued."""
        self._arrived = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._committing = asyncio.Lock()
        self._stopping = False
        self._loop = asyncio.create_task(self._run(), name=f"partition {partition}")
        self._loop.add_done_callback(self._fell)

    # what is fetched --------------------------------------------------------------------------------------------------

    def wants(self) -> bool:
        """Whether more would be taken now."""
        pacing = self._worker.pacing
        room = self._waiting < 2 * pacing.commit_records and self._waiting_bytes < pacing.commit_bytes
        return self._expected is not None and room

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
            self._count(fetched, 1)
            self.newest = max(self.newest, *(record.arrived_at for record in fetched.records))
            self._arrived.set()
        elif not self._queue and not self._committing.locked():
            self._worker.settled(self.partition, fetched.end)

    def _forget(self) -> None:
        self._expected = None
        self._queue.clear()
        self._waiting = self._waiting_bytes = 0
        self.newest = 0
        self._arrived.clear()

    def _count(self, fetched: Fetched, sign: int) -> None:
        self._waiting += sign * len(fetched.records)
        self._waiting_bytes += sign * sum([len(record.value) for record in fetched.records])

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
        self._stopping = True
        self._loop.remove_done_callback(self._fell)
        await end(self._loop)

    def _fell(self, loop: asyncio.Task[None]) -> None:
        """The loop has ended without being asked to: the worker cannot go on without it."""
        error = None if loop.cancelled() else loop.exception()
        self._worker.failed(error or BrokenInvariant(f"partition {self.partition} ended by itself"))

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
                if self._stopping:
                    await self._close(None)
                    raise
                # Nobody has asked this loop to end: it is a client that gave something up.
                error = EnvironmentFailure("the Kafka client gave up a request")
            except Exception as caught:
                error = caught
            await self._close(error)
            if not isinstance(error, EnvironmentFailure) or isinstance(error, UsageError | DiskFull):
                # A person must act, or there is a bug. A full disk is this machine's: others take over.
                raise error or BrokenInvariant(f"partition {self.partition} ended by itself")
            what = "its local rows are damaged and are rebuilt" if isinstance(error, Corrupt) else error
            log.warning("partition %d: %s; it is owned anew", self.partition, what)
            self._worker.counts.fenced += isinstance(error, Fenced)
            # Who was fenced may not be the owner any more: let the group decide before fencing in turn.
            await asyncio.sleep(pacing.fenced_pause if isinstance(error, Fenced) else pause)
            pause = min(2 * pause, pacing.last_pause)

    async def _own(self) -> None:
        await self._allowed.wait()
        worker = self._worker
        self._owned = await worker.cluster.own(self.partition)
        self.task = self._task(self._owned)
        await self._allowed.wait()
        await self._seek()
        folded = self.task.marker.next_offset
        if folded:
            # The former owner may have died between its last commit and telling the group of it.
            self._worker.settled(self.partition, folded)
        log.info("partition %d: owned, from offset %d", self.partition, folded)

    def _task(self, owned: Ownership) -> Fold:
        """A task on what is committed."""
        worker, marker = self._worker, resume(owned.marker, self._worker.rules)
        return Fold(owned.state, self.partition, worker.cluster.partitions, worker.rules, marker, self._memory_bytes)

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
            await self._believable()
            began = clock()
            fetched = self._gather(self._limit)
            if fetched:
                async with self._committing:
                    await self._commit(fetched)
            interval = pacing.max_interval * worker.senses.load()
            if self._waiting < self._limit and (rest := interval - (clock() - began)) > 0:
                await asyncio.sleep(rest)

    def _gather(self, limit: int) -> list[Fetched]:
        """What waits, up to `limit` records; a fetch that is longer is cut."""
        found: list[Fetched] = []
        while self._queue and limit > 0:
            fetched = self._queue.popleft()
            if len(fetched.records) > limit:
                self._queue.appendleft(fetched._replace(records=fetched.records[limit:]))
                cut = fetched.records[limit].offset
                fetched = fetched._replace(records=fetched.records[:limit], end=cut)
            found.append(fetched)
            limit -= len(fetched.records)
            self._count(fetched, -1)
        if not self._queue:
            self.newest = 0
            self._arrived.clear()
        return found

    async def _believable(self) -> None:
        """Wait until something has arrived, and none of it later than this machine's clock could ever show.

        The brokers give arrivals their time. What they write by a clock that has jumped stays in the log, so it is
        folded only when an operator says that they were right.
        """
        clock, said = self._worker.senses.clock, False
        while not self._arrived.is_set() or self.newest > clock.latest:
            await self._arrived.wait()
            if self.newest > clock.latest:
                if not said:
                    log.error("partition %d: %s", self.partition, late_broker(self.newest, clock.expected))
                said = True
                await asyncio.sleep(HELD_SECONDS)

    async def _commit(self, fetched: Sequence[Fetched]) -> None:
        task, owned, worker = self.task, self._owned, self._worker
        if task is None or owned is None or not self._allowed.is_set():
            return
        arrivals = [arrival for part in fetched for arrival in worker.decoder.arrivals(part.records)]
        broadcast = self._broadcast(arrivals, frozenset().union(*(part.everywhere for part in fetched)))
        step = task.step(arrivals, append=False)
        if not self._fits(length_of(step.commit, broadcast), len(arrivals)):
            self._undo(fetched, owned)
            return
        began = time.monotonic()
        try:
            await owned.commit(step.commit, broadcast)
        except EnvironmentFailure:
            # Where it failed for its size, the next attempt is smaller; a success lets it grow again.
            self._limit = max(1, len(arrivals) // 2)
            raise
        task.committed()
        worker.counts.commits += 1
        worker.counts.last_commit_seconds = time.monotonic() - began
        worker.settled(self.partition, fetched[-1].end)
        if task.behind and any(type(event) is ClockTicked for _, event in arrivals):
            worker.left(self.partition)

    def _fits(self, length: int, records: int) -> bool:
        """Whether a commit of so many bytes may be made of so many records; sets how many the next one may have.

        A single record is never cut: the fold refuses what it could not write.
        """
        pacing = self._worker.pacing
        if length > pacing.commit_bytes and records > 1:
            self._limit = records // 2
            return False
        if length < pacing.commit_bytes // 4:
            self._limit = min(2 * self._limit, pacing.commit_records)
        return True

    def _undo(self, fetched: Sequence[Fetched], owned: Ownership) -> None:
        """Put back what was gathered, and forget what a fold has made of it."""
        self.task = self._task(owned)
        for part in reversed(fetched):
            self._queue.appendleft(part)
            self._count(part, 1)
        self._arrived.set()

    def _broadcast(self, arrivals: Sequence[Arrival], everywhere: frozenset[int]) -> list[Record]:
        """Copies, for the other partitions, of events that concern all and that were sent to this one only."""
        # The key may be of any bytes, and of any length: nothing asks for it where a source is there.
        alone = [
            record._replace(key=event.source)
            for record, event in arrivals
            if isinstance(event, Broadcast) and type(event) is not ClockTicked and record.offset not in everywhere
        ]
        others = [partition for partition in range(self._worker.cluster.partitions) if partition != self.partition]
        return [record._replace(partition=partition) for record in alone for partition in others]
