"""What the public topics say, on local disk: latest things, rows and the events behind them. It is a replica only.

Any number of processes may each have one. It is filled by a `Follower`, which also writes here how far it has come.
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from aiokafka import TopicPartition
from msgspec import Struct, field

from engine.bus.disk import layout
from engine.bus.disk.published import DiskReadModel
from engine.bus.disk.retention import DiskRetention
from engine.bus.disk.state import DiskState
from engine.bus.kafka.changelog import read_log_marker
from engine.bus.kafka.replica import Replica, ReplicaFormat
from engine.bus.kafka.topics import Topics
from engine.bus.point import Point
from engine.bus.single import Commit, Observer, Record
from engine.kafka.topic_names import EVENTS, OUTPUTS
from tables.markers import marker_key
from tables.stores.rocksdb import RocksStore, StoreSettings

ReadLog = Callable[[Sequence[tuple[int, int]]], list[Record]]
"""Reads the records of the log at (partition, offset)."""


class Reached(Struct):
    """Which topics were followed up to which positions, and when that was written (seconds of wall time)."""

    topics: dict[str, str]
    positions: dict[str, list[int]] = field(name="places")
    written: int


FORMAT = ReplicaFormat(layout.FAMILIES, b"view 2", Reached)
"""A copy whose progress has another key is of a former version, and is filled anew."""


class KafkaReadModel(DiskReadModel):
    """Published things on local disk; the events behind them are in the log on Kafka."""

    def __init__(self, store: RocksStore, partitions: int, read_log: ReadLog) -> None:
        super().__init__(store, partitions)
        self._read_log = read_log

    def records(self, places: list[tuple[int, int]]) -> list[Record]:
        """The records of the log at `places` (partition, offset), read there; what is gone is left out."""
        return self._read_log(places) if places else []


class KafkaView:
    """The read side of a bus, filled from topics."""

    def __init__(self, path: Path, topics: Topics, memory_mib: int, read_log: ReadLog) -> None:
        self.partitions = topics.partitions
        self.log_id = topics.id_of(EVENTS)
        self.path = path
        self.observers: list[Observer] = []
        self._topics = dict(topics.ids)
        self._read_log = read_log
        self._begins = [0] * self.partitions
        self._replica = Replica(path, FORMAT, StoreSettings(memory_mib, together=True), self._opened)
        reached = self._replica.progress
        if reached is None or reached.topics != self._topics:
            self._replica.discard()

    def _opened(self, store: RocksStore) -> None:
        self._store = store
        self._state = DiskState(store)
        self._published = KafkaReadModel(store, self.partitions, self._read_log)
        self._retention = DiskRetention(store, self._published, self._begins, threading.Lock(), self.observers)

    @property
    def state(self) -> DiskState:
        """The rows of the changelog."""
        return self._state

    @property
    def published(self) -> KafkaReadModel:
        """What was published."""
        return self._published

    def position(self, at: TopicPartition) -> int:
        """The offset up to which a partition of a topic was followed."""
        followed = self._positions().get(at.topic)
        return 0 if followed is None else followed[at.partition]

    def point(self) -> Point:
        """How far a reader has come that has all outputs of the view."""
        places = range(self.partitions)
        return Point(
            self.log_id,
            {name: tuple(self.position(TopicPartition(topic, p)) for p in places) for name, topic in OUTPUTS.items()},
        )

    def marker(self, partition: int) -> bytes | None:
        """The marker of the partition's last commit."""
        marker = read_log_marker(self._state.get(marker_key(partition)))
        return None if marker is None else marker.marker

    def apply(self, commits: Sequence[Commit], positions: Mapping[TopicPartition, int]) -> None:
        """Take over what was followed, up to `positions`, in one write."""
        batch = self._store.batch()
        for commit in commits:
            self._state.add(batch, commit.changes)
            self._published.add(batch, commit)
        tally = self._published.add_counts(batch, commits)
        reached = {topic: list(followed) for topic, followed in self._positions().items()}
        for at, position in positions.items():
            reached.setdefault(at.topic, [0] * self.partitions)[at.partition] = position
        self._replica.write(batch, Reached(self._topics, reached, int(time.time())))
        self._published.counts_written(tally)
        for observer in self.observers:
            observer.committed(commits)

    @property
    def retention(self) -> DiskRetention:
        """What deletes from the copy; use it by the thread that applies."""
        return self._retention

    def log_begins(self, offsets: Sequence[int]) -> None:
        """Note the first offsets that the log still has, by partition."""
        self._begins[:] = offsets

    def discard(self) -> None:
        """Delete everything and begin empty."""
        self._replica.discard()
        for observer in self.observers:
            observer.discarded()

    def close(self) -> None:
        """Close the files."""
        self._replica.close()

    def _positions(self) -> dict[str, list[int]]:
        reached = self._replica.progress
        return {} if reached is None else reached.positions
