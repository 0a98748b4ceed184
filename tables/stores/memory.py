"""Rows in memory: the contract of `tables.stores.rocksdb.RocksStore`, kept in dictionaries."""

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence

Change = tuple["MemoryFamily", bytes, bytes | None]


class MemoryFamily:
    """One ordered name space of keys. They are sorted when the first scan asks for it, and kept so from then on."""

    def __init__(self) -> None:
        self._pairs: dict[bytes, bytes] = {}
        self._ordered: list[bytes] | None = None

    @property
    def handle(self) -> "MemoryFamily":
        """What a batch takes to name this family."""
        return self

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        return self._pairs.get(key)

    def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""
        return [self._pairs.get(key) for key in keys]

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop as they are at the call, ascending; with `reverse` descending."""
        keys = self._keys()
        chosen = keys[bisect_left(keys, start) : bisect_left(keys, stop)]
        return iter([(key, self._pairs[key]) for key in (reversed(chosen) if reverse else chosen)])

    def last(self, start: bytes, stop: bytes) -> tuple[bytes, bytes] | None:
        """The pair with the greatest key in start <= key < stop, or None."""
        keys = self._keys()
        at = bisect_left(keys, stop) - 1
        return (keys[at], self._pairs[keys[at]]) if at >= 0 and keys[at] >= start else None

    def apply(self, key: bytes, value: bytes | None) -> None:
        """Set `key`, or remove it where `value` is None."""
        ordered = self._ordered
        if value is None:
            if self._pairs.pop(key, None) is not None and ordered is not None:
                del ordered[bisect_left(ordered, key)]
            return
        if key not in self._pairs and ordered is not None:
            insort(ordered, key)
        self._pairs[key] = value

    def _keys(self) -> list[bytes]:
        if self._ordered is None:
            self._ordered = sorted(self._pairs)
        return self._ordered


class MemoryBatch:
    """Changes of any families that take effect together."""

    def __init__(self) -> None:
        self.changes: list[Change] = []

    def put(self, key: bytes, value: bytes, handle: MemoryFamily) -> None:
        """Set `key` to `value`."""
        self.changes.append((handle, key, value))

    def delete(self, key: bytes, handle: MemoryFamily) -> None:
        """Remove `key`; a key that is not there is no error."""
        self.changes.append((handle, key, None))


class MemoryStore:
    """Ordered families of keys and values, written by atomic batches."""

    def __init__(self, families: Sequence[str]) -> None:
        self._families = {name: MemoryFamily() for name in families}

    def family(self, name: str) -> MemoryFamily:
        """The family `name`; KeyError where the store was opened without it."""
        return self._families[name]

    def batch(self) -> MemoryBatch:
        """An empty batch."""
        return MemoryBatch()

    def write(self, batch: MemoryBatch) -> None:
        """Apply the changes of `batch` in their order, all or none."""
        for family, key, value in batch.changes:
            family.apply(key, value)
        batch.changes = []

    def close(self) -> None:
        """Nothing to release; the pairs stay readable."""
