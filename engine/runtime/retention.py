"""Retention on one machine: a thread beside the engine deletes records older than some days, in portions.

A pass takes these steps, and in this order for these reasons:

1. find       the first record of each partition that is young enough
2. snapshot   of all rows, unless one exists from which the rest of the log can be folded: audits begin there
3. delete     records of the log with their event marks, the index of deleted records, old outputs
4. reclaim    the disk space of all that

Age is counted back from the newest arrival in the log, not from the wall clock: a clock that runs ahead deletes
nothing. A snapshot serves for as many days as are kept, so the part of the log that an
audit folds is never longer than that.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing, suppress

from engine.bus import snapshot_file
from engine.bus.disk.bus import EmbeddedBus
from engine.bus.disk.retention import PORTION
from engine.bus.single import Record
from engine.core.errors import DiskFull, EnvironmentFailure, StocklineError
from engine.core.events import decode, identity
from engine.core.outcomes import Rejection
from engine.core.topics import HISTORIES
from engine.core.values import DAY
from tables.event_marks import mark_key, newest_arrival

PASS_SECONDS = 3600.0
REST_SECONDS = 0.02
"""The pause between two portions, each of which takes about as long."""
SNAPSHOT_MEMORY_MIB = 64
RESERVE_BYTES = 256 << 20
"""How much free space a snapshot leaves on the file system for the log."""

log = logging.getLogger("stockline")


class Stopping(StocklineError):
    """The process ends in the middle of a pass; the next start goes on with it."""


class Retention:
    """A thread that deletes records and outputs older than `days`; `clock` is the engine's, in microseconds."""

    def __init__(self, bus: EmbeddedBus, days: int, clock: Callable[[], int]) -> None:
        self._bus = bus
        self._days = days
        self._clock = clock
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start the thread, which begins with a pass and makes another one every hour."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the portion under way."""
        self._ending.set()
        self._thread.join()

    def apply(self) -> int:
        """Make one pass; returns how many records of the log were deleted."""
        newest = self._newest_arrival()
        before = newest - self._days * DAY
        partitions = range(self._bus.partitions)
        begins = [self._bus.begin_offset(partition) for partition in partitions]
        untils = [self._first_from(partition, before) for partition in partitions]  # 1. find
        deleted = sum(untils) - sum(begins)
        self._forget_snapshots()
        if deleted:
            self._keep_rows(untils)  # 2. snapshot
            for partition, until in enumerate(untils):
                self._drop_log(partition, until, before)  # 3. delete
            self._drop_index()
        # Signals and alerts carry the time of the engine's clock, which may follow the log; dead letters the arrival.
        decided = min(self._clock(), newest) - self._days * DAY
        if self._drop_histories(decided, before) or deleted:
            self._bus.retention.reclaim()  # 4. reclaim
            log.info("retention: %d records older than %d days were deleted from the log", deleted, self._days)
        return deleted

    def _run(self) -> None:
        with suppress(Stopping):
            while True:
                try:
                    self.apply()
                except EnvironmentFailure as error:
                    log.error("retention: nothing more is deleted for now: %s", error)
                self._rest(PASS_SECONDS)

    def _rest(self, seconds: float = REST_SECONDS) -> None:
        if self._ending.wait(seconds):
            raise Stopping

    # 1. find ----------------------------------------------------------------------------------------------------------

    def _newest_arrival(self) -> int:
        """When the last record of the log arrived; 0 for an empty log."""
        ends = [(partition, self._bus.end_offset(partition)) for partition in range(self._bus.partitions)]
        last = [record for partition, end in ends for record in self._bus.read_log(partition, max(0, end - 1), 1)]
        return max((record.arrived_at for record in last), default=0)

    def _first_from(self, partition: int, before: int) -> int:
        """The offset of the first record that arrived at the instant `before` or later; arrivals ascend."""
        low, high = self._bus.begin_offset(partition), self._bus.end_offset(partition)
        while low < high:
            middle = (low + high) // 2
            if self._bus.read_log(partition, middle, 1)[0].arrived_at < before:
                low = middle + 1
            else:
                high = middle
        return low

    # 2. snapshot ------------------------------------------------------------------------------------------------------

    def _keep_rows(self, untils: list[int]) -> None:
        """Take a snapshot of the rows, unless one exists from which the rest of the log can be folded."""
        folder, ends = self._bus.snapshots, [self._bus.end_offset(p) for p in range(self._bus.partitions)]
        if snapshot_file.oldest_that_reaches(folder, untils, ends) is not None:
            return
        with closing(EmbeddedBus.open(self._bus.path, memory_mib=SNAPSHOT_MEMORY_MIB, read_only=True)) as rows:
            head = rows.head()
            path = snapshot_file.place_of(folder, head)
            snapshot_file.save(path, head, rows, self._rest_in_snapshot)
        log.info("retention: the rows are kept in %s", path)

    def _rest_in_snapshot(self) -> None:
        if self._bus.bytes_free() < RESERVE_BYTES:
            raise DiskFull(f"{self._bus.snapshots}: too little space is left for a snapshot of the rows; make space")
        self._rest()

    def _forget_snapshots(self) -> None:
        """Delete all snapshots but the newest; a pass has gone by since, so audits of older ones are done."""
        for path in snapshot_file.saved_in(self._bus.snapshots)[:-1]:
            path.unlink()

    # 3. delete --------------------------------------------------------------------------------------------------------

    def _drop_log(self, partition: int, until: int, before: int) -> None:
        while (begin := self._bus.begin_offset(partition)) < until:
            records = self._bus.read_log(partition, begin, min(PORTION, until - begin))
            self._bus.retention.drop_log(
                partition, records[-1].offset + 1, self._forgettable(partition, records, before)
            )
            self._rest()

    def _forgettable(self, partition: int, records: list[Record], before: int) -> list[bytes]:
        """The keys of event marks to delete with these records: of events that have not arrived again since."""
        events = [
            event for event in map(decode, (record.value for record in records)) if not isinstance(event, Rejection)
        ]
        names = [mark_key(partition, identity(event)) for event in events]
        known = self._bus.state.get_many(names)
        return [
            name for name, seen in zip(names, known, strict=True) if seen is not None and newest_arrival(seen) < before
        ]

    def _drop_index(self) -> None:
        reached: bytes | None = b"\0"
        while reached is not None:
            reached = self._bus.retention.drop_touched(reached)
            self._rest()

    def _drop_histories(self, decided: int, refused: int) -> int:
        """Delete signals and alerts from before `decided`, dead letters from before `refused`; returns how many."""
        total = 0
        for topic in HISTORIES:
            limit = refused if topic == "dead-letters" else decided
            for partition in range(self._bus.partitions):
                while dropped := self._bus.retention.drop_history(topic, partition, limit):
                    total += dropped
                    self._rest()
        while self._bus.retention.drop_decisions(decided):
            self._rest()
        return total
