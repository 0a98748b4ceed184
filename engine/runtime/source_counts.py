"""What a partition counts of each source, carried to rows with the commit of the records that it counts."""

from collections.abc import Container, Iterator
from copy import copy

from engine.bus.single import Kept, Record
from engine.core.values import HOUR
from tables.sources import (
    MOST_SOURCES,
    OTHERS,
    UNREADABLE,
    SourceCounts,
    source_key,
    source_name,
    sources_range,
)
from tables.table import Key
from tables.workspace import State, Workspace, decode

LATE = HOUR
"""An event that came so long after it had happened is late."""


class SourcesOfPartition:
    """What the records of a step add to the counts of their sources, until `carry` writes it to the rows.

    The rows follow from the log alone, wherever a batch is cut. A record costs one look-up; a commit writes one short
    row for each source that sent something.
    """

    def __init__(self, state: State, partition: int, declared: Container[str]) -> None:
        """Load what the partition has counted; sources in `declared` are counted by name however many there are."""
        self._partition = partition
        self._declared = declared
        self._counts = dict(_rows_of(state, partition))
        self._sending: set[str] = set()

    def applied(self, source: str, record: Record, behind: int) -> None:
        """Count an event that was folded, `behind` microseconds after it had happened."""
        counts = self._arrived(source, record)
        counts.applied += 1
        if behind > LATE:
            counts.late += 1

    def repeated(self, source: str, record: Record) -> None:
        """Count a repeat of an event that was folded before."""
        self._arrived(source, record).duplicates += 1

    def refused(self, source: str, record: Record, reason: str) -> None:
        """Count a record that became a dead letter; `source` is what can be read of its source, or UNREADABLE."""
        counts = self._arrived(UNREADABLE if source == OTHERS else source, record)
        counts.refused += 1
        if record.arrived_at >= counts.last_refused:
            counts.last_refused, counts.reason = record.arrived_at, reason

    def carry(self, space: Workspace) -> None:
        """Carry the counts of the sources that have sent something to their rows."""
        # The copies keep rows that were handed over as they were then.
        space.accept({source_key(self._partition, name): copy(self._counts[name]) for name in sorted(self._sending)})
        self._sending.clear()

    def _arrived(self, source: str, record: Record) -> SourceCounts:
        counts = self._counts.get(source)
        if counts is None:
            is_named = len(self._counts) < MOST_SOURCES or source in self._declared
            source = source if is_named else OTHERS
            counts = self._counts.setdefault(source, SourceCounts())
        self._sending.add(source)
        if record.arrived_at > counts.last:
            counts.last = record.arrived_at
        return counts


def source_counts(bus: Kept) -> dict[str, SourceCounts]:
    """What all partitions have counted, added up, by the name of the source."""
    found: dict[str, SourceCounts] = {}
    for partition in range(bus.partitions):
        for name, counts in _rows_of(bus.state, partition):
            found[name] = found[name].plus(counts) if name in found else counts
    return found


def _rows_of(state: State, partition: int) -> Iterator[tuple[str, SourceCounts]]:
    for key, value in state.scan(*sources_range(partition)):
        counts: SourceCounts = decode(Key(key), value)
        yield source_name(key), counts
