"""The rows of one task on local disk: a cache of its changelog, written after the commit and rebuilt from it.

Every write holds the place in the changelog up to which it speaks, so that a restore goes on from there. What is
damaged, too old, or of another topic is thrown away: nothing is in it that the changelog does not have.
"""

import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self

from msgspec import Struct, msgpack

from engine.bus.disk.state import DiskState
from engine.bus.kafka.changelog import Change, LogMarker, Pair, read_log_marker
from engine.core.errors import Corrupt, DirectoryInUse, EnvironmentFailure
from engine.core.values import DAY
from tables.event_marks import MARK_CHUNK, newest_arrival, unpack_marks
from tables.markers import marker_key
from tables.stores.rocksdb import RocksStore, StoreSettings
from tables.stores.rocksdb_options import Profile

FAMILIES: Mapping[str, Profile] = {"meta": "rows", "state": "rows", "dedupe": "random", "names": "sequential"}
PLACE_KEY = b"place"
NAMES_TAG = MARK_CHUNK[0]
SPARE_DIRECTORIES = 8
MAX_AGE_SECONDS = 3 * 24 * 3600
"""An older cache may hold rows whose deletion the changelog has forgotten (it keeps deletions for 7 days)."""
EXPIRED_PER_COMMIT = 2


class Place(Struct, array_like=True):
    """Up to where in which changelog the cache speaks, and when (seconds of wall time) that was written."""

    topic_id: str
    position: int
    written: int


class CacheSettings(NamedTuple):
    """Where caches lie, and what one may use."""

    directory: Path
    memory_mib: int
    reserve_mib: int
    names_days: int = 7
    """How long the names of events are kept, at least."""


class Cache:
    """One task's rows. Reads are those of committed state."""

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
            except Corrupt:
                shutil.rmtree(path, ignore_errors=True)
                return cls(path, settings, topic_id)
        raise DirectoryInUse(f"{settings.directory}: {SPARE_DIRECTORIES} processes hold task {partition}")

    def __init__(self, path: Path, settings: CacheSettings, topic_id: str) -> None:
        self.path = path
        self.topic_id = topic_id
        self._settings = settings
        self._options = StoreSettings(settings.memory_mib, settings.reserve_mib, together=True)
        self._open()
        if self._stale():
            self.discard()

    def _open(self) -> None:
        self._store = RocksStore(self.path, FAMILIES, self._options)
        self._meta, self._names = self._store.family("meta"), self._store.family("names")
        self._dedupe = self._store.family("dedupe")
        self.state = DiskState(self._store)
        packed = self._meta.get(PLACE_KEY)
        self._place = None if packed is None else msgpack.decode(packed, type=Place)

    def _stale(self) -> bool:
        return self._place is not None and time.time() - self._place.written > MAX_AGE_SECONDS

    @property
    def place(self) -> Place | None:
        """Up to where the cache speaks; None for an empty one."""
        return self._place

    def marker(self, partition: int) -> LogMarker | None:
        """How far the log was folded into these rows."""
        return read_log_marker(self.state.get(marker_key(partition)))

    def apply(self, change: Change, position: int | None) -> None:
        """Take over what was committed, up to `position` of the changelog; None where the broker did not say."""
        batch = self._store.batch()
        rows = [pair for pair in change.records if pair[0][0] != NAMES_TAG]
        self.state.add(batch, rows)
        for key, packed in change.records:
            if key[0] != NAMES_TAG:
                continue
            if packed is None:
                self._forget(batch, key)
            else:
                batch.put(key, packed, self._names.handle)
        put, dedupe = batch.put, self._dedupe.handle
        for key, seen in change.names:
            put(key, seen, dedupe)
        self._write(batch, position)

    def restore(self, pairs: Iterable[Pair], position: int) -> None:
        """Take over records of the changelog, up to `position`."""
        batch = self._store.batch()
        rows: list[Pair] = []
        for key, value in pairs:
            if key[0] != NAMES_TAG:
                rows.append((key, value))
            elif value is not None:
                batch.put(key, value, self._names.handle)
                for name, seen in unpack_marks(key, value):
                    batch.put(name, seen, self._dedupe.handle)
            else:
                # What is to be forgotten may lie in this very batch.
                self._store.write(batch, sync=False)
                batch = self._store.batch()
                self._forget(batch, key)
        self.state.add(batch, rows)
        self._write(batch, position)

    def expired(self, now: int) -> list[bytes]:
        """The oldest chunks of names, a few, in which all arrived longer before `now` than names are kept.

        A day more, because the clocks of brokers differ.
        """
        window = (self._settings.names_days + 1) * DAY
        found: list[bytes] = []
        for key, packed in self._names.scan(*MARK_CHUNK.range()):
            if newest_arrival(packed) + window >= now or len(found) == EXPIRED_PER_COMMIT:
                break
            found.append(key)
        return found

    def discard(self) -> None:
        """Throw everything away and begin empty."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._open()

    def close(self) -> None:
        """Close the files and give up the directory."""
        self._store.close()

    def _write(self, batch: Any, position: int | None) -> None:
        if position is not None:
            self._place = Place(self.topic_id, position, int(time.time()))
            batch.put(PLACE_KEY, msgpack.encode(self._place), self._meta.handle)
        self._store.write(batch, sync=False)

    def _forget(self, batch: Any, key: bytes) -> None:
        """Delete the names of an expired chunk, but for those that were seen again later."""
        packed = self._names.get(key)
        if packed is None:
            return
        pairs = list(unpack_marks(key, packed))
        kept = self._dedupe.get_many([name for name, _ in pairs])
        for (name, seen), there in zip(pairs, kept, strict=True):
            if there == seen:
                batch.delete(name, self._dedupe.handle)
        batch.delete(key, self._names.handle)


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
