"""A data directory of the former format. Its log is as it is today; its rows and markers are another matter."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.bus.disk import layout
from engine.bus.disk.bus import EmbeddedBus
from engine.core.errors import UsageError
from tables.stores import rocksdb_files as files


class FormerBus(EmbeddedBus):
    """The log of a directory that an earlier version may have written; to be opened for reading only."""

    is_former = True

    def _check_format(self, written: int) -> None:
        self.is_former = written < layout.FORMAT
        if not self.is_former:
            super()._check_format(written)


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
