"""The rows that one task works on: a bounded cache of decoded rows over committed state, and what is changed."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol

import msgspec

from tables import keys, orders, rows
from tables.overlay import overlay

MISSING: Any = object()
NEVER_DUE = 2**62

TYPES: dict[int, type] = {
    keys.STOCK[0]: rows.Stock,
    keys.LEDGER[0]: rows.Entry,
    keys.ORDER[0]: orders.Order,
    keys.LINE[0]: orders.Line,
    keys.PIECE[0]: orders.Piece,
    keys.SHIPMENT[0]: orders.Shipment,
    keys.SUPPLY[0]: orders.SupplyBlock,
    keys.PAST_SUPPLY[0]: orders.PastSupply,
    keys.TRANSIT[0]: orders.Transit,
    keys.TRANSFER[0]: rows.Transfer,
    keys.RESERVATION[0]: rows.Reservation,
    keys.PLAN[0]: rows.Plan,
    keys.ITEM[0]: rows.Item,
    keys.SIGNAL[0]: rows.SignalRow,
    keys.ALERT[0]: rows.AlertRow,
    keys.REPORTED[0]: rows.Reported,
    keys.FLOOR[0]: rows.Floor,
    keys.DEFINITION[0]: rows.Definition,
    keys.DELTA[0]: rows.Revision,
    keys.VERSION[0]: rows.Version,
    keys.BUCKET[0]: rows.Bucket,
    keys.ISSUED[0]: rows.Issued,
    keys.LOCATION[0]: rows.Location,
    keys.FEED[0]: rows.Feed,
    keys.PULSE[0]: rows.Pulse,
}
DECODERS: dict[int, msgspec.msgpack.Decoder[Any]] = {tag: msgspec.msgpack.Decoder(kind) for tag, kind in TYPES.items()}
_encode = msgspec.msgpack.Encoder(decimal_format="string").encode

TAG_TIMER = keys.TIMER[0]
INDEXES = (
    keys.TIMER, keys.DUE, keys.OPEN, keys.SLOT, keys.LEAD_TIME, keys.DELTA_ORDER, keys.GAP, keys.UNKNOWN_ITEM,
)  # fmt: skip
"""Tables that are only read in the order of their keys, which say nearly all."""
RAW_TAGS = frozenset(tag[0] for tag in (keys.DUPLICATE, keys.ALERT_NAME, *INDEXES))
"""Tables whose values are bytes, not rows."""
ORDERED_TAGS = frozenset(
    tag[0]
    for tag in (
        keys.LEDGER, keys.ALERT, keys.SUPPLY, keys.DEFINITION, keys.DELTA, keys.BUCKET, keys.ISSUED,
        *INDEXES,
    )
)  # fmt: skip
"""Tables that are read in the order of their keys."""
UNCACHED_TAGS = frozenset(tag[0] for tag in (keys.LEDGER, keys.DUPLICATE, keys.DEFINITION, *INDEXES))
"""Tables that are never read by key."""
HEAVIEST_ROW_BYTES = 8 << 20
"""The longest row or output, its key included: what a record of a changelog can hold."""
HEAVIEST_TURN_BYTES = 16 << 20
"""The most that one event may write, rows and outputs together: what a transaction can hold beside others."""
LIGHT_BYTES, LIGHT_ROWS = 64 << 10, 2_000
"""An event up to this length writes rows far below the limits, as no row grows from event to event, and few of them."""


class State(Protocol):
    """What a workspace reads: committed state, ordered by key."""

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop, ascending; with `reverse` descending."""


def decode(key: bytes, value: bytes) -> Any:
    """The row that is stored under `key`; the bytes themselves in a table that holds no rows."""
    return value if key[0] in RAW_TAGS else DECODERS[key[0]].decode(value)


def encode(key: bytes, row: Any) -> bytes | None:
    """What is stored under `key` for a row; None deletes."""
    return row if row is None or key[0] in RAW_TAGS else _encode(row)


def weigh(row: Any) -> int:
    """About how many bytes of memory a cached row takes, its key and its place included."""
    weight = WEIGHTS.get(type(row), 500)
    return weight if type(weight) is int else weight(row)


def _weigh_plan(plan: rows.Plan) -> int:
    return 1500 + 160 * (len(plan.errors) + (len(plan.base.buckets) if plan.base is not None else 0))


WEIGHTS: dict[type, Any] = {
    rows.Stock: 1000,
    rows.SignalRow: 4000,
    rows.Plan: _weigh_plan,
    rows.Revision: lambda revision: 800 + 160 * len(revision.buckets),
    orders.Line: lambda line: 900 + 100 * len(line.promises),
}
"""What a row of a type weighs, or what tells it of a row that grows; every other row is short."""
GROWING = frozenset(kind for kind, weight in WEIGHTS.items() if type(weight) is not int)


def too_heavy(writes: dict[bytes, Any], outputs: Sequence[bytes], event_bytes: int) -> bool:
    """Whether what an event writes is beyond a record, or all of it beyond a transaction, by its encoded length.

    The answer is a function of the rows and outputs alone, so the same event is refused on every replay and every bus.
    Rows are encoded for it only where they may be long or many.

    Args:
        writes: the rows that the event changes, by key.
        outputs: the values that it publishes.
        event_bytes: the length of the event.
    """
    is_light = event_bytes <= LIGHT_BYTES and len(writes) <= LIGHT_ROWS
    if is_light and not outputs:
        return False
    lengths = [len(value) for value in outputs]
    if not is_light:
        lengths += [len(key) + len(encode(key, row) or b"") for key, row in writes.items()]
    return max(lengths, default=0) > HEAVIEST_ROW_BYTES or sum(lengths) > HEAVIEST_TURN_BYTES


class Workspace:
    """Rows by key. Nothing that is put here is visible to others before the task commits it."""

    def __init__(self, state: State, memory_bytes: int) -> None:
        self._state = state
        self._memory_bytes = memory_bytes
        self._weight = 0
        self._cache: dict[bytes, Any] = {}
        self._dirty: dict[bytes, Any] = {}
        self._ordered: dict[bytes, list[bytes]] = {}
        """The dirty keys of ordered tables, sorted, by table and row."""
        self._earliest = 0
        self._earliest_known = False
        """No timer lies before `_earliest`; where it is known, one lies there (or none at all at NEVER_DUE)."""

    def get(self, key: bytes) -> Any:
        """The row under `key`, or None. Do not change what you get: copy it."""
        row = self._cache.get(key, MISSING)
        if row is MISSING:
            value = self._state.get(key)
            row = None if value is None else decode(key, value)
            self._keep(key, row)
        return row

    def prefetch(self, wanted: Iterable[bytes]) -> None:
        """Bring rows into the cache with one read."""
        cache = self._cache
        absent = [key for key in wanted if key not in cache]
        if absent:
            for key, value in zip(absent, self._state.get_many(absent), strict=True):
                self._keep(key, None if value is None else DECODERS[key[0]].decode(value))

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, Any]]:
        """The (key, row) with start <= key < stop of one ordered table and row, ascending or with `reverse` descending.

        Rows are read and decoded as the caller takes them.
        """
        stored = ((key, decode(key, value)) for key, value in self._state.scan(start, stop, reverse))
        written = self._ordered.get(keys.home(start))
        if not written:
            return stored
        chosen = written[bisect_left(written, start) : bisect_left(written, stop)]
        return overlay(stored, reversed(chosen) if reverse else chosen, self._dirty.__getitem__, reverse)

    def _keep(self, key: bytes, row: Any) -> None:
        self._cache[key] = row
        self._weight += weigh(row)

    def accept(self, writes: dict[bytes, Any]) -> None:
        """Take over the changes of one event. None deletes."""
        cache, dirty = self._cache, self._dirty
        for key, row in writes.items():
            tag = key[0]
            if tag in ORDERED_TAGS and key not in dirty:
                self._put_in_order(key)
            dirty[key] = row
            if tag not in UNCACHED_TAGS:
                old = cache.pop(key, MISSING)
                cache[key] = row
                if type(old) is not type(row) or type(row) in GROWING:
                    self._weight += weigh(row) if old is MISSING else weigh(row) - weigh(old)
            elif tag == TAG_TIMER:
                self._note_timer(keys.timer_at(key), row is not None)

    def _put_in_order(self, key: bytes) -> None:
        home = keys.home(key)
        written = self._ordered.get(home)
        if written is None:
            self._ordered[home] = [key]
        else:
            insort(written, key)

    def _note_timer(self, at: int, is_set: bool) -> None:
        if is_set and at <= self._earliest:
            self._earliest, self._earliest_known = at, True
        elif not is_set and at == self._earliest:
            self._earliest_known = False

    def timers(self, partition: int, until: int, limit: int) -> list[bytes]:
        """The timers of a partition that are due at `until`, earliest first, at most `limit` of them."""
        if until < self.earliest_timer(partition):
            return []
        start, stop = keys.timer(partition, max(self._earliest, 0), b""), keys.timer(partition, until + 1, b"")
        return [key for key, _ in islice(self.scan(start, stop), limit)]

    def earliest_timer(self, partition: int) -> int:
        """The instant of the earliest timer of a partition; NEVER_DUE where there is none.

        It is remembered, so that the state is asked only after that timer is gone.
        """
        if not self._earliest_known:
            start, stop = keys.timer(partition, max(self._earliest, 0), b""), keys.timer(partition + 1, 0, b"")
            first = next(self.scan(start, stop), None)
            self._earliest = NEVER_DUE if first is None else keys.timer_at(first[0])
            self._earliest_known = True
        return self._earliest

    def due(self, partition: int, now: int) -> bool:
        """Whether a timer of the partition is due at `now`."""
        return self.earliest_timer(partition) <= now

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """What is to be committed, encoded."""
        encode = _encode
        return [(key, row if row is None or key[0] in RAW_TAGS else encode(row)) for key, row in self._dirty.items()]

    def committed(self) -> None:
        """The changes are in the state now; forget them and keep within the memory."""
        self._dirty = {}
        self._ordered = {}
        cache = self._cache
        while self._weight > self._memory_bytes and cache:
            key = next(iter(cache))
            self._weight -= weigh(cache.pop(key))
