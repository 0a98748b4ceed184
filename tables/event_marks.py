"""The marks of the events that were seen: the digest of what each said, and when it arrived.

An event is known by the 16-byte identity in the key of its mark. A mark is 16 bytes long: the digest of the event's
content (8) and its arrival in microseconds (8, big-endian). On Kafka the marks that one commit makes lie in one record
of the changelog, a chunk: one record for each mark would make the changelog several times longer.
"""

from collections.abc import Iterable, Iterator
from struct import Struct as Layout

from tables.keys import IDENTITY_BYTES, PARTITIONED_BYTES, of_partition
from tables.table import Key, Table, Use

EVENT_MARK = Table(b"d", "event marks", bytes, Use.BY_BUS | Use.HIDDEN)
MARK_CHUNK = Table(b"n", "chunks of event marks", bytes, Use.BY_BUS | Use.HIDDEN)

CONTENT_BYTES = 8
ARRIVAL_BYTES = 8
MARK_BYTES = CONTENT_BYTES + ARRIVAL_BYTES
ENTRY_BYTES = IDENTITY_BYTES + MARK_BYTES

_OFFSET = Layout(">Q")


def mark_key(partition: int, identity: bytes) -> Key[bytes]:
    """The key of the mark of the event with this identity."""
    return of_partition(EVENT_MARK, partition, identity)


def marked_identity(key: bytes) -> bytes:
    """The identity of the event behind a mark, from its key."""
    return key[-IDENTITY_BYTES:]


def pack_mark(content: bytes, arrived_at: int) -> bytes:
    """The mark of an event: the digest of its content and its arrival in microseconds."""
    return content + arrived_at.to_bytes(ARRIVAL_BYTES, "big")


def marked_content(mark: bytes) -> bytes:
    """The digest of an event's content, from its mark."""
    return mark[:CONTENT_BYTES]


def newest_arrival(packed: bytes) -> int:
    """When the event of a mark, or the last of a chunk (which stand in this order), arrived; 0 for an empty chunk."""
    return int.from_bytes(packed[-ARRIVAL_BYTES:], "big")


def chunk_key(partition: int, offset: int) -> Key[bytes]:
    """The key of the chunk of marks of the commit that ended before the log's `offset`."""
    return of_partition(MARK_CHUNK, partition, _OFFSET.pack(offset))


def pack_marks(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """One chunk of the (key, mark) pairs of one partition."""
    return b"".join([key[PARTITIONED_BYTES:] + mark for key, mark in pairs])


def unpack_marks(key: bytes, packed: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (key, mark) pairs of the chunk that lies under `key`."""
    prefix = EVENT_MARK + key[1:PARTITIONED_BYTES]
    for start in range(0, len(packed), ENTRY_BYTES):
        middle = start + IDENTITY_BYTES
        yield prefix + packed[start:middle], packed[middle : start + ENTRY_BYTES]
