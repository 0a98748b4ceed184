"""The marker of a partition in the changelog: how far its log is folded into the rows beside it."""

from tables.keys import of_partition
from tables.table import Key, Table, Use

MARKER = Table(b"m", "markers", bytes, Use.BY_BUS)


def marker_key(partition: int) -> Key[bytes]:
    """The key of the marker of a partition."""
    return of_partition(MARKER, partition)
