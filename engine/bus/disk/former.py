"""A data directory of an earlier format. Its log is as it is today; its rows and markers are another matter."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from engine.bus import snapshot_file
from engine.bus.disk import layout
from engine.bus.disk.backup import copy_database
from engine.bus.disk.bus import EmbeddedBus
from engine.core.errors import UsageError
from tables.stores import rocksdb_files as files
from tables.stores.rocksdb_errors import fail


class FormerBus(EmbeddedBus):
    """A directory that an earlier version may have written, of the format `written`."""

    written = layout.FORMAT

    @property
    def is_former(self) -> bool:
        """Whether an earlier version wrote it."""
        return self.written < layout.FORMAT

    def take_over(self) -> None:
        """Make the format this version's, where it reads the rows; audits begin with the rows as they are now."""
        head = self.head()
        snapshot_file.save(snapshot_file.place_of(self.snapshots, head), head, self)
        batch = self._store.batch()
        batch.put(layout.FORMAT_KEY, layout.number(layout.FORMAT), self._meta.handle)
        self._store.write(batch)

    def _check_format(self, written: int) -> None:
        self.written = written
        if not self.is_former:
            super()._check_format(written)


def take_over(former: Path, new: Path) -> None:
    """Copy the directory `former`, whose rows this version reads, into the folder `new` as one of this version.

    Raises:
        Corrupt: a file of it is damaged.
        EnvironmentFailure: a file cannot be read or written.
    """
    try:
        new.mkdir()
        copy_database(former, new)
        with closing(FormerBus.open(new, reserve_mib=0)) as bus:
            bus.verify()
            bus.take_over()
        for path in [*new.rglob("*"), new]:
            snapshot_file.sync(path)
    except OSError as error:
        fail(error, new)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep engines out of the directory `path`.

    Raises:
        DirectoryInUse: an engine runs there.
        UsageError: there is no such directory.
    """
    if not path.is_dir():
        raise UsageError(f"{path} is not a data directory: name one with --data")
    lock = files.lock(path)
    try:
        yield
    finally:
        os.close(lock)
