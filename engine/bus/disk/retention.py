"""Deleting what is old on one machine, in portions that hold up no commit for long.

`engine.runtime.retention` decides what is old and whether the log may be deleted. The portions are not synced: what a
crash brings back is deleted again.
"""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

from rocksdict import WriteBatch

from engine.bus.disk import layout
from engine.bus.disk.published import DiskReadModel
from engine.bus.single import Observer
from engine.core.topics import HISTORIES, Topic
from tables.stores.rocksdb import RocksFamily, RocksStore

PORTION = 500
"""Records, outputs, rows or index entries that are looked at in one portion: a few milliseconds."""

_LAST_KEY = b"\xff"


class DiskRetention:
    """Deletes what is old from the bus on disk, in one thread beside the engine's."""

    def __init__(
        self,
        store: RocksStore,
        published: DiskReadModel,
        begins: list[int],
        writing: threading.Lock,
        observers: Sequence[Observer] = (),
    ) -> None:
        """Delete from `store`; `begins`, the first offsets of the logs, are kept up to date here under `writing`.

        Under `writing` the `observers` are told which things are published no more.
        """
        self._store = store
        self._published = published
        self._observers = observers
        self._begins = begins
        self._writing = writing
        self._meta = store.family("meta")
        self._log = store.family("log")
        self._marks = store.family("dedupe")
        self._touched = store.family("touched")
        self._history = store.family("history")
        self._reclaimed: Counter[bytes] = Counter()

    def drop_log(self, partition: int, until: int, names: Sequence[bytes]) -> None:
        """Delete the records of a partition below the offset `until`, and with them the state keys `names`."""
        with self._writing:
            batch = self._store.batch()
            begin = layout.log_key(partition, self._begins[partition])
            batch.delete_range(begin, layout.log_key(partition, until), self._log.handle)
            for name in names:
                batch.delete(name, self._marks.handle)
            batch.put(layout.begin_key(partition), layout.number(until), self._meta.handle)
            self._store.write(batch, sync=False)
            self._begins[partition] = until

    def drop_touched(self, start: bytes) -> bytes | None:
        """Delete from the index of a portion of rows, from the key `start` on, the events that are gone from the log.

        Returns the key at which the next portion starts, None after the last.
        """
        batch = self._store.batch()
        at: bytes | None = start
        for _ in range(PORTION):
            at = self._drop_of_row(batch, start)
            if at is None or batch.len() >= PORTION:
                break
            start = at
        self._store.write(batch, sync=False)
        return at

    def drop_history(self, topic: Topic, partition: int, before: int) -> int:
        """Delete a portion of what was published before the instant `before`; returns the number of deleted outputs."""
        with self._writing:
            batch = self._store.batch()
            dropped = self._published.add_dropped(batch, (topic, partition), before, PORTION)
            if dropped.outputs:
                self._store.write(batch, sync=False)
                self._published.dropped_written(dropped)
                for observer in self._observers:
                    observer.deleted(topic, [layout.name_in(name) for name in dropped.names])
            return dropped.outputs

    def drop_decisions(self, before: int) -> int:
        """Delete a portion of the decisions from before the instant `before`; returns the number of deleted ones."""
        with self._writing:
            batch = self._store.batch()
            dropped = self._published.add_dropped_decisions(batch, before, PORTION)
            if dropped:
                self._store.write(batch, sync=False)
            return dropped

    def reclaim(self) -> None:
        """Reclaim the space of deleted records and outputs; RocksDB reclaims the rest by itself."""
        for partition, begin in enumerate(self._begins):
            self._compact(self._log, partial(layout.log_key, partition), begin)
            for topic in HISTORIES:
                key = partial(layout.history_key, layout.TOPIC_TAGS[topic], partition)
                self._compact(self._history, key, self._published.first(topic, partition))

    def _compact(self, family: RocksFamily, key: Callable[[int], bytes], until: int) -> None:
        """Compact the files with the keys of numbers below `until`, save those that were compacted before."""
        name = key(0)
        if self._reclaimed[name] < until:
            family.compact(key(self._reclaimed[name]), key(until))
            self._reclaimed[name] = until

    def _drop_of_row(self, batch: WriteBatch, start: bytes) -> bytes | None:
        """Add to `batch` the deletion of a portion of the row that follows `start`.

        Returns the key at which to go on, None after the last row.
        """
        newest = self._touched.first(start, _LAST_KEY)
        if newest is None:
            return None
        prefix = layout.touched_row(newest[0])
        after = layout.after_row(prefix)
        oldest = self._touched.last(prefix, after)
        partition = layout.touched_place(newest[0])[0]
        begin = self._begins[partition]
        if oldest is None or layout.touched_place(oldest[0])[1] >= begin:
            return after
        gone = self._touched.scan(layout.touched_key(prefix, begin - 1, 0), after)
        count = 0
        for count, (key, _) in enumerate(islice(gone, PORTION), 1):  # noqa: B007
            batch.delete(key, self._touched.handle)
        return after if count < PORTION else prefix
