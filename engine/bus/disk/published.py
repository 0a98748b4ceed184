"""The read model on disk: the latest of each thing, histories, and the events of a row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice, takewhile
from typing import NamedTuple

import msgspec
from rocksdict import WriteBatch

from engine.bus.disk import layout
from engine.bus.disk.decisions import DecisionIndex
from engine.bus.disk.revisions import Revisions
from engine.bus.single import Commit, Output, Record
from engine.core.decisions import Decision, Index, decision, place_of
from engine.core.errors import UsageError
from engine.core.topics import HISTORIES, OUTPUT_TOPICS, REVISED, Topic
from engine.core.values import instant
from tables.stores.rocksdb import RocksStore

MAX_KNOWN_NAMES = 100_000
"""Names that are kept in memory, so that counting them needs no lookup; about 12 MiB, then the set is emptied."""

ENDED = frozenset(kind for declared in OUTPUT_TOPICS.values() for kind in declared.last_kinds)
"""The kinds of an output that end its thing."""


class _Thing(msgspec.Struct):
    id: str


class _Ageing(msgspec.Struct):
    """The fields of an output that retention needs."""

    type: str
    time: datetime
    data: _Thing


_ageing = msgspec.json.Decoder(_Ageing)


class Dropped(NamedTuple):
    """A deleted portion of a history: the number of outputs, and the names of things that were deleted with them."""

    topic: Topic
    partition: int
    outputs: int
    names: list[bytes]


class Tally(NamedTuple):
    """ReadModel names that were missing from the in-memory set, and the new totals per topic."""

    names: list[bytes]
    totals: dict[Topic, int]


class DiskReadModel:
    """ReadModel things in RocksDB. Any thread may read; one commit at a time writes.

    A commit calls `add` and `add_counts` with its write batch, and `counts_written` once the batch is written. Only
    then do the counts in memory change, so that a write that fails leaves them as they were.
    """

    def __init__(self, store: RocksStore, partitions: int) -> None:
        """Read and write in `store`."""
        self._meta = store.family("meta")
        self._log = store.family("log")
        self._latest = store.family("latest")
        self._names = store.family("names")
        self._history = store.family("history")
        self._touched = store.family("touched")
        self._decided = DecisionIndex(store)
        self._revisions = Revisions(store)
        self._counts = {topic: self._stored(layout.count_key(topic)) for topic in layout.TOPIC_TAGS}
        self._known: set[bytes] = set()
        places = [(topic, partition) for topic in layout.TOPIC_TAGS for partition in range(partitions)]
        self._firsts = {place: self._stored(layout.first_key(*place)) for place in places}
        self._sequences = {place: self._next_sequence(*place) for place in places}

    def latest(self, topic: Topic, name: str) -> bytes | None:
        """The latest value of a thing: a position by row key, a signal, alert or dead letter by id."""
        return self._latest.get(layout.name_key(topic, name))

    def things(self, topic: Topic, after: str = "") -> Iterator[tuple[str, bytes]]:
        """Every thing's name and latest value, in order of name, from the first name beyond `after`."""
        tag = layout.TOPIC_TAGS[topic]
        start = layout.name_key(topic, after) + b"\0"
        return ((layout.name_in(key), value) for key, value in self._latest.scan(start, bytes([tag[0] + 1])))

    def count(self, topic: Topic) -> int:
        """How many things of the topic there are."""
        return self._counts[topic]

    def history(self, topic: Topic, partition: int, since: int = 0) -> Iterator[bytes]:
        """The outputs of a topic from one partition, in the order of its commits; UsageError for positions.

        `since` is the sequence of the first; those that retention has deleted are passed over.
        """
        if topic not in HISTORIES:
            raise UsageError(f"{topic} keep no history, only the latest value of each row")
        tag = layout.TOPIC_TAGS[topic]
        start = layout.history_key(tag, partition, max(since, self._firsts[topic, partition]))
        stop = layout.history_key(tag, partition + 1, 0)
        return (value for _, value in self._history.scan(start, stop))

    def first(self, topic: Topic, partition: int) -> int:
        """The sequence of the first output that the history still has; the very first was 0."""
        return self._firsts[topic, partition]

    def sequence(self, topic: Topic, partition: int) -> int:
        """The sequence that the next output of the topic gets."""
        return self._sequences[topic, partition]

    def row_events(self, key: str, before: int | None, limit: int) -> list[Record]:
        """The last log records that concern a row, newest first, with offsets below `before`."""
        if before == 0 or limit <= 0:
            return []
        prefix = layout.row_prefix(key)
        newest = layout.LAST_OFFSET if before is None else before - 1
        entries = self._touched.scan(layout.touched_key(prefix, newest, 0), prefix + b"\xff" * 11)
        places = [layout.touched_place(entry) for (entry, _), _ in zip(entries, range(limit), strict=False)]
        return self.records(places)

    def records(self, places: list[tuple[int, int]]) -> list[Record]:
        """The records of the log at `places` (partition, offset), in their order; what is gone is left out."""
        wanted = [layout.log_key(*place) for place in places]
        found = zip(wanted, self._log.get_many(wanted), strict=True)
        return [layout.record(name, packed) for name, packed in found if packed is not None]

    def decisions(self, index: Index, name: str, before: str | None = None) -> Iterator[Decision]:
        """The decisions under a name of an index, newest first, from the first place below `before`."""
        return self._decided.find(index, name, before)

    def revisions(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        """What was published of a signal or alert up to the instant `until`, newest first."""
        return self._revisions.find(topic, name, until)

    def add(self, batch: WriteBatch, commit: Commit) -> None:
        """Put the outputs and touched rows of `commit` into `batch`."""
        put, touched = batch.put, self._touched.handle
        for output in commit.outputs:
            if output.told is not None:
                self._decided.add(batch, decision(output.told, self._before(commit, output), output.value))
            self._add_output(batch, commit.partition, output)
        for row, offset in commit.touched:
            put(layout.touched_key(layout.row_prefix(row), offset, commit.partition), b"", touched)

    def _before(self, commit: Commit, output: Output) -> bytes | None:
        """The value of an output's thing until this output of a commit that is not written yet."""
        earlier = takewhile(lambda other: other is not output, commit.outputs)
        values = [other.value for other in earlier if other.id == output.id and other.topic == output.topic]
        return values[-1] if values else self.latest(output.topic, output.id)

    def add_counts(self, batch: WriteBatch, commits: Sequence[Commit]) -> Tally:
        """Put the counts after `commits` into `batch`; call `counts_written` with the result once it is written."""
        named = {
            layout.name_key(output.topic, layout.output_name(output)): output.topic
            for commit in commits
            for output in commit.outputs
        }
        unknown = [name for name in named if name not in self._known]
        found = self._names.get_many(unknown) if unknown else []
        fresh = [name for name, value in zip(unknown, found, strict=True) if value is None]
        for name in fresh:
            batch.put(name, b"", self._names.handle)
        totals = {topic: self._counts[topic] + more for topic, more in Counter(named[name] for name in fresh).items()}
        for topic, total in totals.items():
            batch.put(layout.count_key(topic), layout.number(total), self._meta.handle)
        return Tally(unknown, totals)

    def counts_written(self, tally: Tally) -> None:
        """Take over what was written."""
        self._counts.update(tally.totals)
        if len(self._known) + len(tally.names) > MAX_KNOWN_NAMES:
            self._known.clear()
        self._known.update(tally.names[:MAX_KNOWN_NAMES])

    def _add_output(self, batch: WriteBatch, partition: int, output: Output) -> None:
        topic, value = output.topic, output.value
        batch.put(layout.name_key(topic, layout.output_name(output)), value, self._latest.handle)
        if topic not in HISTORIES:
            return
        sequence = self._sequences[topic, partition]
        key = layout.history_key(layout.TOPIC_TAGS[topic], partition, sequence)
        if topic in REVISED:
            self._revisions.add(batch, topic, value, key)
        self._sequences[topic, partition] = sequence + 1
        batch.put(key, value, self._history.handle)

    def add_dropped(self, batch: WriteBatch, place: tuple[Topic, int], before: int, limit: int) -> Dropped:
        """Put into `batch` that the oldest outputs of a history go, at most `limit`, none from the instant `before` on.

        With the last output of a thing that has ended goes the thing. What is still open is kept until it ends, and is
        old. Call `dropped_written` with the result once it is written.
        """
        topic, partition = place
        outputs = [(value, _ageing.decode(value)) for value in islice(self.history(topic, partition), limit)]
        old = list(takewhile(lambda output: instant(output[1].time) < before, outputs))
        first = self._firsts[place]
        tag, after = layout.TOPIC_TAGS[topic], first + len(old)
        batch.delete_range(
            layout.history_key(tag, partition, first),
            layout.history_key(tag, partition, after),
            self._history.handle,
        )
        batch.put(layout.first_key(topic, partition), layout.number(after), self._meta.handle)
        if topic in REVISED:
            for value, _ in old:
                self._revisions.drop(batch, topic, value)
        ended = {layout.name_key(topic, told.data.id): value for value, told in old if told.type in ENDED}
        latest = self._latest.get_many(list(ended))
        gone = [name for (name, value), last in zip(ended.items(), latest, strict=True) if value == last]
        for name in gone:
            batch.delete(name, self._latest.handle)
            batch.delete(name, self._names.handle)
        batch.put(layout.count_key(topic), layout.number(self._counts[topic] - len(gone)), self._meta.handle)
        return Dropped(topic, partition, len(old), gone)

    def add_dropped_decisions(self, batch: WriteBatch, before: int, limit: int) -> int:
        """Put into `batch` that at most `limit` of the oldest decisions go, none from `before` on; how many."""
        return self._decided.drop(batch, place_of(before), limit)

    def dropped_written(self, dropped: Dropped) -> None:
        """Take over what was written."""
        self._firsts[dropped.topic, dropped.partition] += dropped.outputs
        self._counts[dropped.topic] -= len(dropped.names)
        self._known.difference_update(dropped.names)

    def _stored(self, key: bytes) -> int:
        packed = self._meta.get(key)
        return 0 if packed is None else layout.number_in(packed)

    def _next_sequence(self, topic: Topic, partition: int) -> int:
        tag = layout.TOPIC_TAGS[topic]
        newest = self._history.last(layout.history_key(tag, partition, 0), layout.history_key(tag, partition + 1, 0))
        return self._firsts[topic, partition] if newest is None else layout.history_sequence(newest[0]) + 1
