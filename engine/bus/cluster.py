"""The contract of a cluster: a log that others write, whose partitions are owned one by one, by one process at a time.

The bus of one machine writes log, rows and outputs in one step. In a cluster the log is there before: an owner reads it
from the offset in its marker and commits what follows from it. Ownership is fenced: once a partition is owned anew, its
former owner can commit nothing more.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from engine.bus.single import Commit, Record, StateReader


class Fetched(NamedTuple):
    """Records of one partition that were fetched together.

    `start` is the position from which they were fetched, `end` the next one. Offsets may have gaps; if the range holds
    only transaction markers, `records` is empty. `everywhere` are the offsets of records that their sender has put into
    every partition.
    """

    partition: int
    start: int
    end: int
    records: Sequence[Record]
    everywhere: frozenset[int] = frozenset()


class Appended(NamedTuple):
    """The partition and the offset that the log has given to a record."""

    partition: int
    offset: int


class LogBounds(NamedTuple):
    """The first offset that the log still has, and the offset that its next record gets."""

    start: int
    end: int


def length_of(commit: Commit, broadcast: Sequence[Record]) -> int:
    """The approximate number of bytes that a commit writes."""
    changes = sum([len(key) + len(value or b"") for key, value in commit.changes])
    outputs = sum([len(output.key) + len(output.value) for output in commit.outputs])
    return changes + outputs + sum([len(record.value) for record in broadcast])


class Ownership(Protocol):
    """A partition that this process owns."""

    @property
    def state(self) -> StateReader:
        """Committed rows, restored up to the last commit of any owner."""

    @property
    def marker(self) -> bytes | None:
        """The marker of the last commit, None before the first."""

    @property
    def next_offset(self) -> int:
        """The offset of the first record that is not in that commit."""

    async def commit(self, commit: Commit, broadcast: Sequence[Record]) -> None:
        """Commit changes, outputs and marker, and append `broadcast` to the logs they name, all or nothing.

        Raises:
            Fenced: another process owns the partition; nothing was committed.
            UsageError: a record of it will never be taken; nothing was committed.
            EnvironmentFailure: the outcome is unknown; this object is of no more use.
        """

    async def close(self) -> None:
        """Let go of the partition."""

    async def discard(self) -> None:
        """Let go of the partition and delete the rows that were kept locally, because they are damaged."""


class Receiver(Protocol):
    """The worker behind a membership of the group; the membership calls it when partitions change or records arrive."""

    def wants(self, partition: int) -> bool:
        """Whether more records of a partition would be taken now; called from any thread."""

    async def take(self, fetched: Fetched) -> None:
        """Take the records of a fetch."""

    async def on_revoked(self) -> None:
        """The group is about to share its partitions anew: finish commits under way and begin none."""

    async def on_assigned(self, partitions: frozenset[int]) -> None:
        """The group gives this process exactly these partitions from now on."""

    def failed(self, error: BaseException) -> None:
        """The membership has failed for good."""


class Cluster(Protocol):
    """The logs of all partitions, for a worker."""

    @property
    def partitions(self) -> int:
        """The number of partitions of the log."""

    async def own(self, partition: int) -> Ownership:
        """Own a partition: fence its former owner, then bring its rows up to date.

        Raises:
            UsageError: the topics are not what they were; a person must decide.
            EnvironmentFailure: the partition cannot be owned at the moment; a later attempt may succeed.
        """

    async def seek(self, partition: int, offset: int) -> None:
        """Fetch a partition from `offset` on."""

    async def append(self, records: Sequence[Record]) -> None:
        """Append records that may come twice (ticks of the clock); their offsets are ignored."""

    async def committed(self, offsets: dict[int, int]) -> None:
        """Publish the consumed offsets to the consumer group. Only lag displays read them.

        Raises:
            EnvironmentFailure: the group has not taken them; publish them again.
        """
