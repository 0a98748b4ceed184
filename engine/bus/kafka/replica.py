"""A copy of topics in a local RocksDB directory: a worker has one of its changelog, the web process one of all topics.

Every write holds, in the same batch, the progress up to which the copy speaks, so that filling it goes on from there. A
copy that is damaged or too old is deleted and filled anew: it holds nothing that the topics do not have.
"""

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from msgspec import msgpack

from engine.core.errors import Corrupt
from tables.stores.rocksdb import Batch, RocksStore, StoreSettings
from tables.stores.rocksdb_options import Profile

MAX_AGE_SECONDS = 3 * 24 * 3600
"""An older copy may hold rows whose deletion the topics have forgotten (they keep deletions for 7 days)."""
META = "meta"


class Progress(Protocol):
    """Up to where a copy speaks; `written` is when that was noted, in seconds of wall time."""

    @property
    def written(self) -> int: ...  # noqa: D102


P = TypeVar("P", bound=Progress)


class ReplicaFormat(NamedTuple, Generic[P]):
    """How a replica lies on disk: its families, and the key and the type of its progress."""

    families: Mapping[str, Profile]
    key: bytes
    progress: type[P]


class Replica(Generic[P]):
    """The directory of a copy. `opened` is called with the store whenever it was opened, also after a discard."""

    def __init__(
        self, path: Path, form: ReplicaFormat[P], settings: StoreSettings, opened: Callable[[RocksStore], None]
    ) -> None:
        """Open the copy, or an empty one where it is damaged or too old.

        Raises:
            DirectoryInUse: another process holds the directory.
            DiskFull, EnvironmentFailure: the disk refuses.
        """
        self.path = path
        self.progress: P | None = None
        self._form = form
        self._settings = settings
        self._opened = opened
        self._store: RocksStore | None = None
        try:
            self._open()
            usable = not self._is_stale()
        except Corrupt:
            usable = False
        if not usable:
            self.discard()

    @property
    def store(self) -> RocksStore:
        """The open store."""
        assert self._store is not None
        return self._store

    def write(self, batch: Batch, progress: P | None) -> None:
        """Write a batch with the progress that it makes; None where the batch makes none that is known.

        It is not synced: what a crash loses is read from the topics again.
        """
        if progress is not None:
            self.progress = progress
            batch.put(self._form.key, msgpack.encode(progress), self.store.family(META).handle)
        self.store.write(batch, sync=False)

    def discard(self) -> None:
        """Delete everything and begin empty."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._open()

    def close(self) -> None:
        """Close the files and give up the directory; a second call does nothing."""
        if self._store is not None:
            self._store.close()

    def _open(self) -> None:
        self._store = RocksStore(self.path, self._form.families, self._settings)
        packed = self._store.family(META).get(self._form.key)
        self.progress = None if packed is None else msgpack.decode(packed, type=self._form.progress)
        self._opened(self._store)

    def _is_stale(self) -> bool:
        return self.progress is not None and time.time() - self.progress.written > MAX_AGE_SECONDS
