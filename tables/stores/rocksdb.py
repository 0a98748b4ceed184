"""Rows on disk: a thin layer over rocksdict. Every exception of RocksDB and of the file system is mapped here."""

import errno
import fcntl
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, NoReturn

from rocksdict import (
    AccessType,
    BlockBasedOptions,
    Cache,
    DbClosedError,
    DBCompressionType,
    DBRecoveryMode,
    Options,
    Rdict,
    ReadOptions,
    WriteBatch,
    WriteBufferManager,
)

from engine.core.errors import Corrupt, DirectoryInUse, DiskFull, EnvironmentFailure, UsageError

Profile = Literal["sequential", "rows", "random"]
"""How a family is used: written and read in key order; looked up by key; looked up by key and mostly not found."""

MIB = 1 << 20
LOCK_FILE = "stockline.lock"
DATABASE = "db"
SCAN_READAHEAD = 2 * MIB
OPEN_BESIDE_ATTEMPTS = 20
MAX_WAL_MIB = 128
BACKGROUND_JOBS = 2
MAX_OPEN_FILES = 512
FILE_MIB = 64
BLOCK_KIB: Mapping[Profile, int] = {"sequential": 16, "rows": 4, "random": 8}
BLOOM_BITS = 10
SECTOR = 512


class StoreSettings(NamedTuple):
    """What a store may use: memory for blocks, filters and write buffers together, and the space it leaves free."""

    memory_mib: int = 512
    reserve_mib: int = 64
    read_only: bool = False


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
            fail(error, self._path)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""
        try:
            return self._rows.get(keys if type(keys) is list else list(keys)) or []
        except Exception as error:
            fail(error, self._path)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop as they are at the call, ascending."""
        bounds = ReadOptions()
        bounds.set_iterate_upper_bound(stop)
        bounds.set_readahead_size(SCAN_READAHEAD)
        try:
            return self._walk(self._rows.items(from_key=start, read_opt=bounds), bounds)
        except Exception as error:
            fail(error, self._path)

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
            fail(error, self._path)

    def compact(self) -> None:
        """Merge all files of the family."""
        self._rows.compact_range(None, None)

    def memory_used(self) -> int:
        """The bytes of what open files hold outside the block cache."""
        return self._rows.property_int_value("rocksdb.estimate-table-readers-mem") or 0

    def close(self) -> None:
        """Let go of the database, which stays open as long as one of its families is."""
        self._rows.close()
        del self.handle

    def _walk(self, pairs: Any, bounds: ReadOptions) -> Iterator[tuple[bytes, bytes]]:
        """Yield `pairs`. The frame keeps `bounds` alive: the cursor points into it and rocksdict does not hold it."""
        try:
            yield from pairs
        except Exception as error:
            fail(error, self._path)


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
        self._lock = None if settings.read_only else _lock(path)
        try:
            _refuse_missing_parts(path / DATABASE, settings.read_only)
            open_database = _open_beside if settings.read_only else _open
            self._database = open_database(path / DATABASE, families, settings)
        except BaseException:
            self._unlock()
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
        return WriteBatch(raw_mode=True)

    def write(self, batch: WriteBatch) -> None:
        """Apply the changes of `batch`, all or none, and return once they are on disk.

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
                self._database.flush_wal(True)
            except Exception as error:
                self._failed = str(error)
                fail(error, self.path)

    def bytes_free(self) -> int:
        """What the file system has left for this process."""
        try:
            room = os.statvfs(self.path)
        except OSError as error:
            fail(error, self.path)
        return room.f_bavail * room.f_frsize

    def size_on_disk(self) -> int:
        """The bytes of all files of the store."""
        return sum(entry.stat().st_size for entry in os.scandir(self.path / DATABASE) if entry.is_file())

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
        for family in self._families.values():
            family.close()
        self._database.close()
        self._unlock()

    def _keep_reserve(self, size: int) -> None:
        free = self.bytes_free()
        if free - size < self._reserve:
            raise DiskFull(
                f"{self.path}: {free // MIB} MiB are free and {self._reserve // MIB} MiB must stay so; nothing was "
                "written. Make space and start again: what was accepted is kept"
            )

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def fail(error: Exception, path: Path) -> NoReturn:
    """Raise the engine's own error for what the file system or RocksDB said about `path`."""
    if isinstance(error, EnvironmentFailure | UsageError):
        raise error
    raise _translated(error, path) from error


def _translated(error: Exception, path: Path) -> EnvironmentFailure:
    said = str(error)
    if isinstance(error, DbClosedError):
        return EnvironmentFailure(f"{path}: the store is closed")
    if _says(error, errno.ENOSPC) or _says(error, errno.EDQUOT) or _says(error, errno.EFBIG):
        return DiskFull(f"{path}: no space left ({said}). Make space and start again: what was accepted is kept")
    if "lock hold by current process" in said or "/LOCK:" in said:
        return DirectoryInUse(f"{path} is in use by a process ({said}); stop it first or choose another directory")
    if said.startswith("Corruption") or re.search(r"No such file.*\.(sst|log)|No such file.*MANIFEST", said):
        return Corrupt(
            f"{path}: a file does not hold what was written ({said}). Keep a copy of the directory and bring the "
            "damaged file back from a backup; without one, start in an empty directory and send the events again"
        )
    return EnvironmentFailure(f"{path}: {said}")


def _says(error: Exception, number: int) -> bool:
    return getattr(error, "errno", None) == number or os.strerror(number) in str(error)


def _lock(path: Path) -> int:
    """Take the lock file of the directory for this process, or say who has it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise _translated(error, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise _translated(error, path) from error
        advice = "stop it first or choose another directory"
        raise DirectoryInUse(f"{path} is in use by process {owner}; {advice}") from error
    return descriptor


def _refuse_missing_parts(database: Path, read_only: bool) -> None:
    """RocksDB would quietly start afresh, and clean up, where the file that names its manifest is gone."""
    names = os.listdir(database) if database.is_dir() else []
    if "CURRENT" in names:
        return
    if any(name.endswith((".sst", ".log")) for name in names):
        raise Corrupt(f"{database}: the file CURRENT is missing; bring it back from a backup, nothing was changed")
    if read_only:
        raise UsageError(f"{database.parent} holds no data of Stockline")


def _open(database: Path, families: Mapping[str, Profile], settings: StoreSettings) -> Rdict:
    try:
        return _rdict(database, families, settings, AccessType.read_write())
    except Corrupt:
        if not _cut_unwritten_tail(database):
            raise
        return _rdict(database, families, settings, AccessType.read_write())


def _cut_unwritten_tail(database: Path) -> bool:
    """Cut zeros off the newest write-ahead log; whether there were any.

    A power cut may leave a log that is longer than what reached the disk, and the rest reads as zeros. That is the end
    of a write that was never acknowledged. RocksDB takes it for damage; an incomplete end it drops by itself.
    """
    logs = sorted(database.glob("[0-9]*.log"))
    if not logs:
        return False
    content = logs[-1].read_bytes()
    written = len(content.rstrip(b"\0"))
    if len(content) - written < SECTOR:
        return False
    os.truncate(logs[-1], written)
    return True


def _open_beside(database: Path, families: Mapping[str, Profile], settings: StoreSettings) -> Rdict:
    """Open for reading while another process may write: a view of what was written up to now.

    A flush or compaction of the owner between our reading of its manifest and of its write-ahead logs would leave a
    hole, so the view counts only if neither changed meanwhile.
    """
    for _ in range(OPEN_BESIDE_ATTEMPTS):
        before = _layout(database)
        try:
            view = _rdict(database, families, settings, AccessType.read_only(False))
        except EnvironmentFailure:
            if _layout(database) == before:
                raise
            continue
        if _layout(database) == before:
            return view
        view.close()
    raise EnvironmentFailure(f"{database.parent} changes too fast to be read beside its owner; try again")


def _layout(database: Path) -> list[tuple[str, int]]:
    parts = [entry for entry in os.scandir(database) if entry.name.startswith("MANIFEST") or entry.name.endswith("log")]
    return sorted((part.name, part.stat().st_size if part.name.startswith("M") else 0) for part in parts)


def _rdict(database: Path, families: Mapping[str, Profile], settings: StoreSettings, access: AccessType) -> Rdict:
    memory = _Memory(settings.memory_mib)
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        known = Rdict.list_cf(str(database), Options(raw_mode=True)) if (database / "CURRENT").exists() else []
        # What a newer version may have added is opened too, so that its format can be read and named.
        chosen = {name: families.get(name, "rows") for name in {*known, *families} - {"default"}}
        options = {name: _family_options(profile, memory) for name, profile in chosen.items()}
        return Rdict(str(database), _database_options(memory, settings.read_only), options, access)
    except Exception as error:
        fail(error, database.parent)


class _Memory:
    """One budget: the cache holds blocks, indexes and filters, and the write buffers are charged to it."""

    def __init__(self, mib: int) -> None:
        self.cache = Cache(mib * MIB)
        self.write_buffers = WriteBufferManager.new_write_buffer_manager_with_cache(mib * MIB // 4, False, self.cache)
        self.write_buffer_size = max(4 * MIB, min(32 * MIB, mib * MIB // 16))


def _database_options(memory: _Memory, read_only: bool) -> Options:
    options = _family_options("rows", memory)
    options.create_if_missing(not read_only)
    options.create_missing_column_families(not read_only)
    options.set_write_buffer_manager(memory.write_buffers)
    # Every write is synced before it is acknowledged, so only the last one can be torn by a crash: an incomplete tail
    # is dropped. Damage before the tail hits what was acknowledged and must not pass in silence, as it would with
    # point_in_time, which drops all that follows.
    options.set_wal_recovery_mode(DBRecoveryMode.tolerate_corrupted_tail_records())
    options.set_max_total_wal_size(MAX_WAL_MIB * MIB)
    options.set_max_background_jobs(BACKGROUND_JOBS)
    # A view must hold every file open: its owner may delete them.
    options.set_max_open_files(-1 if read_only else MAX_OPEN_FILES)
    options.set_bytes_per_sync(MIB)
    options.set_skip_stats_update_on_db_open(True)
    options.set_stats_dump_period_sec(0)
    options.set_keep_log_file_num(4)
    options.set_max_log_file_size(4 * MIB)
    return options


def _family_options(profile: Profile, memory: _Memory) -> Options:
    options = Options(raw_mode=True)
    options.set_write_buffer_size(memory.write_buffer_size)
    options.set_target_file_size_base(FILE_MIB * MIB)
    options.set_level_compaction_dynamic_level_bytes(True)
    options.set_block_based_table_factory(_blocks(profile, memory))
    # The keys and values of random families are hashes, which do not compress.
    options.set_compression_type(DBCompressionType.none() if profile == "random" else DBCompressionType.lz4())
    return options


def _blocks(profile: Profile, memory: _Memory) -> BlockBasedOptions:
    blocks = BlockBasedOptions()
    blocks.set_block_cache(memory.cache)
    blocks.set_cache_index_and_filter_blocks(True)
    blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
    blocks.set_block_size(BLOCK_KIB[profile] * 1024)
    blocks.set_format_version(5)
    if profile != "sequential":
        blocks.set_bloom_filter(BLOOM_BITS, False)
    return blocks
