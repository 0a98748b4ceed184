"""The contract of a bus: one ordered log per partition, its state, its outputs, and one atomic commit over them.

`commit` is all or nothing over every partition it is given: log records, state changes, outputs and marker. After it
returns, everything in it survives a crash of the process and of the machine.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from msgspec import Struct

from engine.core.decisions import Decision, Index
from engine.core.errors import BrokenInvariant
from engine.core.topics import Topic


class Record(NamedTuple):
    """One record of the log. `arrived_at` is the instant (microseconds) at which the log took it."""

    partition: int
    offset: int
    key: str
    value: bytes
    arrived_at: int


class Output(Struct, frozen=True):
    """One published record. `key` is the row (sku NUL location), or the source of a dead letter; `id` names the thing.

    `value` is the CloudEvents JSON, whose `type` is `kind`. For positions the latest of a row counts, for the others
    every output is kept. `told` is set where a decision of somebody made it: the JSON of `engine.core.decisions.Told`.
    """

    topic: Topic
    key: str
    id: str
    value: bytes
    kind: str
    told: bytes | None = None


class Commit(NamedTuple):
    """All that one partition writes at once.

    `records` are appended to the log (empty where the log is already written); `changes` are state keys with their new
    value, or None to delete; `touched` are pairs of a row and a log offset that concerns it; `marker` is opaque to the
    bus; `next_offset` is the offset of the first log record that is not in the commit.
    """

    partition: int
    records: Sequence[Record]
    changes: Sequence[tuple[bytes, bytes | None]]
    outputs: Sequence[Output]
    touched: Sequence[tuple[str, int]]
    marker: bytes
    next_offset: int


class StateReader(Protocol):
    """Reads of committed state, ordered by key bytes."""

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop, ascending; with `reverse` descending."""


class ReadModel(Protocol):
    """Reads of what was published; safe to call from any thread while commits go on."""

    def latest(self, topic: Topic, name: str) -> bytes | None:
        """The latest value of a thing: a position by row key, a signal, alert or dead letter by id."""

    def things(self, topic: Topic, after: str = "") -> Iterator[tuple[str, bytes]]:
        """Every thing's name and latest value, in order of name, from the first name beyond `after`."""

    def count(self, topic: Topic) -> int:
        """The number of things of the topic; it is counted at commit, so reading it is cheap."""

    def history(self, topic: Topic, partition: int, since: int = 0) -> Iterator[bytes]:
        """The outputs of a topic (not of positions) from one partition, in the order of its commits.

        `since` is the sequence of the first; those that retention has deleted are passed over.
        """

    def first(self, topic: Topic, partition: int) -> int:
        """The number of outputs that retention has deleted from the beginning of the history."""

    def sequence(self, topic: Topic, partition: int) -> int:
        """The sequence that the next output of the history gets; the first is 0."""

    def row_events(self, key: str, before: int | None, limit: int) -> list[Record]:
        """The last log records that concern a row, newest first, with offsets below `before`."""

    def revisions(self, topic: Topic, name: str, until: int) -> Iterator[bytes]:
        """What was published of a signal or alert up to the instant `until`, newest first."""

    def decisions(self, index: Index, name: str, before: str | None = None) -> Iterator[Decision]:
        """The decisions under a name of an index, newest first, from the first place below `before`."""


class Kept(Protocol):
    """The committed state and outputs of a bus."""

    partitions: int

    @property
    def state(self) -> StateReader:
        """Committed state."""

    @property
    def published(self) -> ReadModel:
        """What was published."""

    def marker(self, partition: int) -> bytes | None:
        """The marker of the partition's last commit, or None before the first."""


class Observer(Protocol):
    """Is told of every commit once it is written, by the thread that writes; it must not hold that thread up."""

    def committed(self, commits: Sequence[Commit]) -> None:
        """These commits are written."""

    def deleted(self, topic: Topic, names: Sequence[str]) -> None:
        """These things are published no more, because they are old."""

    def discarded(self) -> None:
        """Everything was discarded, and is filled anew by the commits that follow."""


class Named(Kept, Protocol):
    """A bus whose log has an identity."""

    @property
    def log_id(self) -> str:
        """The id of the log: it is given once, when the log is begun, and is the same wherever the log is served."""


class Audited(Kept, Protocol):
    """A bus whose log can be read, as an audit does."""

    def begin_offset(self, partition: int) -> int:
        """The first offset that the log still has, or would have; 0 where everything is kept."""

    def end_offset(self, partition: int) -> int:
        """The offset that the next record of the partition gets; the first is 0."""

    def read_log(self, partition: int, offset: int, limit: int) -> list[Record]:
        """At most `limit` records from `offset` on."""


class Bus(Audited, Named, Protocol):
    """A log of `partitions` partitions with its state and outputs."""

    def commit(self, commits: Sequence[Commit]) -> None:
        """Write all commits atomically and durably, or raise EnvironmentFailure and write none."""

    def close(self) -> None:
        """Release files and locks; a second call does nothing."""


def check_offsets(commits: Sequence[Commit], ends: list[int]) -> list[int]:
    """The end offsets after `commits`; raises BrokenInvariant if a record does not follow the end before it."""
    after = list(ends)
    for commit in commits:
        expected = after[commit.partition]
        for record in commit.records:
            if record.offset != expected or record.partition != commit.partition:
                found = f"partition {record.partition} offset {record.offset}"
                raise BrokenInvariant(f"the log of partition {commit.partition} expects offset {expected}, got {found}")
            expected += 1
        after[commit.partition] = expected
    return after
