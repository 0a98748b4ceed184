"""The rows that one task works on: a bounded cache of decoded rows over committed state, and what is changed."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Protocol

import msgspec

from tables import keys, rows

MISSING: Any = object()
NEVER_DUE = 2**62

TYPES: dict[int, type] = {
    keys.STOCK[0]: rows.Stock,
    keys.LEDGER[0]: rows.Entry,
    keys.ORDER[0]: rows.Order,
    keys.SHIPMENT[0]: rows.Shipment,
    keys.TRANSFER[0]: rows.Transfer,
    keys.RESERVATION[0]: rows.Reservation,
    keys.DOCUMENTS[0]: rows.Documents,
    keys.PLAN[0]: rows.Plan,
    keys.ITEM[0]: rows.Item,
    keys.SIGNAL[0]: rows.SignalRow,
    keys.ALERT[0]: rows.AlertRow,
    keys.REPORTED[0]: rows.Reported,
    keys.LOCATION[0]: rows.Location,
    keys.FEED[0]: rows.Feed,
    keys.PULSE[0]: rows.Pulse,
}
DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {tag: msgspec.msgpack.Decoder(kind) for tag, kind in TYPES.items()}
_encode = msgspec.msgpack.Encoder(decimal_format="string").encode

TAG_LEDGER = keys.LEDGER[0]
TAG_TIMER = keys.TIMER[0]
TAG_DUPLICATE = keys.DUPLICATE[0]
RAW_TAGS = (TAG_TIMER, TAG_DUPLICATE)
GROWING_TAGS = frozenset(key[0] for key in (keys.ORDER, keys.DOCUMENTS, keys.PLAN))
HEAVIEST_ROW_BYTES = 8 << 20


class State(Protocol):
    """What a workspace reads: committed state, ordered by key."""

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop, ascending."""


def decode(key: bytes, value: bytes) -> Any:
    """The row that is stored under `key`."""
    return DECODERS[key[0]].decode(value)


def weigh(row: Any) -> int:
    """About how many bytes of memory a cached row takes, its key and its place included."""
    kind = type(row)
    if kind is rows.Stock:
        return 1000
    if kind is rows.Plan:
        revised = sum([len(delta.buckets) for delta in row.deltas])
        buckets = 2 * (len(row.buckets) + revised) + len(row.issued) + len(row.errors)
        return 1500 + 160 * buckets + 300 * len(row.known_versions)
    if kind is rows.Order:
        return 400 + sum([900 + 200 * len(line.shipments) for line in row.lines.values()])
    if kind is rows.SignalRow:
        return 4000
    if kind is rows.Documents:
        return 500 + 160 * (len(row.orders) + len(row.transfers) + len(row.reservations))
    return 500


def too_heavy(writes: dict[bytes, Any]) -> bool:
    """Whether a row that grows with its documents would become longer than a record of a changelog may be.

    By the weight, which is a function of the row alone: so the same event is refused on every replay and every bus.
    """
    return any(
        row is not None and key[0] in GROWING_TAGS and weigh(row) > HEAVIEST_ROW_BYTES for key, row in writes.items()
    )


class Workspace:
    """Rows by key. Nothing that is put here is visible to others before the task commits it."""

    def __init__(self, state: State, memory_bytes: int) -> None:
        self._state = state
        self._memory_bytes = memory_bytes
        self._weight = 0
        self._cache: dict[bytes, Any] = {}
        self._dirty: dict[bytes, Any] = {}
        self._recent: dict[bytes, dict[bytes, Any]] = {}
        self._timers: dict[bytes, Any] = {}
        self._earliest = 0

    def get(self, key: bytes) -> Any:
        """The row under `key`, or None. Do not change what you get: copy it."""
        row = self._cache.get(key, MISSING)
        if row is MISSING:
            value = self._state.get(key)
            row = None if value is None else DECODERS[key[0]].decode(value)
            self._keep(key, row)
        return row

    def prefetch(self, wanted: list[bytes]) -> None:
        """Bring rows into the cache with one read."""
        cache = self._cache
        absent = [key for key in wanted if key not in cache]
        if absent:
            for key, value in zip(absent, self._state.get_many(absent), strict=True):
                self._keep(key, None if value is None else DECODERS[key[0]].decode(value))

    def _keep(self, key: bytes, row: Any) -> None:
        self._cache[key] = row
        self._weight += weigh(row)

    def accept(self, writes: dict[bytes, Any]) -> None:
        """Take over the changes of one event. None deletes."""
        cache, dirty = self._cache, self._dirty
        for key, row in writes.items():
            dirty[key] = row
            tag = key[0]
            if tag == TAG_LEDGER:
                self._recent.setdefault(key[1:-26], {})[key] = row
            elif tag == TAG_TIMER:
                self._timers[key] = row
                if row is not None:
                    self._earliest = min(self._earliest, keys.timer_at(key))
            elif tag != TAG_DUPLICATE:
                old = cache.pop(key, MISSING)
                if old is not MISSING:
                    self._weight -= weigh(old)
                self._keep(key, row)

    def entries(self, row_bytes: bytes, after: int) -> list[tuple[bytes, rows.Entry]]:
        """The movements and counts of a row later than `after`, in the order in which they count."""
        start, stop = keys.entry_range(row_bytes, after)
        found: dict[bytes, Any] = {key: decode(key, value) for key, value in self._state.scan(start, stop)}
        recent = self._recent.get(row_bytes)
        if recent:
            found.update((key, entry) for key, entry in recent.items() if key >= start)
        return [(key, found[key]) for key in sorted(found) if found[key] is not None]

    def timers(self, partition: int, until: int) -> list[bytes]:
        """The timers of a partition that are due at `until`, earliest first.

        Most of the time none is: the earliest is remembered, so that only then the state is asked.
        """
        if until < self._earliest:
            return []
        start, stop = keys.timer(partition, max(self._earliest, 0), b""), keys.timer(partition, until + 1, b"")
        due = self._timers_between(start, stop, None)
        later = self._timers_between(stop, keys.timer(partition + 1, 0, b""), 1 + len(self._timers))
        self._earliest = min(map(keys.timer_at, later), default=NEVER_DUE)
        return due

    def due(self, partition: int, now: int) -> bool:
        """Whether a timer of the partition is due at `now`."""
        if now < self._earliest:
            return False
        start, stop = keys.timer(partition, self._earliest, b""), keys.timer(partition + 1, 0, b"")
        first = self._timers_between(start, stop, 1 + len(self._timers))
        self._earliest = min(map(keys.timer_at, first), default=NEVER_DUE)
        return self._earliest <= now

    def _timers_between(self, start: bytes, stop: bytes, limit: int | None) -> list[bytes]:
        found = {key for key, _ in islice(self._state.scan(start, stop), limit)}
        for key, value in self._timers.items():
            if start <= key < stop:
                (found.discard if value is None else found.add)(key)
        return sorted(found)

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """What is to be committed, encoded."""
        return [(key, row if row is None or key[0] in RAW_TAGS else _encode(row)) for key, row in self._dirty.items()]

    def committed(self) -> None:
        """The changes are in the state now; forget them and keep within the memory."""
        self._dirty = {}
        self._recent = {}
        self._timers = {}
        cache = self._cache
        while self._weight > self._memory_bytes and cache:
            key = next(iter(cache))
            self._weight -= weigh(cache.pop(key))

    def rows_of(self, tag: bytes, row_bytes: bytes) -> list[tuple[bytes, Any]]:
        """All rows of a table that belong to a row (sku, location), committed or not, by key."""
        start, stop = tag + row_bytes + keys.NUL, tag + row_bytes + b"\x01"
        found: dict[bytes, Any] = {key: decode(key, value) for key, value in self._state.scan(start, stop)}
        found.update((key, row) for key, row in self._dirty.items() if start <= key < stop)
        return [(key, found[key]) for key in sorted(found) if found[key] is not None]
