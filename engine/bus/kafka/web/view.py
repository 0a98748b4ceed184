"""What the public topics say, on local disk: latest things, rows and the events behind them. A cache, never the truth.

Any number of processes may each have one. It is filled by a `Follower`, which also writes here how far it has come.
"""

import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
from aiokafka import TopicPartition

from engine.bus.disk import layout
from engine.bus.disk.published import DiskReadModel
from engine.bus.disk.state import DiskState
from engine.bus.kafka.changelog import read_log_marker
from engine.bus.kafka.topics import Topics
from engine.bus.kafka.worker.cache import MAX_AGE_SECONDS
from engine.bus.single import Commit, Record
from engine.core.errors import Corrupt
from engine.kafka.topic_names import EVENTS
from tables.markers import marker_key
from tables.stores.rocksdb import RocksStore, StoreSettings

PROGRESS_KEY = b"view"

Fetch = Callable[[list[tuple[int, int]]], list[Record]]


class _Progress(msgspec.Struct):
    """How far which topics were followed, and when that was written (seconds of wall time)."""

    topics: dict[str, str]
    places: dict[str, list[int]]
    written: int


class KafkaReadModel(DiskReadModel):
    """ReadModel things whose events lie in the log elsewhere."""

    fetch: Fetch | None = None

    def records(self, places: list[tuple[int, int]]) -> list[Record]:
        """The records of the log at `places`, fetched there."""
        return self.fetch(places) if self.fetch is not None and places else []


class KafkaView:
    """The read side of a bus, filled from topics."""

    def __init__(self, path: Path, topics: Topics, memory_mib: int = 128) -> None:
        self.partitions = topics.partitions
        self.log_id = topics.id_of(EVENTS)
        self.path = path
        self._topics = topics
        self._settings = StoreSettings(memory_mib, together=True)
        try:
            self._open()
            usable = self._is_usable()
        except Corrupt:
            usable = False
        if not usable:
            self.discard()

    def _open(self) -> None:
        self._store = RocksStore(self.path, layout.FAMILIES, self._settings)
        self._meta = self._store.family("meta")
        self._state = DiskState(self._store)
        self._published = KafkaReadModel(self._store, self.partitions, histories=False)
        packed = self._meta.get(PROGRESS_KEY)
        fresh = _Progress(dict(self._topics.ids), {}, 0)
        self._progress = fresh if packed is None else msgspec.msgpack.decode(packed, type=_Progress)

    def _is_usable(self) -> bool:
        same = self._progress.topics == dict(self._topics.ids)
        return same and (not self._progress.written or time.time() - self._progress.written < MAX_AGE_SECONDS)

    @property
    def state(self) -> DiskState:
        """The rows of the changelog."""
        return self._state

    @property
    def published(self) -> KafkaReadModel:
        """What was published."""
        return self._published

    def place(self, topic: str, partition: int) -> int:
        """How far a partition of a topic was followed."""
        return self._progress.places.get(topic, [0] * self.partitions)[partition]

    def marker(self, partition: int) -> bytes | None:
        """The marker of the last commit of the task."""
        marker = read_log_marker(self._state.get(marker_key(partition)))
        return None if marker is None else marker.marker

    def apply(self, commits: Sequence[Commit], places: Mapping[TopicPartition, int]) -> None:
        """Take over what was followed, up to `places`, in one write."""
        batch = self._store.batch()
        for commit in commits:
            self._state.add(batch, commit.changes)
            self._published.add(batch, commit)
        tally = self._published.add_counts(batch, commits)
        for place, position in places.items():
            self._progress.places.setdefault(place.topic, [0] * self.partitions)[place.partition] = position
        self._progress.written = int(time.time())
        batch.put(PROGRESS_KEY, msgspec.msgpack.encode(self._progress), self._meta.handle)
        self._store.write(batch, sync=False)
        self._published.counts_written(tally)

    def discard(self) -> None:
        """Throw everything away and begin empty."""
        if hasattr(self, "_store"):
            self._store.close()
        shutil.rmtree(self.path, ignore_errors=True)
        self._open()

    def close(self) -> None:
        """Close the files."""
        self._store.close()
