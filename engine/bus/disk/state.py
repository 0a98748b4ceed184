"""Committed state on disk: one ordered key space over two families."""

from collections.abc import Iterator, Sequence
from itertools import chain

from rocksdict import WriteBatch

from engine.bus.disk.layout import MARK_TAG
from tables.stores.rocksdb import RocksStore

MARK_START = bytes([MARK_TAG])
MARK_STOP = bytes([MARK_TAG + 1])


class DiskState:
    """State keys begin with a one-byte tag of their table; event marks (tag "d") live in a family made for misses."""

    def __init__(self, store: RocksStore) -> None:
        self._rows = store.family("state")
        self._marks = store.family("dedupe")

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        return (self._marks if key[0] == MARK_TAG else self._rows).get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order; the keys of each family in one look-up."""
        routed = [key for key in keys if key[0] == MARK_TAG]
        if not routed:
            return self._rows.get_many(keys)
        if len(routed) == len(keys):
            return self._marks.get_many(routed)
        marks = iter(self._marks.get_many(routed))
        rows = iter(self._rows.get_many([key for key in keys if key[0] != MARK_TAG]))
        return [next(marks if key[0] == MARK_TAG else rows) for key in keys]

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop as they are at the call, ascending; with `reverse` descending."""
        if start[:1] == stop[:1] != MARK_START:
            return self._rows.scan(start, stop, reverse)
        parts = [
            (self._rows, start, min(stop, MARK_START)),
            (self._marks, max(start, MARK_START), min(stop, MARK_STOP)),
            (self._rows, max(start, MARK_STOP), stop),
        ]
        chosen = parts[::-1] if reverse else parts
        return chain.from_iterable([family.scan(low, high, reverse) for family, low, high in chosen if low < high])

    def add(self, batch: WriteBatch, changes: Sequence[tuple[bytes, bytes | None]]) -> None:
        """Put `changes` into `batch`. Every commit passes here, so the loop is kept short."""
        put, delete = batch.put, batch.delete
        rows, marks = self._rows.handle, self._marks.handle
        for key, value in changes:
            handle = marks if key[0] == MARK_TAG else rows
            if value is None:
                delete(key, handle)
            else:
                put(key, value, handle)
