"""The loop that owns and folds one partition of a worker.

Its steps, and the reason for their order:

1. own      fence the former owner, restore the rows; only then is the offset known from which the fold goes on
2. seek     fetch from that offset
3. gather   the fetched records; the busier the process, the longer, so that a commit holds more
4. fold     with the same `Fold` that the embedded engine uses
5. weigh    changes too large for one transaction are dropped, and half as many records are folded next
6. commit   rows, outputs and marker in one transaction; meanwhile the loops of other partitions fold
7. report   the offsets for the consumer group and what is still due; only now does the next fold begin

Any error of a commit ends the ownership, because its outcome may be unknown: to own the partition anew finds it out.
"""

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import NoReturn

from engine.aio import end
from engine.bus.cluster import Fetched, Ownership, length_of
from engine.bus.single import Record
from engine.core.errors import BrokenInvariant, Corrupt, DiskFull, EnvironmentFailure, Fenced
from engine.core.events import BROADCAST_TYPES, Broadcast, ClockTicked
from engine.core.values import SECOND, iso
from engine.runtime.arrivals import Arrival
from engine.runtime.cluster.fetch_queue import FetchQueue
from engine.runtime.cluster.surroundings import Surroundings
from engine.runtime.fold import Fold
from engine.runtime.marker import EARLIER_ROWS, resume
from engine.telemetry.tracing import TRACING
from tables.catalogue import ROWS

log = logging.getLogger(__name__)

BELIEVE_SECONDS = 1.0
"""How often a loop looks again whether the clocks agree."""
COPIED_TYPES = BROADCAST_TYPES - {ClockTicked}
"""The events that a loop copies to the other partitions. The ticker of each worker writes ticks where they are due."""


def late_broker(newest: int, expected: int) -> str:
    """The sentence for an arrival that is later than this machine's clock allows; both in microseconds."""
    return (
        f"a broker says that an event has arrived at {iso(newest)}, {timedelta(seconds=(newest - expected) // SECOND)} "
        "after this machine's clock. Nothing more of its partition is folded until the two agree, or until `stockline "
        "clock accept` at this worker says that the broker is right"
    )


class PartitionLoop:
    """One partition of a worker. Its loop begins at once and ends with `stop`.

    Attributes:
        fold: the fold of the partition; None while the partition is not owned.
    """

    def __init__(self, partition: int, surroundings: Surroundings, memory_bytes: int) -> None:
        self.partition = partition
        self.fold: Fold | None = None
        self._surroundings = surroundings
        self._pacing = surroundings.pacing
        self._memory_bytes = memory_bytes
        self._ownership: Ownership | None = None
        self._queue = FetchQueue(partition)
        self._limit = self._pacing.commit_records
        self._pause = self._pacing.first_pause
        self._allowed = asyncio.Event()
        self._allowed.set()
        self._committing = asyncio.Lock()
        self._stopping = False
        self._running = asyncio.create_task(self._run(), name=f"partition {partition}")
        self._running.add_done_callback(self._ended)

    # for the worker ---------------------------------------------------------------------------------------------------

    @property
    def newest(self) -> int:
        """The latest arrival among the records that wait, in microseconds; 0 while none does."""
        return self._queue.newest

    def wants(self) -> bool:
        """Whether more records would be taken now."""
        queue, pacing = self._queue, self._pacing
        return queue.is_open and queue.records < 2 * pacing.commit_records and queue.bytes < pacing.commit_bytes

    def take(self, fetched: Fetched) -> None:
        """Queue the records of a fetch; a fetch that was issued before the last seek is dropped."""
        added = self._queue.add(fetched)
        if added and not fetched.records and not self._queue.records and not self._committing.locked():
            # Only transaction markers: nothing is left to commit, yet the group's lag would count them.
            self._surroundings.report.consumed(self.partition, fetched.end)

    async def pause(self) -> None:
        """Begin no further commit; returns when none is under way, or after the time of a handover."""
        self._allowed.clear()
        self._queue.close()
        try:
            async with asyncio.timeout(self._pacing.handover), self._committing:
                pass
        except TimeoutError:
            log.warning("partition %d: a commit does not come to its end", self.partition)

    async def resume(self) -> None:
        """Go on after a rebalance that has left this partition with this worker."""
        if self.fold is not None:
            await self._seek(self.fold)
        self._allowed.set()

    async def stop(self) -> None:
        """End the loop and let go of the partition."""
        self._stopping = True
        self._running.remove_done_callback(self._ended)
        await end(self._running)

    def _ended(self, running: asyncio.Task[None]) -> None:
        """The loop has ended although nobody has stopped it, so the worker cannot go on."""
        error = None if running.cancelled() else running.exception()
        self._surroundings.report.failed(error or BrokenInvariant(f"partition {self.partition} ended by itself"))

    # life -------------------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            error = await self._own_and_serve()
            if not isinstance(error, EnvironmentFailure) or isinstance(error, DiskFull):
                # A person must act, or there is a bug. A full disk is this machine's: other workers take over.
                raise error
            what = "its local rows are damaged and are rebuilt" if isinstance(error, Corrupt) else error
            log.warning("partition %d: %s; it is owned anew", self.partition, what)
            if isinstance(error, Fenced):
                self._surroundings.report.fenced()
                # A fenced worker may have lost the partition: let the group decide before this one fences in turn.
                await asyncio.sleep(self._pacing.fenced_pause)
            else:
                await asyncio.sleep(self._pause)
            self._pause = min(2 * self._pause, self._pacing.last_pause)

    async def _own_and_serve(self) -> Exception:
        """Own and fold the partition until an error ends that; returns the error once the ownership is closed."""
        error: Exception
        try:
            await self._own()
            self._pause = self._pacing.first_pause
            await self._serve()
        except asyncio.CancelledError:
            if self._stopping:
                await self._close(None)
                raise
            # Nobody has stopped this loop, so the Kafka client has cancelled a request of its own.
            error = EnvironmentFailure("the Kafka client gave up a request")
        except Exception as caught:  # noqa: BLE001 - any error ends the ownership; `_run` raises what it must not retry
            error = caught
        await self._close(error)
        return error

    async def _own(self) -> None:
        await self._allowed.wait()
        began = time.monotonic()
        self._ownership = await self._surroundings.cluster.own(self.partition)  # 1. own
        self._surroundings.report.restored(time.monotonic() - began)
        self.fold = self._fold_on(self._ownership)
        await self._allowed.wait()
        await self._seek(self.fold)  # 2. seek
        folded = self.fold.marker.next_offset
        if folded:
            # The former owner may have died between its last commit and reporting it to the group.
            self._surroundings.report.consumed(self.partition, folded)
        log.info("partition %d: owned, from offset %d", self.partition, folded)
        if self.fold.marker.rows < ROWS:
            log.warning("partition %d: %s", self.partition, EARLIER_ROWS)

    def _fold_on(self, ownership: Ownership) -> Fold:
        """A fold that goes on from what is committed."""
        rules, partitions = self._surroundings.rules, self._surroundings.cluster.partitions
        marker = resume(ownership.marker, rules)
        return Fold(ownership.state, self.partition, partitions, marker, self._memory_bytes)

    async def _seek(self, fold: Fold) -> None:
        self._queue.begin(fold.marker.next_offset)
        await self._surroundings.cluster.seek(self.partition, fold.marker.next_offset)

    async def _close(self, error: BaseException | None) -> None:
        self._queue.close()
        self.fold = None
        ownership, self._ownership = self._ownership, None
        if ownership is not None:
            await asyncio.shield(ownership.discard() if isinstance(error, Corrupt) else ownership.close())

    # the loop ---------------------------------------------------------------------------------------------------------

    async def _serve(self) -> NoReturn:
        clock = asyncio.get_running_loop().time
        while True:
            await self._believable_arrivals()
            began = clock()
            fetched = self._queue.gather(self._limit)  # 3. gather
            if fetched:
                async with self._committing:
                    await self._fold_and_commit(fetched)
            interval = self._pacing.max_interval * self._surroundings.machine.load()
            if self._queue.records < self._limit and (rest := interval - (clock() - began)) > 0:
                await asyncio.sleep(rest)

    async def _believable_arrivals(self) -> None:
        """Wait until records have arrived, none of them later than this machine's clock could ever show.

        The brokers stamp arrivals. A stamp of a broker clock that has jumped stays in the log, so its record is folded
        only once an operator says that the broker was right.
        """
        clock, queue, is_logged = self._surroundings.machine.clock, self._queue, False
        while not queue.arrived.is_set() or queue.newest > clock.latest:
            await queue.arrived.wait()
            if queue.newest > clock.latest:
                if not is_logged:
                    log.error("partition %d: %s", self.partition, late_broker(queue.newest, clock.expected))
                is_logged = True
                await asyncio.sleep(BELIEVE_SECONDS)

    async def _fold_and_commit(self, fetched: Sequence[Fetched]) -> None:
        fold, ownership, report = self.fold, self._ownership, self._surroundings.report
        if fold is None or ownership is None or not self._allowed.is_set():
            return
        arrivals = [arrival for part in fetched for arrival in self._surroundings.decoder.arrivals(part.records)]
        broadcast = self._broadcast(arrivals, frozenset().union(*(part.everywhere for part in fetched)))
        step = fold.step(arrivals, append=False)  # 4. fold
        if not self._fits(length_of(step.commit, broadcast), len(arrivals)):  # 5. weigh
            self.fold = self._fold_on(ownership)
            self._queue.put_back(fetched)
            return
        began = time.monotonic()
        try:
            with TRACING.span("commit", **{"stockline.partition": self.partition, "stockline.records": len(arrivals)}):
                await ownership.commit(step.commit, broadcast)  # 6. commit
        except EnvironmentFailure:
            # It may have failed for its size, so the next attempt is smaller; success lets it grow again.
            self._limit = max(1, len(arrivals) // 2)
            raise
        fold.committed()
        report.committed(time.monotonic() - began)  # 7. report
        report.consumed(self.partition, fetched[-1].end)
        if fold.behind and any(type(arrival.event) is ClockTicked for arrival in arrivals):
            report.tick_unfinished(self.partition)

    def _fits(self, length: int, records: int) -> bool:
        """Whether a commit of `length` bytes may be made of so many records; sets how many the next one may have.

        A single record always fits: the fold rejects an event that would write more than a transaction holds.
        """
        if length > self._pacing.commit_bytes and records > 1:
            self._limit = records // 2
            return False
        if length < self._pacing.commit_bytes // 4:
            self._limit = min(2 * self._limit, self._pacing.commit_records)
        return True

    def _broadcast(self, arrivals: Sequence[Arrival], everywhere: frozenset[int]) -> list[Record]:
        """Copies, for the other partitions, of broadcast events that their sender has put into this one only.

        `everywhere` are the offsets of those that their sender has put into every partition.
        """
        # Such a key may hold any bytes and be of any length, so the copies get the source as theirs. A set of types
        # answers for each event in a tenth of the time that `isinstance` takes with a union.
        found = [(arrival.record, arrival.event) for arrival in arrivals if type(arrival.event) in COPIED_TYPES]
        alone = [
            record._replace(key=event.source)
            for record, event in found
            if isinstance(event, Broadcast) and record.offset not in everywhere
        ]
        others = [other for other in range(self._surroundings.cluster.partitions) if other != self.partition]
        return [record._replace(partition=partition) for record in alone for partition in others]
