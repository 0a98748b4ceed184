"""Layouts of keys that several tables share: a tag, then texts divided by NUL or fixed-width integers.

The order of the bytes is the order of what they mean. Each table's module has the keys that are its own.
"""

from struct import Struct
from typing import TypeVar

from tables.table import Key, Table

T = TypeVar("T")

Rank = tuple[int, int, bytes]
"""(revision, instant, identity): the greater one wins; the identity breaks ties, so arrival order never does."""
Range = tuple[Key[T], Key[T]]
"""Start (included) and stop (excluded) of a scan."""

NUL = b"\0"
AFTER_NUL = b"\x01"
"""The byte that follows NUL: a prefix and this are the stop of all keys that begin with the prefix and NUL."""
NEVER = -1
"""The instant before all others: something has not happened yet."""

IDENTITY_BYTES = 16
EPOCH_SHIFT = 1 << 63
"""Added to an instant, so that one before 1970 sorts before the others."""

_SHIFTED_INSTANT = Struct(">Q")
_RANK_BYTES = _SHIFTED_INSTANT.size + IDENTITY_BYTES
_PARTITION = Struct(">H")
_DAY = Struct(">I")
_INSTANT = Struct(">q")
PARTITIONED_BYTES = 1 + _PARTITION.size
"""The length of a tag with a partition."""


def row(sku: str, location: str) -> bytes:
    """The bytes that name the row (sku, location) in every table."""
    # Not by `row_key`: every event comes by here twice.
    return f"{sku}\0{location}".encode()


def names(row_bytes: bytes) -> tuple[str, str]:
    """The (sku, location) of a row's bytes."""
    sku, location = row_bytes.decode().split("\0")
    return sku, location


def part(table: Table[T], row_bytes: bytes, *parts: str) -> Key[T]:
    """The key of a document of a row, which `parts` name."""
    return table + row_bytes + NUL + "\0".join(parts).encode()


def parts_of(key: bytes, row_bytes: bytes) -> bytes:
    """The parts of a key of `part`, still divided by NUL."""
    return key[len(row_bytes) + 2 :]


def parts_range(table: Table[T], row_bytes: bytes, *parts: str) -> Range[T]:
    """Start and stop of the keys of `part` that begin with `parts`."""
    prefix = part(table, row_bytes, *parts) if parts else table + row_bytes
    return prefix + NUL, prefix + AFTER_NUL


def ranked(prefix: Key[T], at: int, identity: bytes) -> Key[T]:
    """A key under `prefix` that sorts by the instant and identity of an event; instants may lie before 1970."""
    return prefix + NUL + _SHIFTED_INSTANT.pack(at + EPOCH_SHIFT) + identity


def ranked_range(prefix: Key[T], until: int, identity: bytes = b"") -> Range[T]:
    """Start and stop of the keys of `ranked` below the instant `until`, or at it and below `identity`."""
    return prefix + NUL, ranked(prefix, until, identity)


def rank_of(key: bytes) -> Rank:
    """The rank (0, instant, identity) of the event behind a key of `ranked`."""
    return 0, _SHIFTED_INSTANT.unpack_from(key, len(key) - _RANK_BYTES)[0] - EPOCH_SHIFT, key[-IDENTITY_BYTES:]


def dated(day: int, name: str) -> bytes:
    """The tail of a key that is ordered by a day."""
    return _DAY.pack(day) + name.encode()


def dated_parts(tail: bytes) -> tuple[int, str]:
    """The (day, name) of a tail of `dated`."""
    day: int = _DAY.unpack_from(tail)[0]
    return day, tail[_DAY.size :].decode()


def timed(at: int, name: str) -> bytes:
    """The tail of a key that is ordered by an instant; what lies before 1970 shares one instant."""
    return _INSTANT.pack(max(0, at)) + name.encode()


def timed_at(tail: bytes) -> int:
    """The instant of a tail of `timed`."""
    at: int = _INSTANT.unpack_from(tail)[0]
    return at


def timed_parts(tail: bytes) -> tuple[int, str]:
    """The (instant, name) of a tail of `timed`."""
    return timed_at(tail), tail[_INSTANT.size :].decode()


def of_partition(table: Table[T], partition: int, name: bytes = b"") -> Key[T]:
    """The key of a row of which every partition has its own; without a name the prefix of all of a partition."""
    return table + _PARTITION.pack(partition) + name


def partition_range(table: Table[T], partition: int) -> Range[T]:
    """Start and stop of the keys of `of_partition`."""
    return of_partition(table, partition), of_partition(table, partition + 1)
