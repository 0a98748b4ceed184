"""The rows of one partition: a bounded cache of decoded rows over committed state, and the changes since the commit."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Protocol, TypeVar, cast

from msgspec.msgpack import Encoder

from engine.core.errors import BrokenInvariant
from tables.catalogue import BY_TAG, CACHED_TAGS, DECODERS, GROWING, HEAVY, ORDERED_TAGS, weigh
from tables.keys import PARTITIONED_BYTES
from tables.overlay import overlay
from tables.table import LIGHT, Key
from tables.wakes import WAKE, wake_at, wake_range

MISSING: Any = object()
NEVER_DUE = 2**62
T = TypeVar("T")

_encode = Encoder(decimal_format="string").encode

WAKE_TAG = WAKE[0]
HEAVIEST_ROW_BYTES = 8 << 20
"""The longest row or output with its key: a record of the changelog can hold it."""
HEAVIEST_TURN_BYTES = 16 << 20
"""The most that one event may write, rows and outputs together: a transaction can hold it beside others."""
LIGHT_BYTES, LIGHT_ROWS = 64 << 10, 2_000
"""An event up to this length that writes at most so many rows stays far below the limits: no row grows with events."""


MOST_GAPS, MOST_GAPS_OF_A_ROW = 10_000, 8
"""Of so many rows a workspace remembers which keys are gone; then it forgets them all, which costs only time."""


class State(Protocol):
    """What a workspace reads: committed state, ordered by key."""

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """The values of `keys`, in their order."""

    def scan(self, start: bytes, stop: bytes, reverse: bool = False) -> Iterator[tuple[bytes, bytes]]:
        """The pairs with start <= key < stop, ascending; with `reverse` descending."""


def decode(key: Key[T], value: bytes) -> T:
    """The row that is stored under `key`; the bytes themselves in a table that keeps bytes."""
    row: T = DECODERS[key[0]](value)
    return row


def encode(row: object) -> bytes | None:
    """What is stored for a row; None deletes."""
    return row if row is None or type(row) is bytes else _encode(row)


def home(key: bytes) -> bytes:
    """The beginning of a key that it shares with all of its table and row (or, for wakes, of its partition)."""
    return key[:PARTITIONED_BYTES] if key[0] == WAKE_TAG else key[: key.index(0, key.index(0) + 1)]


def is_light(writes: Mapping[bytes, object], event_bytes: int) -> bool:
    """Whether what an event writes is certainly within a record and a transaction: it is short and changes few rows."""
    return event_bytes <= LIGHT_BYTES and len(writes) <= LIGHT_ROWS


def too_heavy(writes: Mapping[bytes, object], outputs: Sequence[bytes], event_bytes: int) -> bool:
    """Whether what an event writes is beyond a record, or all of it beyond a transaction, by its encoded length.

    The answer is a function of the rows and outputs alone, so the same event is rejected on every replay and every bus.
    Rows are encoded for it only where they may be long or many.

    Args:
        writes: the rows that the event changes, by key.
        outputs: the values that it publishes.
        event_bytes: the length of the event.
    """
    lengths = [len(value) for value in outputs]
    if not is_light(writes, event_bytes):
        lengths += [len(key) + len(encode(row) or b"") for key, row in writes.items()]
    return max(lengths, default=0) > HEAVIEST_ROW_BYTES or sum(lengths) > HEAVIEST_TURN_BYTES


class Workspace:
    """Rows by key. A change is seen here at once, and by other readers only once the partition has committed it."""

    def __init__(self, state: State, memory_bytes: int) -> None:
        self._state = state
        self._memory_bytes = memory_bytes
        self._weight = 0
        self.cache: dict[bytes, Any] = {}
        """Rows that were read or written of late, None for one that is not there; the oldest stands first."""
        self._dirty: dict[bytes, Any] = {}
        self._ordered: dict[bytes, list[Any]] = {}
        """The changed keys of the tables that are read in order, sorted, by table and row."""
        self._put_first: list[bytes] = []
        """Those of them whose first change was to be put: most are new, and some of the new ones are deleted again."""
        self._gaps: dict[bytes, dict[bytes, bytes]] = {}
        """By table and row, if something of it was deleted: no key lies from the first (included) to the second."""
        self._earliest = 0
        self._earliest_known = False
        """No wake lies before `_earliest`; where it is known, one lies there (or none at all at NEVER_DUE)."""

    def get(self, key: Key[T]) -> T | None:
        """The row under `key`, or None. It is the cached object itself: never change it, change a copy."""
        row: T | None = self.cache.get(key, MISSING)
        return self.load(key) if row is MISSING else row

    def load(self, key: Key[T]) -> T | None:
        """The row under `key`, or None, from the state; for a row that is not in the cache."""
        value = self._state.get(key)
        row = None if value is None else decode(key, value)
        self._keep(key, row)
        return row

    def require(self, key: Key[T]) -> T:
        """The row under `key`, which must be there.

        Raises:
            BrokenInvariant: it is not.
        """
        row = self.get(key)
        if row is None:
            raise BrokenInvariant(f"{BY_TAG[key[0]]!r} has no row under {key!r}, though another row names it")
        return row

    def prefetch(self, wanted: Iterable[bytes]) -> None:
        """Bring rows into the cache with one read."""
        cache = self.cache
        absent = [key for key in wanted if key not in cache]
        if absent:
            for key, value in zip(absent, self._state.get_many(absent), strict=True):
                self._keep(key, None if value is None else DECODERS[key[0]](value))

    def scan(self, start: Key[T], stop: Key[T], reverse: bool = False) -> Iterator[tuple[Key[T], T]]:
        """The (key, row) with start <= key < stop, ascending, or with `reverse` descending.

        Both keys are of one table that is read in order, and of one row (of wakes: one partition). Rows are read and
        decoded as the caller takes them.
        """
        beginning = home(start)
        gaps = None if reverse else self._gaps.get(beginning)
        if gaps is None:
            return self._scan(beginning, start, stop, reverse)
        return self._scan_beyond(gaps, beginning, start, stop)

    def _scan_beyond(
        self, gaps: dict[bytes, bytes], beginning: bytes, start: Key[T], stop: Key[T]
    ) -> Iterator[tuple[Key[T], T]]:
        """A scan that does not pass again the deleted keys which one from the same start has found before.

        A store passes deleted keys one by one until it compacts. Rows from which the first keys are taken, as the clock
        takes what is due, would cost the square of what they held.
        """
        known = cast("Key[T]", gaps.pop(start, start))
        pairs = self._scan(beginning, known, stop, reverse=False)
        first = next(pairs, None)
        # Taken out and put in again: the first of them was not asked for the longest.
        if len(gaps) == MOST_GAPS_OF_A_ROW:
            del gaps[next(iter(gaps))]
        gaps[start] = max(known, stop) if first is None else first[0]
        if first is not None:
            yield first
            yield from pairs

    def _scan(self, beginning: bytes, start: Key[T], stop: Key[T], reverse: bool) -> Iterator[tuple[Key[T], T]]:
        pairs = cast("Iterator[tuple[Key[T], bytes]]", self._state.scan(start, stop, reverse))
        decoder = DECODERS[start[0]]
        stored = ((key, decoder(value)) for key, value in pairs)
        written = self._ordered.get(beginning)
        if not written:
            return stored
        chosen = written[bisect_left(written, start) : bisect_left(written, stop)]
        return overlay(stored, reversed(chosen) if reverse else chosen, self._dirty.__getitem__, reverse)

    def _keep(self, key: bytes, row: object) -> None:
        self.cache[key] = row
        self._weight += weigh(row)

    def accept(self, writes: Mapping[bytes, object]) -> None:
        """Take over the changes of one event; None deletes a row."""
        cache, dirty = self.cache, self._dirty
        for key, row in writes.items():
            tag = key[0]
            if tag in ORDERED_TAGS:
                beginning = home(key)
                self._note_gap(beginning, key, row is None)
                if key not in dirty:
                    insort(self._ordered.setdefault(beginning, []), key)
                    if row is not None:
                        self._put_first.append(key)
            dirty[key] = row
            if tag in CACHED_TAGS:
                old = cache.pop(key, MISSING)
                cache[key] = row
                kind, former = type(row), type(old)
                if old is MISSING:
                    self._weight += weigh(row) if kind in HEAVY else LIGHT
                elif kind is former:
                    if kind in GROWING:
                        self._weight += weigh(row) - weigh(old)
                elif kind in HEAVY or former in HEAVY:
                    self._weight += weigh(row) - weigh(old)
            elif tag == WAKE_TAG:
                self._note_wake(wake_at(key), row is not None)

    def _note_gap(self, beginning: bytes, key: bytes, is_gone: bool) -> None:
        gaps = self._gaps.get(beginning)
        if gaps is None:
            if is_gone:
                self._gaps[beginning] = {}
        elif not is_gone:
            for start, until in gaps.items():
                if start <= key < until:
                    gaps[start] = key

    def _note_wake(self, at: int, is_set: bool) -> None:
        if is_set and at <= self._earliest:
            self._earliest, self._earliest_known = at, True
        elif not is_set and at == self._earliest:
            self._earliest_known = False

    def wakes(self, partition: int, until: int, limit: int) -> list[Key[bytes]]:
        """The wakes of a partition that are due at `until`, earliest first, at most `limit` of them."""
        if until < self.earliest_wake(partition):
            return []
        return [key for key, _ in islice(self.scan(*wake_range(partition, self._earliest, until)), limit)]

    def earliest_wake(self, partition: int) -> int:
        """The instant of the earliest wake of a partition; NEVER_DUE where there is none.

        It is remembered, so that the state is asked only after that wake is gone.
        """
        if not self._earliest_known:
            first = next(self.scan(*wake_range(partition, self._earliest)), None)
            self._earliest = NEVER_DUE if first is None else wake_at(first[0])
            self._earliest_known = True
        return self._earliest

    def due(self, partition: int, now: int) -> bool:
        """Whether a wake of the partition is due at `now`."""
        return self.earliest_wake(partition) <= now

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changes since the last commit, encoded; None deletes. A row that came and went meanwhile is no change."""
        encode, passing = _encode, self._passing()
        return [
            (key, row if row is None or type(row) is bytes else encode(row))
            for key, row in self._dirty.items()
            if row is not None or key not in passing
        ]

    def _passing(self) -> frozenset[bytes]:
        """The keys that are deleted and not in the state: where a commit holds many events, most movements of it."""
        deleted = [key for key in self._put_first if self._dirty[key] is None]
        if not deleted:
            return frozenset()
        found = zip(deleted, self._state.get_many(deleted), strict=True)
        return frozenset([key for key, value in found if value is None])

    def committed(self) -> None:
        """Forget the changes, which the state holds now, and evict the oldest rows until the cache fits its memory."""
        self._dirty = {}
        self._ordered = {}
        self._put_first = []
        if len(self._gaps) > MOST_GAPS:
            self._gaps.clear()
        cache = self.cache
        while self._weight > self._memory_bytes and cache:
            key = next(iter(cache))
            self._weight -= weigh(cache.pop(key))
