"""The ledger of a row: the movements and counts of the movement window, and the balances as of its beginning."""

from struct import Struct as Layout

from msgspec import Struct

from tables.keys import AFTER_NUL, IDENTITY_BYTES, NEVER, NUL, Range
from tables.table import Key, Table, Use

IS_MOVEMENT = 0
IS_COUNT = 1
"""At one moment movements sort before counts, which cover them."""

_INSTANT = Layout(">q")
_TAIL = Layout(f">qB{IDENTITY_BYTES}s")
"""How the key of a movement ends: its instant, whether it is a count, the identity of its event."""


class Count(Struct, array_like=True, frozen=True, gc=False):
    """A count of available or of held stock: the balance was `qty` as of the moment `covers`."""

    covers: int
    """The moment up to which the count includes all movements.

    It is the count's own time, or the beginning of the window where the count came too late for that.
    """
    at: int
    identity: bytes
    qty: int

    @property
    def rank(self) -> tuple[int, bytes]:
        """Its time, then the identity of its event: the count of the greater rank states the balance."""
        return self.at, self.identity


class Balances(Struct, array_like=True, gc=False):
    """Available and held stock as of some moment: the latest count of each, plus the movements after that count."""

    available: int = 0
    held: int = 0
    available_count: Count | None = None
    held_count: Count | None = None

    def move(self, at: int, available: int, held: int) -> None:
        """Add a movement at the instant `at`, unless a count includes it already."""
        if available and (self.available_count is None or at > self.available_count.covers):
            self.available += available
        if held and (self.held_count is None or at > self.held_count.covers):
            self.held += held

    def reset(self, count: Count, is_held: bool, later: int) -> None:
        """State a balance by a count; `later` is the sum of the movements after the moment that it covers."""
        if is_held:
            self.held, self.held_count = count.qty + later, count
        else:
            self.available, self.available_count = count.qty + later, count

    def outranks(self, count: Count, is_held: bool) -> bool:
        """Whether the count that states the balance now ranks at or above `count`."""
        known = self.held_count if is_held else self.available_count
        return known is not None and known.rank >= count.rank


class Floor(Balances, array_like=True, gc=False):
    """The balances as of the newest movement that is no longer kept: the sum of all that left the window."""


class Movement(Struct, array_like=True, gc=False):
    """One movement or count of a row."""

    available: int
    """The change of available stock, or the balance that a count of it states."""
    held: int
    kind: str
    """The type of the event."""
    ref: str
    """The event, as `source/id`."""
    count: int = 0
    """0 of a movement, 1 of a count of available stock, 2 of a count of held stock."""
    document: str = ""
    """The order of a receipt, or `transfer` and the number of the transfer; else empty."""
    counted_at: int = NEVER
    """The time of a count, which may be before the moment that it covers."""


MOVEMENT = Table(b"l", "movements", Movement, Use.IN_ORDER)
FLOOR = Table(b"f", "floors", Floor)


def movement_key(row: bytes, at: int, kind: int, identity: bytes) -> Key[Movement]:
    """The key of a movement or count of a row; `kind` is IS_MOVEMENT or IS_COUNT."""
    return MOVEMENT + row + NUL + _TAIL.pack(at, kind, identity)


def movement_range(row: bytes, start: int, until: int | None = None) -> Range[Movement]:
    """Start and stop of the movements of a row from the instant `start` to `until`, both included."""
    prefix = MOVEMENT + row
    stop = prefix + AFTER_NUL if until is None else prefix + NUL + _INSTANT.pack(until + 1)
    return prefix + NUL + _INSTANT.pack(max(0, start)), stop


def movement_at(key: bytes) -> int:
    """The instant of a movement, from its key."""
    at: int = _INSTANT.unpack_from(key, len(key) - _TAIL.size)[0]
    return at


def movement_identity(key: bytes) -> bytes:
    """The identity of the event behind a movement, from its key."""
    return key[-IDENTITY_BYTES:]
