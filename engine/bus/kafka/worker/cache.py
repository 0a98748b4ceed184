"""The rows of one partition on a worker's disk: a replica of its changelog, written after each commit.

Nothing is in it that the changelog does not have. A restore goes on from where the last write ended.
"""

import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from msgspec import Struct

from engine.bus.disk.state import DiskState
from engine.bus.kafka.changelog import Change, LogMarker, Pair, read_log_marker
from engine.bus.kafka.replica import Replica, ReplicaFormat
from engine.core.errors import DirectoryInUse, EnvironmentFailure
from engine.core.values import DAY
from tables.event_marks import MARK_CHUNK, newest_arrival, unpack_marks
from tables.markers import marker_key
from tables.stores.rocksdb import Batch, RocksStore, StoreSettings
from tables.stores.rocksdb_options import Profile

FAMILIES: Mapping[str, Profile] = {"meta": "rows", "state": "rows", "dedupe": "random", "names": "sequential"}
CHUNK_TAG = MARK_CHUNK[0]
SPARE_DIRECTORIES = 8
EXPIRED_PER_COMMIT = 2


class Reached(Struct, array_like=True):
    """Up to which position of which changelog the rows speak, and when (seconds of wall time) that was written."""

    topic_id: str
    position: int
    written: int


FORMAT = ReplicaFormat(FAMILIES, b"place", Reached)


class CacheSettings(NamedTuple):
    """Where caches lie, and what one may use."""

    directory: Path
    memory_mib: int
    reserve_mib: int
    marks_days: int = 7
    """How long event marks are kept, at least."""


class Cache:
    """One partition's rows. Reads are those of committed state."""

    @classmethod
    def open(cls, settings: CacheSettings, partition: int, topic_id: str) -> Self:
        """Open the cache of a partition; a directory that another process still holds is left to it.

        Raises:
            DiskFull, EnvironmentFailure: the disk refuses.
        """
        for spare in range(SPARE_DIRECTORIES):
            path = settings.directory / (f"task-{partition}" + (f".{spare}" if spare else ""))
            try:
                return cls(path, settings, topic_id)
            except DirectoryInUse:
                continue
        raise DirectoryInUse(f"{settings.directory}: {SPARE_DIRECTORIES} processes hold partition {partition}")

    def __init__(self, path: Path, settings: CacheSettings, topic_id: str) -> None:
        self.path = path
        self.topic_id = topic_id
        self._settings = settings
        store = StoreSettings(settings.memory_mib, settings.reserve_mib, together=True)
        self._replica = Replica(path, FORMAT, store, self._opened)

    def _opened(self, store: RocksStore) -> None:
        self._store = store
        self._rows, self._marks, self._chunks = store.family("state"), store.family("dedupe"), store.family("names")
        self.state = DiskState(store)

    @property
    def reached(self) -> Reached | None:
        """Up to where the cache speaks; None for an empty one."""
        return self._replica.progress

    def marker(self, partition: int) -> LogMarker | None:
        """How far the log was folded into these rows."""
        return read_log_marker(self.state.get(marker_key(partition)))

    def apply(self, change: Change, expired: Sequence[bytes], position: int | None) -> None:
        """Take over what was committed, up to `position` of the changelog; None where the broker did not say."""
        batch = self._store.batch()
        put, delete, rows, marks = batch.put, batch.delete, self._rows.handle, self._marks.handle
        for key, value, _ in (*change.rows, change.marker):
            if value is None:
                delete(key, rows)
            else:
                put(key, value, rows)
        for key, mark in change.marks:
            put(key, mark, marks)
        for key, packed, _ in change.chunk:
            put(key, packed, self._chunks.handle)
        for key in expired:
            self._forget(batch, key)
        self._write(batch, position)

    def restore(self, pairs: Iterable[Pair], position: int) -> None:
        """Take over records of the changelog, up to `position`."""
        batch = self._store.batch()
        rows: list[Pair] = []
        for key, value in pairs:
            if key[0] != CHUNK_TAG:
                rows.append((key, value))
            elif value is not None:
                batch.put(key, value, self._chunks.handle)
                for name, mark in unpack_marks(key, value):
                    batch.put(name, mark, self._marks.handle)
            else:
                # The chunk to delete may still be in the unwritten batch, so the batch is written first.
                self._store.write(batch, sync=False)
                batch = self._store.batch()
                self._forget(batch, key)
        self.state.add(batch, rows)
        self._write(batch, position)

    def expired(self, now: int) -> list[bytes]:
        """The keys of the oldest chunks of event marks, a few, if all of a chunk arrived too long before `now`.

        Marks are kept a day longer than was asked for, because the clocks of brokers differ.
        """
        window = (self._settings.marks_days + 1) * DAY
        found: list[bytes] = []
        for key, packed in self._chunks.scan(*MARK_CHUNK.range()):
            if newest_arrival(packed) + window >= now or len(found) == EXPIRED_PER_COMMIT:
                break
            found.append(key)
        return found

    def discard(self) -> None:
        """Delete everything and begin empty."""
        self._replica.discard()

    def close(self) -> None:
        """Close the files and give up the directory."""
        self._replica.close()

    def _write(self, batch: Batch, position: int | None) -> None:
        reached = None if position is None else Reached(self.topic_id, position, int(time.time()))
        self._replica.write(batch, reached)

    def _forget(self, batch: Batch, key: bytes) -> None:
        """Delete the event marks of an expired chunk, save those of events that were seen again later."""
        packed = self._chunks.get(key)
        if packed is None:
            return
        pairs = list(unpack_marks(key, packed))
        kept = self._marks.get_many([name for name, _ in pairs])
        for (name, mark), there in zip(pairs, kept, strict=True):
            if there == mark:
                batch.delete(name, self._marks.handle)
        batch.delete(key, self._chunks.handle)


def free_or_fail(settings: CacheSettings) -> None:
    """Raise EnvironmentFailure where the caches' directory cannot be written or its file system is full."""
    probe = settings.directory / ".probe"
    try:
        settings.directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(settings.directory).free
        probe.write_bytes(b"\0" * 4096)
        probe.unlink()
    except OSError as error:
        raise EnvironmentFailure(f"{settings.directory}: {error}") from None
    if free < settings.reserve_mib << 20:
        raise EnvironmentFailure(
            f"{settings.directory}: {free >> 20} MiB are free, {settings.reserve_mib} MiB must be; make space"
        )
