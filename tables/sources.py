"""What has come into a partition from each source of events: how many it took, how many were repeats, late, or refused.

Sources are names from outside, so a partition keeps at most MOST_SOURCES of them by name, and declared feeds beside
them; all others share one row.
"""

from msgspec import Struct

from tables.keys import NEVER, PARTITIONED_BYTES, Range, of_partition, partition_range
from tables.table import Key, Table

MOST_SOURCES = 1000
"""So many sources a partition counts by name; those that come later share the row OTHERS."""
UNREADABLE = ""
"""The name under which records are counted whose source cannot be read."""
OTHERS = "\0"
"""The name of the row of all sources that have none of their own; no name of an event may have this character."""


class SourceCounts(Struct, array_like=True, gc=False):
    """Counts of the records of a source in one partition; instants are arrivals, NEVER where there was none.

    Attributes:
        last: when the last record arrived.
        applied: events that were folded.
        duplicates: repeats of an event that was folded before.
        late: folded events that came more than an hour after they had happened, by the engine's clock.
        refused: records that became dead letters.
        last_refused: when the last of these arrived.
        reason: why that one was refused.
    """

    last: int = NEVER
    applied: int = 0
    duplicates: int = 0
    late: int = 0
    refused: int = 0
    last_refused: int = NEVER
    reason: str | None = None

    def plus(self, other: "SourceCounts") -> "SourceCounts":
        """The counts of both, with the later of their instants."""
        newer = self if self.last_refused >= other.last_refused else other
        return SourceCounts(
            max(self.last, other.last),
            self.applied + other.applied,
            self.duplicates + other.duplicates,
            self.late + other.late,
            self.refused + other.refused,
            newer.last_refused,
            newer.reason,
        )


SOURCE = Table(b"C", "sources", SourceCounts)


def source_key(partition: int, name: str) -> Key[SourceCounts]:
    """The key of what has come into a partition from a source."""
    return of_partition(SOURCE, partition, name.encode())


def source_name(key: bytes) -> str:
    """The name of the source, from a key of `source_key`."""
    return key[PARTITIONED_BYTES:].decode()


def sources_range(partition: int) -> Range[SourceCounts]:
    """Start and stop of the keys of all sources of a partition."""
    return partition_range(SOURCE, partition)
