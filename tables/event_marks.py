"""The names of events in bulk: those that one commit remembered lie in one value of the changelog.

One value per name would make the changelog several times longer. A name is the key that `keys.duplicate` gives it; what
is remembered of it are its content's digest and its arrival.
"""

from collections.abc import Iterable, Iterator

from tables import keys

PREFIX_BYTES = 3
NAME_BYTES = 16
SEEN_BYTES = 16
ENTRY_BYTES = NAME_BYTES + SEEN_BYTES


def pack_names(pairs: Iterable[tuple[bytes, bytes]]) -> bytes:
    """One value that holds (key, what is remembered) of names of one partition."""
    return b"".join([key[PREFIX_BYTES:] + seen for key, seen in pairs])


def unpack_names(chunk_key: bytes, packed: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The (key, what is remembered) pairs of a chunk."""
    prefix = keys.DUPLICATE + chunk_key[1:PREFIX_BYTES]
    for start in range(0, len(packed), ENTRY_BYTES):
        middle = start + NAME_BYTES
        yield prefix + packed[start:middle], packed[middle : start + ENTRY_BYTES]


def newest_arrival(packed: bytes) -> int:
    """The latest arrival (microseconds) in a chunk, whose entries stand in the order of arrival; 0 for an empty one."""
    return int.from_bytes(packed[-8:], "big")
