"""The files around a database: its lock, what must be there, what a power cut leaves, and a view beside the owner."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.core.errors import Corrupt, DirectoryInUse, EnvironmentFailure, UsageError
from tables.stores.rocksdb_errors import VIEW_PREFIX, translated

DATABASE = "db"
LOCK_FILE = "stockline.lock"
VIEW_ATTEMPTS = 200
SECTOR = 512


def lock(path: Path) -> int:
    """Take the lock file of the directory for this process, or say who has it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise translated(error, path) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
    except OSError as error:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise translated(error, path) from error
        advice = "stop it first or choose another directory"
        raise DirectoryInUse(f"{path} is in use by process {owner}; {advice}") from error
    return descriptor


def refuse_missing_parts(database: Path, read_only: bool) -> None:
    """RocksDB would quietly start afresh, and clean up, where the file that names its manifest is gone."""
    names = os.listdir(database) if database.is_dir() else []
    if "CURRENT" in names:
        return
    if any(name.endswith((".sst", ".log")) for name in names):
        raise Corrupt(f"{database}: the file CURRENT is missing; bring it back from a backup, nothing was changed")
    if read_only:
        raise UsageError(f"{database.parent} holds no data of Stockline")


def cut_unwritten_tail(database: Path) -> bool:
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


def newest_log(path: Path) -> int:
    """The number of the write-ahead log that the owner of `path` writes to, or wrote to last; 0 without one.

    RocksDB never gives a number twice, and there is always one such log beside a database that was ever opened.
    """
    database = path / DATABASE
    names = os.listdir(database) if database.is_dir() else []
    return max((int(name[:-4]) for name in names if name.endswith(".log") and name[:-4].isdigit()), default=0)


class View:
    """A folder with the files of a database as they are at one moment, while its owner goes on writing.

    Tables and write-ahead logs are linked, not copied. A flush of the owner between our looks at its manifest and at
    its logs would leave a hole, so the links count only if neither changed meanwhile. Where the directory cannot be
    written, links by name in the system's temporary folder do.

    The folder is locked until it is closed, or its reader is killed: an owner that starts removes those without a lock.
    """

    def __init__(self, path: Path) -> None:
        """Make an empty folder for a reader of the directory `path`; raises OSError."""
        writable = os.access(path, os.W_OK)
        self._link: Callable[[Path, Path], None] = os.link if writable else os.symlink
        self._folder = Path(tempfile.mkdtemp(prefix=VIEW_PREFIX, dir=path if writable else None))
        self._lock = os.open(self._folder, os.O_RDONLY)
        # Where a file system locks no folders, a view is safe as long as no owner starts.
        with suppress(OSError):
            fcntl.flock(self._lock, fcntl.LOCK_SH)

    @property
    def database(self) -> Path:
        """Where the files are."""
        return self._folder / DATABASE

    def fill(self, database: Path) -> bool:
        """Link or copy the files of `database`. False, and closed, where it changed under our hands; raises OSError."""
        whole = False
        try:
            before = _layout(database)
            self.database.mkdir()
            for name, _ in before:
                take = self._link if name.endswith((".sst", ".log")) else shutil.copyfile
                take(database / name, self.database / name)
            whole = _layout(database) == before
        finally:
            if not whole:
                self.close()
        return whole

    def close(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        os.close(self._lock)


def view(path: Path) -> View:
    """A view of the database in `path`; the caller closes it.

    Raises:
        EnvironmentFailure: the file system refuses, or the owner is faster than the links.
    """
    for _ in range(VIEW_ATTEMPTS):
        try:
            found = View(path)
            if found.fill(path / DATABASE):
                return found
        except FileNotFoundError:
            # A file of the database is gone, or the folder itself, which was not locked yet when an owner started.
            continue
        except OSError as error:
            raise translated(error, path) from error
    raise EnvironmentFailure(f"{path} changes too fast to be read beside its owner; try again")


def remove_views(path: Path) -> None:
    """Remove the views that killed readers left."""
    for left in path.glob(f"{VIEW_PREFIX}*"):
        try:
            descriptor = os.open(left, os.O_RDONLY)
        except OSError:
            continue
        try:
            if not _has_reader(descriptor):
                shutil.rmtree(left, ignore_errors=True)
        finally:
            os.close(descriptor)


def _has_reader(folder: int) -> bool:
    """Whether a reader has locked the folder; none begins to read in it from now on."""
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Where a file system locks no folders it says something else.
        return isinstance(error, BlockingIOError)
    return False


def size_of(folder: Path) -> int:
    """The bytes of the files in `folder`; those that vanish meanwhile do not count."""
    total = 0
    for entry in os.scandir(folder):
        with suppress(FileNotFoundError):
            total += entry.stat().st_size
    return total


def _layout(database: Path) -> list[tuple[str, int]]:
    """The files that make a state of the database, the manifest with its size."""
    names = [name for name in os.listdir(database) if not name.startswith(("LOCK", "LOG", "OPTIONS"))]
    return sorted((name, (database / name).stat().st_size if name.startswith("MANIFEST") else 0) for name in names)
