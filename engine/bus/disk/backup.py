"""Backups of a data directory: a copy of one moment, with a checksum for each file and the offsets that it reaches.

A backup is a folder with the database, the snapshots of the rows and `backup.json`, which is written last: without it
the backup is not finished. The copy is made from links to the files as they are at one moment (`rocksdb_files.view`),
so that an engine may go on writing; then it is opened, which folds its write-ahead log in, and read as a whole.
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from engine.bus import snapshot_file
from engine.bus.disk import committed
from engine.bus.disk.bus import SNAPSHOTS, EmbeddedBus
from engine.core.errors import Corrupt, EnvironmentFailure, UsageError
from tables.stores import rocksdb_files as files
from tables.stores.rocksdb_errors import fail

CONTENTS = "backup.json"
UNFINISHED = "restoring"
FORMAT = 1
MEMORY_MIB = 64
CHUNK_BYTES = 1 << 20


class FileSum(msgspec.Struct):
    """The length and the SHA-256 of a file."""

    bytes: int
    sha256: str


class Contents(msgspec.Struct):
    """What a backup holds.

    Attributes:
        format: of the backup.
        taken: when, in UTC.
        log_begins, log_ends: of each partition, the first offset of the log in it, and the first that is not.
        files: by their path in the backup.
    """

    format: int
    taken: datetime
    log_begins: list[int]
    log_ends: list[int]
    files: dict[str, FileSum]

    @property
    def size(self) -> int:
        """The bytes of all files."""
        return sum(file.bytes for file in self.files.values())


def take(data: Path, target: Path) -> Contents:
    """Copy the data directory `data`, whose engine may be running, into the new or empty folder `target`.

    Raises:
        UsageError: there is nothing to copy, or something where the copy should be.
        Corrupt: a file that would be copied is damaged.
        EnvironmentFailure: a file cannot be read or written.
    """
    # What the directory itself is refused for is said of it, not of its copy.
    EmbeddedBus.open(data, memory_mib=MEMORY_MIB, read_only=True).close()
    with _filled(target):
        _copy(data, target)
        with closing(EmbeddedBus.open(target, memory_mib=MEMORY_MIB, reserve_mib=0)) as bus:
            bus.verify()
            places = range(bus.partitions)
            begins, ends = [bus.begin_offset(p) for p in places], [bus.end_offset(p) for p in places]
        _check_snapshots(target, begins, ends)
        # What RocksDB and the lock leave behind says nothing of the data.
        for left in [target / files.LOCK_FILE, *(target / files.DATABASE).glob("LO[CG]*")]:
            left.unlink()
        found = sorted(path for path in target.rglob("*") if path.is_file())
        sums = {str(path.relative_to(target)): _sum(path) for path in found}
        contents = Contents(FORMAT, datetime.now(UTC), begins, ends, sums)
        _write_synced(target / CONTENTS, msgspec.json.format(msgspec.json.encode(contents)))
    return contents


def restore(source: Path, data: Path) -> Contents:
    """Bring the backup in the folder `source` back into the new or empty data directory `data`, as a log of its own.

    Raises:
        UsageError: `source` holds no finished backup, or `data` holds something.
        Corrupt: files of the backup do not hold what was written; nothing is left in `data`.
        EnvironmentFailure: a file cannot be read or written.
    """
    contents = contents_of(source)
    with _filled(data):
        place = data / UNFINISHED
        damaged = [name for name, known in contents.files.items() if _copied(source / name, place / name) != known]
        if damaged:
            raise Corrupt(f"{source}: files do not hold what was written ({', '.join(damaged)}); take another backup")
        # The log goes on elsewhere: what was sent to the other one after the backup is not in this one.
        with closing(EmbeddedBus.open(place, memory_mib=MEMORY_MIB, reserve_mib=0)) as bus:
            ends = [bus.end_offset(partition) for partition in range(bus.partitions)]
            if ends != contents.log_ends:
                raise Corrupt(f"{source}: the log in it ends at {ends}, and should at {contents.log_ends}")
            bus.begin_other_log()
        (place / files.LOCK_FILE).unlink()
        # The database comes last: a start before that finds what is committed and no database, and says so.
        for part in sorted(place.iterdir(), key=lambda part: part.name == files.DATABASE):
            part.rename(data / part.name)
        place.rmdir()
        snapshot_file.sync(data)
    return contents


def contents_of(source: Path) -> Contents:
    """What the backup in the folder `source` says that it holds."""
    try:
        packed = (source / CONTENTS).read_bytes()
    except FileNotFoundError:
        raise UsageError(f"{source} holds no finished backup: there is no file {CONTENTS} in it") from None
    except OSError as error:
        fail(error, source)
    try:
        contents = msgspec.json.decode(packed, type=Contents)
    except msgspec.DecodeError as error:
        raise Corrupt(f"{source / CONTENTS}: the file does not hold what was written ({error})") from error
    if contents.format != FORMAT:
        raise UsageError(f"{source} is a backup of format {contents.format}; this version reads {FORMAT}")
    return contents


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """An empty folder to be filled; whatever goes wrong, nothing stays in it."""
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UsageError(f"{folder} is not empty; name a new folder")
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except UsageError:
        raise
    except BaseException as error:
        for left in folder.iterdir() if folder.is_dir() else ():
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if isinstance(error, OSError):
            fail(error, folder)
        raise


def copy_database(data: Path, target: Path) -> None:
    """Copy the database, as it is at one moment, into the folder `target`; nothing is synced.

    What is known to be committed goes first: the database that is copied is not older.
    """
    if (data / committed.FILE).exists():
        shutil.copyfile(data / committed.FILE, target / committed.FILE)
    files.refuse_missing_parts(data / files.DATABASE, read_only=True)
    with closing(files.view(data)) as view:
        shutil.copytree(view.database, target / files.DATABASE)


def _copy(data: Path, target: Path) -> None:
    copy_database(data, target)
    (target / SNAPSHOTS).mkdir()
    for path in snapshot_file.saved_in(data / SNAPSHOTS):
        shutil.copyfile(path, target / SNAPSHOTS / path.name)


def _check_snapshots(target: Path, begins: list[int], ends: list[int]) -> None:
    for path in snapshot_file.saved_in(target / SNAPSHOTS):
        snapshot_file.check_sum(path)
    if any(begins) and snapshot_file.oldest_that_reaches(target / SNAPSHOTS, begins, ends) is None:
        raise EnvironmentFailure(f"{target}: retention deleted from the log meanwhile; take the backup again")


def _copied(source: Path, target: Path) -> FileSum | None:
    """Copy a file and sync the copy; what was read, None where it is not there."""
    total, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with source.open("rb") as read, target.open("wb") as written:
            while content := read.read(CHUNK_BYTES):
                total.update(content)
                size += len(content)
                written.write(content)
            written.flush()
            os.fsync(written.fileno())
    except FileNotFoundError:
        return None
    return FileSum(size, total.hexdigest())


def _sum(path: Path) -> FileSum:
    with path.open("rb") as file:
        os.fsync(file.fileno())
        return FileSum(path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())


def _write_synced(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)
    for folder in (path.parent / SNAPSHOTS, path.parent / files.DATABASE, path.parent):
        snapshot_file.sync(folder)
