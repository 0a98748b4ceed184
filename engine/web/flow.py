"""How fast each partition of each topic grows, and what waits in it, from samples of the last minute."""

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct

from engine.bus.single import Commit
from engine.core.topics import EVENTS, OUTPUT_TOPICS, STATE, Topic
from engine.runtime.submission import Progress

WINDOW_SECONDS = 60.0
LEAST_SECONDS = 1.0
"""Samples are at least so far apart, so there are never more than a minute has seconds."""

Place = tuple[str, int]
"""A topic, by its name on Kafka, and a partition of it."""


class PartitionFlow(Struct):
    """A partition of the log: `end` is the offset that its next event gets, `lag` the events that are not yet applied.

    The rates are events a second over the last `seconds` of the answer; null where there is no earlier sample.
    """

    topic: str
    partition: int
    end: int
    applied: int
    lag: int
    arriving: float | None
    applying: float | None


class OutputFlow(Struct):
    """A partition of a topic of outputs, or of changed rows, as this process publishes it or, on Kafka, follows it.

    `records` were published `since` the instant of the answer, `publishing` are records a second, `lag` are those that
    are on Kafka and have not come here yet, with the marks of transactions.
    """

    topic: str
    partition: int
    records: int
    lag: int
    publishing: float | None


class Flow(Struct):
    """All partitions of the log and of the other topics; rates are over `seconds`, at most a minute or so."""

    items: list[PartitionFlow]
    outputs: list[OutputFlow]
    since: datetime
    seconds: float


class PublishedCounts:
    """Counts what is committed, by topic and partition, from when the process began; the bus tells it of commits."""

    def __init__(self, partitions: int) -> None:
        self._lock = threading.Lock()
        names = [*(declared.kafka_name for declared in OUTPUT_TOPICS.values()), STATE.kafka_name]
        self._counts: dict[Place, int] = {(name, each): 0 for name in names for each in range(partitions)}

    def committed(self, commits: Sequence[Commit]) -> None:
        """Count what was committed; the thread that commits calls it."""
        with self._lock:
            for commit in commits:
                self._counts[STATE.kafka_name, commit.partition] += len(commit.changes)
                for topic, records in Counter(output.topic for output in commit.outputs).items():
                    self._counts[OUTPUT_TOPICS[topic].kafka_name, commit.partition] += records

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """What is old and deleted was published all the same."""

    def discarded(self) -> None:
        """What is followed anew is counted again: it comes again."""

    def counts(self) -> Mapping[Place, int]:
        """How many records were committed so far."""
        with self._lock:
            return dict(self._counts)


class FlowMeter:
    """Keeps samples of the last minute; each answer is one, so rates are known from the second answer on."""

    def __init__(self, partitions: int) -> None:
        self.published = PublishedCounts(partitions)
        self._since = datetime.now(UTC)
        self._samples: deque[tuple[float, Sequence[Progress], Mapping[Place, int]]] = deque()

    def measure(
        self, offsets: Sequence[Progress], unread: Mapping[str, Sequence[int]], at: float | None = None
    ) -> Flow:
        """The flow of a log whose partitions are so far now.

        Args:
            offsets: end and applied offset of each partition of the log.
            unread: what has not come here yet, by topic and partition; no topic where nothing comes from elsewhere.
            at: the time in seconds of a clock that never goes back; that of this machine where absent.
        """
        now = time.monotonic() if at is None else at
        counts = self.published.counts()
        while len(self._samples) > 1 and now - self._samples[1][0] >= WINDOW_SECONDS:
            self._samples.popleft()
        if self._samples and len(self._samples[0][1]) != len(offsets):
            self._samples.clear()
        first, before, counted = self._samples[0] if self._samples else (now, offsets, counts)
        if not self._samples or now - self._samples[-1][0] >= LEAST_SECONDS:
            self._samples.append((now, offsets, counts))
        seconds = now - first
        pairs = enumerate(zip(before, offsets, strict=True))
        outputs = [
            OutputFlow(topic, each, records, _lag(unread, topic, each), _rate(records - counted[topic, each], seconds))
            for (topic, each), records in counts.items()
        ]
        return Flow([_of(each, *pair, seconds) for each, pair in pairs], outputs, self._since, round(seconds, 3))


def _lag(unread: Mapping[str, Sequence[int]], topic: str, partition: int) -> int:
    return unread[topic][partition] if topic in unread else 0


def _of(partition: int, before: Progress, now: Progress, seconds: float) -> PartitionFlow:
    return PartitionFlow(
        EVENTS.kafka_name,
        partition,
        now.accepted,
        now.applied,
        max(now.lag, 0),
        _rate(now.accepted - before.accepted, seconds),
        _rate(now.applied - before.applied, seconds),
    )


def _rate(events: int, seconds: float) -> float | None:
    return round(events / seconds, 3) if seconds else None
