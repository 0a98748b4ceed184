"""Rows on disk: a thin layer over rocksdict. Every exception of RocksDB and of the file system is mapped here."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

from rocksdict import AccessType, Options, Rdict, ReadOptions, WriteBatch

from engine.core.errors import Corrupt, DiskFull, EnvironmentFailure
from tables.stores import rocksdb_files as files
from tables.stores.rocksdb_errors import translated
from tables.stores.rocksdb_options import MIB, Memory, Profile, database_options, family_options

SCAN_READAHEAD = 2 * MIB

Batch = WriteBatch
"""The changes of one atomic write, for annotations outside this door."""


class StoreSettings(NamedTuple):
    """What a store may use: memory for blocks, filters and write buffers together, and the space it leaves free.

    `together`: families reach their files together, so that where the write-ahead log is lost the same end of all is
    lost. A store whose writes are synced need not pay for that.
    """

    memory_mib: int = 512
    reserve_mib: int = 64
    read_only: bool = False
    together: bool = False


class RocksFamily:
    """One ordered name space of keys in a store."""

    def __init__(self, database: Rdict, name: str, path: Path) -> None:
        self._rows = database.get_column_family(name)
        self._path = path
        self.handle = database.get_column_family_handle(name)

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        try:
            return self._rows.get(key)
        except Exception as error:
            raise translated(error, self._path) from error

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""
        try:
            return self._rows.get(keys if type(keys) is list else list(keys)) or []
        except Exception as error:
            raise translated(error, self._path) from error

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop as they are at the call, ascending; with `reverse` descending."""
        if start >= stop:
            return iter(())
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(stop)
        try:
            if reverse:
                cursor = self._rows.iter(bounds)
                cursor.seek_to_last()
                # A lower bound in the options hides pairs inside the range (rocksdict 0.3), so it is compared here.
                return takewhile(lambda pair: pair[0] >= start, self._walk(cursor, bounds, cursor.prev))
            bounds.set_readahead_size(SCAN_READAHEAD)
            cursor = self._rows.iter(bounds)
            cursor.seek(start)
            return self._walk(cursor, bounds, cursor.next)
        except Exception as error:
            raise translated(error, self._path) from error

    def first(self, start: bytes, stop: bytes) -> tuple[bytes, bytes] | None:
        """The pair with the smallest key in start <= key < stop, or None; reads less than a scan does."""
        try:
            cursor = self._rows.iter()
            cursor.seek(start)
            cursor.status()
            return (cursor.key(), cursor.value()) if cursor.valid() and cursor.key() < stop else None
        except Exception as error:
            raise translated(error, self._path) from error

    def last(self, start: bytes, stop: bytes) -> tuple[bytes, bytes] | None:
        """The pair with the greatest key in start <= key < stop, or None."""
        try:
            cursor = self._rows.iter()
            cursor.seek_for_prev(stop)
            if cursor.valid() and cursor.key() == stop:
                cursor.prev()
            cursor.status()
            return (cursor.key(), cursor.value()) if cursor.valid() and cursor.key() >= start else None
        except Exception as error:
            raise translated(error, self._path) from error

    def compact(self, start: bytes | None = None, stop: bytes | None = None) -> None:
        """Merge the files of the family, or of a range of its keys: what was deleted there gives its space back."""
        try:
            self._rows.compact_range(start, stop)
        except Exception as error:
            raise translated(error, self._path) from error

    def verify(self) -> None:
        """Read every block of the family against its checksum; Corrupt where one does not hold what was written."""
        checked = ReadOptions()
        checked.set_verify_checksums(True)
        checked.set_readahead_size(SCAN_READAHEAD)
        try:
            cursor = self._rows.iter(checked)
            cursor.seek_to_first()
        except Exception as error:
            raise translated(error, self._path) from error
        for _ in self._walk(cursor, checked, cursor.next):
            pass

    def memory_used(self) -> int:
        """The bytes of what open files hold outside the block cache."""
        return self._rows.property_int_value("rocksdb.estimate-table-readers-mem") or 0

    def close(self) -> None:
        """Let go of the database, which stays open as long as one of its families is."""
        del self.handle
        self._rows.close()

    def _walk(self, cursor: Any, _bounds: ReadOptions, step: Callable[[], None]) -> Iterator[tuple[bytes, bytes]]:
        """Yield the pairs of `cursor`. The frame keeps `_bounds` alive: the cursor points into it and does not hold it.

        Where a block is damaged a cursor only ends, as at the end of the range: its status tells the two apart.
        """
        valid, key, value = cursor.valid, cursor.key, cursor.value
        try:
            while valid():
                yield key(), value()
                step()
            cursor.status()
        except Exception as error:
            raise translated(error, self._path) from error


class RocksStore:
    """Ordered families of keys and values in one RocksDB, written by atomic, synced batches.

    The directory holds a lock file with the owner's process id and the database in a folder of its own.
    """

    def __init__(self, path: Path, families: Mapping[str, Profile], settings: StoreSettings) -> None:
        """Open or create the store in the directory `path`.

        Raises:
            DirectoryInUse: another process writes there.
            DiskFull, Corrupt, EnvironmentFailure: as their names say; nothing was changed.
            UsageError: `read_only` was asked for and nothing is there.
        """
        self.path = path
        self._reserve = settings.reserve_mib * MIB
        self._view: files.View | None = None
        self._lock = None if settings.read_only else files.lock(path)
        try:
            files.refuse_missing_parts(path / files.DATABASE, settings.read_only)
            start = self._open_view if settings.read_only else self._open
            self._database = start(families, settings)
        except BaseException:
            self._let_go()
            raise
        self._families = {name: RocksFamily(self._database, name, path) for name in families}
        self._writing = threading.Lock()
        self._failed: str | None = None
        self._closed = False

    def family(self, name: str) -> RocksFamily:
        """The family `name`; KeyError where the store was opened without it."""
        return self._families[name]

    def batch(self) -> WriteBatch:
        """An empty batch: `put(key, value, family.handle)`, `delete(key, family.handle)`."""
        if self._closed:
            raise EnvironmentFailure(f"{self.path}: the store is closed")
        return WriteBatch(raw_mode=True)

    def write(self, batch: WriteBatch, sync: bool = True) -> None:
        """Apply the changes of `batch`, all or none, and return once they are on disk.

        Without `sync` they survive the end of the process, not that of the machine: enough for a cache.

        Raises:
            DiskFull: before anything is written, where less than the reserve would stay free; the store goes on.
            EnvironmentFailure: the outcome is unknown, the store takes no more writes and must be opened again.
        """
        with self._writing:
            if self._failed is not None:
                raise EnvironmentFailure(f"{self.path}: an earlier write failed, open the store again ({self._failed})")
            self._keep_reserve(batch.size_in_bytes())
            try:
                self._database.write(batch)
                # Synced apart from the write, because this call lets other Python threads run while the disk works.
                if sync:
                    self._database.flush_wal(True)
            except Exception as error:
                self._failed = str(error)
                raise translated(error, self.path) from error

    def verify(self) -> None:
        """Read everything that the store may ever be asked for.

        Raises:
            Corrupt: names the first damaged file of each family, and what to do.
        """
        damage: dict[str, None] = {}
        for family in self._families.values():
            try:
                family.verify()
            except Corrupt as error:
                damage[str(error)] = None
        if damage:
            raise Corrupt("\n".join(damage))

    def bytes_free(self) -> int:
        """What the file system has left for this process."""
        try:
            room = os.statvfs(self.path)
        except OSError as error:
            raise translated(error, self.path) from error
        return room.f_bavail * room.f_frsize

    def size_on_disk(self) -> int:
        """The bytes of all files of the store."""
        return files.size_of(self.path / files.DATABASE)

    def memory_used(self) -> int:
        """The bytes that blocks, filters and write buffers hold at the moment."""
        cached = self._database.property_int_value("rocksdb.block-cache-usage") or 0
        return cached + sum(family.memory_used() for family in self._families.values())

    def compact(self) -> None:
        """Bring every family into its resting shape; for measurements and after a bulk load."""
        for family in self._families.values():
            family.compact()

    def close(self) -> None:
        """Close the database and give up the lock; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        # Closing writes out what is in memory. Where that fails it is in the write-ahead log, so nothing is lost.
        parts: list[RocksFamily | Rdict] = [*self._families.values(), self._database]
        for part in parts:
            with suppress(Exception):
                part.close()
        self._let_go()

    def _keep_reserve(self, size: int) -> None:
        free = self.bytes_free()
        if free - size < self._reserve:
            raise DiskFull(
                f"{self.path}: {free // MIB} MiB are free and {self._reserve // MIB} MiB must stay so; nothing was "
                "written. Make space and start again: what was accepted is kept"
            )

    def _open(self, families: Mapping[str, Profile], settings: StoreSettings) -> Rdict:
        files.remove_views(self.path)
        database = self.path / files.DATABASE
        try:
            return _rdict(database, families, settings, AccessType.read_write(), self.path)
        except Corrupt:
            if not files.cut_unwritten_tail(database):
                raise
            return _rdict(database, families, settings, AccessType.read_write(), self.path)

    def _open_view(self, families: Mapping[str, Profile], settings: StoreSettings) -> Rdict:
        self._view = files.view(self.path)
        return _rdict(self._view.database, families, settings, AccessType.read_only(False), self.path)

    def _let_go(self) -> None:
        if self._view is not None:
            self._view.close()
            self._view = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _rdict(
    database: Path, families: Mapping[str, Profile], settings: StoreSettings, access: AccessType, path: Path
) -> Rdict:
    """Open the database in the folder `database`, which a reader sees as that of the store `path`."""
    memory = Memory(settings.memory_mib)
    try:
        known = Rdict.list_cf(str(database), Options(raw_mode=True)) if (database / "CURRENT").exists() else []
        # What a newer version may have added is opened too, so that its format can be read and named.
        chosen = {name: families.get(name, "rows") for name in {*known, *families} - {"default"}}
        options = {name: family_options(profile, memory) for name, profile in chosen.items()}
        return Rdict(str(database), database_options(memory, settings.read_only, settings.together), options, access)
    except Exception as error:
        raise translated(error, path) from error
