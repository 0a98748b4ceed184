"""The bus in memory, for simulation and tests: the same contract as on disk, and a crash on demand."""

import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Literal
from uuid import uuid4

import msgspec

from engine.bus.single import Commit, Observer, Output, Record, StateReader, check_offsets
from engine.core.decisions import Decision, Index, decision, index_names
from engine.core.errors import EnvironmentFailure, UsageError
from engine.core.topics import HISTORIES, Topic
from engine.core.values import instant
from tables.stores.memory import MemoryFamily

CrashPoint = Literal["before", "after"]


class Crash(BaseException):
    """The process ends here, as far as the code above the bus can tell: nothing catches it but the test."""


class _Thing(msgspec.Struct):
    id: str


class _Published(msgspec.Struct):
    time: datetime
    data: _Thing


def is_of(value: bytes, name: str, until: int) -> bool:
    """Whether an output is of the thing `name`, and was published by the instant `until`."""
    told = msgspec.json.decode(value, type=_Published)
    return told.data.id == name and instant(told.time) <= until


class MemoryReadModel:
    """What was published, in dictionaries."""

    def __init__(self, logs: list[list[Record]]) -> None:
        self._logs = logs
        self._lock = threading.Lock()
        self._latest: dict[Topic, dict[str, bytes]] = defaultdict(dict)
        self._history: dict[tuple[Topic, int], list[bytes]] = defaultdict(list)
        self._touched: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._decisions: list[Decision] = []

    def latest(self, topic: Topic, name: str) -> bytes | None:
        """The latest value of a thing, or None."""
        return self._latest[topic].get(name)

    def things(self, topic: Topic, after: str = "") -> Iterator[tuple[str, bytes]]:
        """Every thing's name and latest value, in order of name, from the first name beyond `after`."""
        with self._lock:
            chosen = sorted(pair for pair in self._latest[topic].items() if pair[0] > after)
        return iter(chosen)

    def count(self, topic: Topic) -> int:
        """How many things of the topic there are."""
        return len(self._latest[topic])

    def history(self, topic: Topic, partition: int, since: int = 0) -> Iterator[bytes]:
        """The outputs of a topic from one partition, from the sequence `since` on, in the order of its commits."""
        if topic not in HISTORIES:
            raise UsageError(f"{topic} keep no history, only the latest value of each row")
        with self._lock:
            return iter(self._history[topic, partition][since:])

    def first(self, topic: Topic, partition: int) -> int:
        """Everything is kept."""
        del topic, partition
        return 0

    def sequence(self, topic: Topic, partition: int) -> int:
        """The sequence that the next output of the history gets; the first is 0."""
        return len(self._history[topic, partition])

    def row_events(self, key: str, before: int | None, limit: int) -> list[Record]:
        """The last log records that concern a row, newest first, with offsets below `before`."""
        with self._lock:
            offsets = sorted(set(self._touched.get(key, ())))
        end = len(offsets) if before is None else bisect_left(offsets, (before, -1))
        chosen = offsets[max(0, end - limit) : end]
        return [self._logs[partition][offset] for offset, partition in reversed(chosen)]

    def revisions(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        """What was published of a signal or alert up to the instant `until`, newest first."""
        with self._lock:
            values = [value for place in self._history if place[0] == topic for value in self._history[place]]
        return (value for value in reversed(values) if is_of(value, name, until))

    def decisions(self, index: Index, name: str, before: str | None = None) -> Iterator[Decision]:
        """The decisions under a name of an index, newest first, from the first place below `before`."""
        with self._lock:
            found = [each for each in self._decisions if (index, name) in index_names(each)]
        found.sort(key=attrgetter("place"), reverse=True)
        return (each for each in found if before is None or each.place < before)

    def add(self, commit: Commit) -> None:
        """Take the outputs and touched rows of a commit."""
        with self._lock:
            for output in commit.outputs:
                self._publish(commit.partition, output)
            for row, offset in commit.touched:
                self._touched[row].append((offset, commit.partition))

    def _publish(self, partition: int, output: Output) -> None:
        if output.topic not in HISTORIES:
            self._latest[output.topic][output.key] = output.value
            return
        if output.told is not None:
            self._decisions.append(decision(output.told, self._latest[output.topic].get(output.id), output.value))
        self._latest[output.topic][output.id] = output.value
        self._history[output.topic, partition].append(output.value)


class MemoryBus:
    """A bus that lives as long as the object: a new runtime on the same bus is a restart after a crash."""

    def __init__(self, partitions: int = 8) -> None:
        self.partitions = partitions
        self.log_id = uuid4().hex
        self._logs: list[list[Record]] = [[] for _ in range(partitions)]
        self._markers: list[bytes | None] = [None] * partitions
        self._state = MemoryFamily()
        self._published = MemoryReadModel(self._logs)
        self.observers: list[Observer] = []
        self._crash: CrashPoint | None = None
        self._failure: EnvironmentFailure | None = None

    @property
    def state(self) -> StateReader:
        """Committed state."""
        return self._state

    @property
    def published(self) -> MemoryReadModel:
        """What was published."""
        return self._published

    def begin_offset(self, partition: int) -> int:
        """Everything is kept."""
        del partition
        return 0

    def end_offset(self, partition: int) -> int:
        """The offset that the next record of the partition gets; the first is 0."""
        return len(self._logs[partition])

    def read_log(self, partition: int, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on."""
        return self._logs[partition][offset : offset + limit]

    def marker(self, partition: int) -> bytes | None:
        """The marker of the partition's last commit, or None before the first."""
        return self._markers[partition]

    def commit(self, commits: Sequence[Commit]) -> None:
        """Apply all commits, or raise and apply none; a crash that was asked for happens here."""
        crash, self._crash = self._crash, None
        failure, self._failure = self._failure, None
        if crash == "before":
            raise Crash("before the commit took effect")
        if failure is not None:
            raise failure
        check_offsets(commits, [len(log) for log in self._logs])
        for commit in commits:
            self._apply(commit)
        for observer in self.observers:
            observer.committed(commits)
        if crash == "after":
            raise Crash("after the commit took effect")

    def fail_next_commit(self, point: CrashPoint) -> None:
        """Let the next commit raise `Crash`, before or after it takes effect."""
        self._crash = point

    def refuse_next_commit(self, failure: EnvironmentFailure) -> None:
        """Let the next commit raise `failure` and write nothing, as a full disk does."""
        self._failure = failure

    def close(self) -> None:
        """Nothing to release; what was committed stays readable."""

    def _apply(self, commit: Commit) -> None:
        self._logs[commit.partition].extend(commit.records)
        for key, value in commit.changes:
            self._state.apply(key, value)
        self._published.add(commit)
        self._markers[commit.partition] = commit.marker
