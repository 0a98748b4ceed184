"""The bus on disk: log, state, read model and markers in one RocksDB; a commit is one synced write."""

import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Self
from uuid import uuid4

from rocksdict import WriteBatch

from engine.bus.disk import committed, layout, upgrade_paths
from engine.bus.disk.committed import Committed, CommittedFile
from engine.bus.disk.published import DiskReadModel
from engine.bus.disk.retention import DiskRetention
from engine.bus.disk.state import DiskState
from engine.bus.single import Commit, Observer, Record, check_offsets
from engine.bus.snapshot_file import Head
from engine.core.errors import Corrupt, UsageError
from engine.core.topics import DEFAULT_PARTITIONS, HISTORIES
from tables.stores.rocksdb import RocksStore, StoreSettings
from tables.stores.rocksdb_files import DATABASE, newest_log, size_of

MAX_PARTITIONS = 1024
SNAPSHOTS = "snapshots"


class EmbeddedBus:
    """The log and everything that follows from it, in one directory owned by one process."""

    @classmethod
    def open(
        cls,
        path: Path | str,
        partitions: int | None = None,
        memory_mib: int = 512,
        read_only: bool = False,
        reserve_mib: int = 64,
    ) -> Self:
        """Open or create the bus in the directory `path`.

        Args:
            path: The data directory.
            partitions: The number it is created with, or must have been; None takes what is there, else 8.
            memory_mib: What RocksDB may hold in memory: blocks, filters and write buffers together.
            read_only: A view beside a running engine, of what was committed up to now.
            reserve_mib: The space on the file system that commits leave free.

        Raises:
            DirectoryInUse, DiskFull, Corrupt, EnvironmentFailure: as their names say.
            UsageError: another number of partitions, another format, or nothing to read.
        """
        folder = Path(path)
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a data directory: name one with --data")
        upgrade_paths.refuse_unfinished(folder)
        return cls._opened(folder, partitions, StoreSettings(memory_mib, reserve_mib, read_only))

    @classmethod
    def _opened(cls, folder: Path, partitions: int | None, settings: StoreSettings) -> Self:
        # The file is read before the view of a reader is taken: what is committed later need not be in that view.
        known = committed.read(folder)
        if known is not None:
            cls._refuse_loss(folder, known, settings.read_only)
        store = RocksStore(folder, layout.FAMILIES, settings)
        try:
            return cls(store, partitions, settings.read_only, known)
        except BaseException:
            store.close()
            raise

    @classmethod
    def _refuse_loss(cls, path: Path, known: Committed, read_only: bool) -> None:
        """Refuse a database that has lost commits, before anything is written to it.

        RocksDB would no longer take a missing file that is put back after a write.
        """
        if not any((path / DATABASE).glob("*")):
            known.check(path, [0] * len(known.ends))
        elif not read_only and newest_log(path) < known.newest_log:
            cls.open(path, read_only=True).close()

    def __init__(self, store: RocksStore, partitions: int | None, read_only: bool, known: Committed | None) -> None:
        self._store = store
        self._read_only = read_only
        self._writing = threading.Lock()
        self._meta = store.family("meta")
        self._log = store.family("log")
        self.partitions = self._agree(partitions, known)
        self.log_id = ""
        self._name()
        self._begins = [0] * self.partitions
        self._ends = [0] * self.partitions
        self._markers: list[bytes | None] = [None] * self.partitions
        self._recall(known)
        self._state = DiskState(store)
        self._published = DiskReadModel(store, self.partitions)
        self.observers: list[Observer] = []
        self.retention = DiskRetention(store, self._published, self._begins, self._writing, self.observers)
        self._committed = None if read_only else CommittedFile.create(store.path, self._ends, known)

    @property
    def path(self) -> Path:
        """The data directory."""
        return self._store.path

    @property
    def state(self) -> DiskState:
        """Committed state."""
        return self._state

    @property
    def published(self) -> DiskReadModel:
        """What was published."""
        return self._published

    def begin_offset(self, partition: int) -> int:
        """The first offset that the log still has, or would have; 0 where everything is kept."""
        return self._begins[partition]

    def end_offset(self, partition: int) -> int:
        """The offset that the next record of the partition gets; the first is 0."""
        return self._ends[partition]

    def read_log(self, partition: int, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on."""
        stop = min(offset + limit, self._ends[partition])
        if offset >= stop:
            return []
        pairs = self._log.scan(layout.log_key(partition, offset), layout.log_key(partition, stop))
        return [layout.record(key, value) for key, value in pairs]

    def marker(self, partition: int) -> bytes | None:
        """The marker of the partition's last commit, or None before the first."""
        return self._markers[partition]

    def commit(self, commits: Sequence[Commit]) -> None:
        """Write all commits atomically and durably, or raise EnvironmentFailure and write none.

        After DiskFull by the reserve the bus goes on. After any other failure the outcome is unknown and every later
        commit is refused: open the bus again, which shows what was written.
        """
        if self._read_only:
            raise UsageError(f"{self._store.path} is open for reading only")
        with self._writing:
            ends = check_offsets(commits, self._ends)
            batch = self._store.batch()
            for commit in commits:
                self._add(batch, commit, ends[commit.partition])
            tally = self._published.add_counts(batch, commits)
            self._store.write(batch)
            self._published.counts_written(tally)
            for commit in commits:
                self._markers[commit.partition] = commit.marker
            self._ends = ends
            if self._committed is not None:
                self._committed.note(ends)
            for observer in self.observers:
                observer.committed(commits)

    def verify(self) -> None:
        """Read everything that is stored against its checksums; Corrupt names the files that are damaged."""
        self._store.verify()

    @property
    def snapshots(self) -> Path:
        """The folder of snapshots of the rows, from which an audit begins where the log no longer has its beginning."""
        return self._store.path / SNAPSHOTS

    def head(self) -> Head:
        """The head of a snapshot of the rows as they are now."""
        places = range(self.partitions)
        sequences = {topic: [self._published.sequence(topic, p) for p in places] for topic in HISTORIES}
        return Head(list(self._ends), list(self._markers), sequences)

    def size_on_disk(self) -> int:
        """The bytes of all files, snapshots included."""
        return self._store.size_on_disk() + (size_of(self.snapshots) if self.snapshots.is_dir() else 0)

    def memory_used(self) -> int:
        """The bytes that RocksDB holds in memory at the moment."""
        return self._store.memory_used()

    def bytes_free(self) -> int:
        """What the file system has left."""
        return self._store.bytes_free()

    def close(self) -> None:
        """Close the files and give up the directory; a second call does nothing."""
        with self._writing:
            self._store.close()
            if self._committed is not None:
                self._committed.close()
                self._committed = None

    def _add(self, batch: WriteBatch, commit: Commit, end: int) -> None:
        layout.put_records(batch.put, self._log.handle, commit.records)
        self._state.add(batch, commit.changes)
        self._published.add(batch, commit)
        batch.put(layout.marker_key(commit.partition), layout.number(end) + commit.marker, self._meta.handle)

    def _agree(self, partitions: int | None, known: Committed | None) -> int:
        """Check the format and the number of partitions, or write both into a new store; returns the number."""
        found, count = self._meta.get_many([layout.FORMAT_KEY, layout.PARTITIONS_KEY])
        if found is None or count is None:
            if known is not None:
                known.check(self._store.path, [0] * len(known.ends))
            return self._create(DEFAULT_PARTITIONS if partitions is None else partitions)
        written, there = layout.number_in(found), layout.number_in(count)
        self._check_format(written)
        if partitions not in (None, there):
            advice = "the number is fixed when a data directory is created"
            raise UsageError(f"{self._store.path} has {there} partitions, not {partitions}; {advice}")
        return there

    def _check_format(self, written: int) -> None:
        path = self._store.path
        if written > layout.FORMAT:
            advice = f"this version reads up to {layout.FORMAT}: use the version of Stockline that wrote it"
            raise UsageError(f"{path} is written in format {written}; {advice}")
        if written < layout.FORMAT:
            raise UsageError(
                f"{path} is written in format {written}, by an earlier version, and the rows are of format "
                f"{layout.FORMAT} now: `stockline upgrade --data {path}` folds its log anew"
            )

    def _create(self, partitions: int) -> int:
        path = self._store.path
        if not 1 <= partitions <= MAX_PARTITIONS:
            raise UsageError(f"a log has 1 to {MAX_PARTITIONS} partitions, not {partitions}")
        if self._log.last(b"", b"\xff" * 16) is not None:
            raise Corrupt(f"{path}: the log has records but the store does not say its format; nothing was changed")
        if self._read_only:
            raise UsageError(f"{path} holds no data of Stockline")
        batch = self._store.batch()
        batch.put(layout.FORMAT_KEY, layout.number(layout.FORMAT), self._meta.handle)
        batch.put(layout.PARTITIONS_KEY, layout.number(partitions), self._meta.handle)
        self._store.write(batch)
        return partitions

    def begin_other_log(self) -> None:
        """Give the log a new id: from here on it is another one than that of which it is a copy."""
        batch = self._store.batch()
        self.log_id = uuid4().hex
        batch.put(layout.LOG_KEY, self.log_id.encode(), self._meta.handle)
        self._store.write(batch)

    def _name(self) -> None:
        """Learn the id of the log, which is given when it is first opened for writing."""
        found = self._meta.get(layout.LOG_KEY)
        if found is not None:
            self.log_id = found.decode()
        elif not self._read_only:
            self.begin_other_log()

    def _recall(self, known: Committed | None) -> None:
        """Load begin, end and marker of every partition, and compare them with the log and the file `committed`."""
        found = [self._recall_one(partition) for partition in range(self.partitions)]
        if known is not None:
            known.check(self._store.path, list(map(min, found, self._ends)))
        for partition, end in enumerate(found):
            if end != self._ends[partition]:
                raise Corrupt(
                    f"{self._store.path}: the log of partition {partition} ends at {end}, but {self._ends[partition]} "
                    "records were committed. Bring the directory back from a backup; nothing was changed"
                )

    def _recall_one(self, partition: int) -> int:
        """Load what is stored of a partition, and return the offset at which its log itself ends."""
        packed, begin = self._meta.get_many([layout.marker_key(partition), layout.begin_key(partition)])
        if packed is not None:
            self._ends[partition] = layout.number_in(packed[:8])
            self._markers[partition] = packed[8:]
        if begin is not None:
            self._begins[partition] = layout.number_in(begin)
        newest = self._log.last(layout.log_key(partition, 0), layout.log_key(partition + 1, 0))
        return self._begins[partition] if newest is None else layout.record_place(newest[0])[1] + 1
