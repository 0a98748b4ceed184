"""One event's turn: what agents read, and the changes and effects that they leave, as data."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from agents.reader import Context, RowReader, RowView
from engine.core.events import Event
from engine.core.outputs import Alert, Signal
from tables.figures import Figure
from tables.overlay import overlay
from tables.planning import PLAN, Plan
from tables.stock import STOCK, Stock
from tables.table import Key
from tables.wakes import open_key, wake_key
from tables.workspace import MISSING

T = TypeVar("T")
R = TypeVar("R", bound=Struct)

Effect = tuple[str, int, Signal | Alert]
"""What is published beside positions: the CloudEvents type, the revision of the signal or alert, and its data."""


class Turn(RowReader):
    """A transaction over the rows of one partition, for one event.

    `at` is when the event happened, `now` is the partition's clock; both in microseconds. `ref` names the event in
    explanations, `identity` (16 bytes) breaks ties between events of one instant. The changes stay here until the fold
    accepts them: a rejected turn is dropped whole.
    """

    __slots__ = ("at", "effects", "event", "identity", "ordered", "ref", "sites", "sums", "writes")

    def __init__(self, context: Context, event: Event, at: int, now: int, identity: bytes) -> None:
        # Set here, as a call of super() takes its time and every event comes by here.
        self.space, self.rules, self.calendar, self.feeds, self.partition = context
        self.now = now
        self.event = event
        self.at = at
        self.identity = identity
        self.ref = f"{event.source}/{event.id}"
        self.writes: dict[bytes, Any] = {}
        self.ordered: list[Any] = []
        """The keys of `writes`, sorted, as of the last scan."""
        self.sites: dict[bytes, Site] = {}
        """The rows that the event changes."""
        self.effects: list[Effect] = []
        self.sums: list[Figure] = []
        """What the event adds to the business figures."""

    def get(self, key: Key[T]) -> T | None:
        """The row under `key` as this turn sees it, or None. The caller must not change it."""
        row: T | None = self.writes.get(key, MISSING)
        if row is MISSING:
            row = self.space.cache.get(key, MISSING)
        return self.space.load(key) if row is MISSING else row

    def require(self, key: Key[T]) -> T:
        """The row under `key`, which another row names; raises BrokenInvariant where it is not there."""
        row: T | None = self.writes.get(key, MISSING)
        return self.space.require(key) if row is MISSING or row is None else row

    def put(self, key: Key[T], row: T | None) -> None:
        """Set the row under `key`; None deletes it."""
        self.writes[key] = row

    def edit(self, key: Key[R], default: type[R]) -> R:
        """A copy of the row under `key` (or a new one) that this turn may change; containers inside stay shared."""
        row: R | None = self.writes.get(key)
        if row is None:
            old = self.get(key)
            row = default() if old is None else replace(old)
            self.writes[key] = row
        return row

    def site(self, row: bytes) -> "Site":
        """A row that the event changes: its stock is copied, and it is published when the event is accepted."""
        site = self.sites.get(row)
        if site is None:
            key = STOCK + row
            old = self.space.get(key)
            stock = self.writes[key] = Stock() if old is None else replace(old)
            site = self.sites[row] = Site(self, row, stock)
        return site

    def scan(self, start: Key[T], stop: Key[T], reverse: bool = False) -> Iterator[tuple[Key[T], T]]:
        """The (key, row) with start <= key < stop of one ordered table and row, as this turn sees them now."""
        below, ordered = self.space.scan(start, stop, reverse), self.ordered
        # Keys are never taken back, so the new ones are the last. An event may write much and scan often: looking at
        # all that it has written in each scan would cost the square of it.
        for key in islice(reversed(self.writes), len(self.writes) - len(ordered)):
            insort(ordered, key)
        written = ordered[bisect_left(ordered, start) : bisect_left(ordered, stop)]
        if reverse:
            written.reverse()
        return overlay(below, written, self.writes.__getitem__, reverse) if written else below

    def set_wakes(self) -> None:
        """Write the wakes that have changed, by which the clock finds the rows."""
        for row, site in self.sites.items():
            old, new = site.stored_wake, site.stock.wake_at
            if old != new:
                if old is not None:
                    self.put(wake_key(self.partition, old, row), None)
                if new is not None:
                    self.put(wake_key(self.partition, new, row), b"")


class Site(RowView):
    """A row (a sku at a location) that an event changes: the one argument of most agents.

    `stock` is the copy that the turn may change; `turn` takes the other changes.
    """

    __slots__ = ("stored_wake", "turn")

    def __init__(self, turn: Turn, row: bytes, stock: Stock) -> None:
        # Named, as super() takes its time and every event comes by here.
        RowView.__init__(self, turn, row, stock)
        self.turn = turn
        self.stored_wake = stock.wake_at
        """The instant of the row's wake as it is stored."""

    def edit_plan(self) -> Plan:
        """The plan of the row, to be changed by this turn."""
        plan = self._plan = self.turn.edit(PLAN + self.row, Plan)
        return plan

    def wake(self, at: int) -> None:
        """Ask for a look at the row when the clock reaches `at`."""
        stock = self.stock
        if stock.wake_at is None or at < stock.wake_at:
            stock.wake_at = at

    def list_open(self, kind: bytes, name: str, was_open: bool, is_open: bool) -> None:
        """Keep the row's list of open documents: a key for each document of which something is open."""
        if was_open != is_open:
            self.turn.put(open_key(self.row, kind, name), b"" if is_open else None)

    # the alerts of the row, see `agents.alerts.Subject`

    @property
    def has_alerts(self) -> bool:
        """Whether an alert of the row may be open; most events need not look for one."""
        return self.stock.alerts != 0

    def count_alert(self, change: int) -> None:
        """Keep the number of the row's open alerts."""
        self.stock.alerts += change
