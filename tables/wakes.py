"""What waits for the clock: the next wake of each row, its due documents, and the list of those that are open."""

from struct import Struct as Layout

from tables.keys import AFTER_NUL, NUL, PARTITIONED_BYTES, Range, of_partition
from tables.table import Key, Table, Use

WAKE = Table(b"t", "wakes", bytes, Use.IN_ORDER | Use.HIDDEN)
DUE = Table(b"w", "due", bytes, Use.IN_ORDER)
OPEN_DOCUMENT = Table(b"u", "open", bytes, Use.IN_ORDER)

_INSTANT = Layout(">q")


def wake_key(partition: int, at: int, row: bytes) -> Key[bytes]:
    """The key that asks for a look at a row when the clock of its partition reaches `at`."""
    return of_partition(WAKE, partition, _INSTANT.pack(at) + row)


def wake_range(partition: int, start: int, until: int | None = None) -> Range[bytes]:
    """Start and stop of the wakes of a partition from the instant `start` to `until`, both included."""
    stop = wake_key(partition + 1, 0, b"") if until is None else wake_key(partition, until + 1, b"")
    return wake_key(partition, max(start, 0), b""), stop


def wake_at(key: bytes) -> int:
    """The instant of a wake, from its key."""
    at: int = _INSTANT.unpack_from(key, PARTITIONED_BYTES)[0]
    return at


def wake_row(key: bytes) -> bytes:
    """The row of a wake, from its key."""
    return key[PARTITIONED_BYTES + _INSTANT.size :]


def due_key(row: bytes, at: int, kind: bytes, name: str) -> Key[bytes]:
    """The key that asks for a look at one document of a row (`kind` is one byte) when the clock reaches `at`."""
    return DUE + row + NUL + _INSTANT.pack(at) + kind + name.encode()


def due_range(row: bytes, until: int) -> Range[bytes]:
    """Start and stop of the documents of a row that are due at `until` or before."""
    prefix = DUE + row + NUL
    return prefix, prefix + _INSTANT.pack(until + 1)


def due_parts(key: bytes, row: bytes) -> tuple[int, bytes, str]:
    """(instant, kind, name) of a key of `due_key`."""
    start = len(row) + 2
    kind = start + _INSTANT.size
    at: int = _INSTANT.unpack_from(key, start)[0]
    return at, key[kind : kind + 1], key[kind + 1 :].decode()


def open_key(row: bytes, kind: bytes, name: str) -> Key[bytes]:
    """The key that lists a document of a row (`kind` is one byte) as long as something of it is open."""
    return OPEN_DOCUMENT + row + NUL + kind + name.encode()


def open_range(row: bytes, kind: bytes, order: str | None = None) -> Range[bytes]:
    """Start and stop of the open documents of a row of one kind; of order lines also those of one `order`."""
    prefix = OPEN_DOCUMENT + row + NUL
    if order is None:
        return prefix + kind, prefix + bytes([kind[0] + 1])
    return prefix + kind + order.encode() + NUL, prefix + kind + order.encode() + AFTER_NUL


def open_name(key: bytes, row: bytes) -> str:
    """The name of an open document, from its key."""
    return key[len(row) + 3 :].decode()
