"""One event's turn: what agents read, and the changes and effects that they leave, as data."""

from bisect import bisect_left, insort
from collections.abc import Iterator
from itertools import islice
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from engine.core.events import Event
from engine.core.fields import Data
from engine.core.outputs import Alert, Signal
from engine.core.rules import Rules
from engine.core.values import DAY, day_of, instant, moment
from tables.directory import Item, item_key, location_key
from tables.feeds import Feeds
from tables.ledger import Movement, movement_at, movement_range
from tables.overlay import overlay
from tables.planning import PLAN, Plan
from tables.stock import STOCK, Stock
from tables.table import Key
from tables.wakes import open_key
from tables.workspace import MISSING, Workspace

EPOCH_DAY = 719_163
"""The ordinal of 1970-01-01."""
LAST_DAY = 3_652_058
"""The ordinal of 9999-12-30: later days begin when it does."""
MOST_SPANS = 1_000
"""How many local days a calendar remembers."""

T = TypeVar("T")
R = TypeVar("R", bound=Struct)
Effect = tuple[str, int, Signal | Alert]
"""What goes out beside positions: the CloudEvents type, the revision of the thing, and its data."""


class Calendar:
    """Local days by time zone; the spans of the days that were asked for are remembered."""

    def __init__(self) -> None:
        self._spans: dict[tuple[str, int], tuple[int, int, int]] = {}

    def day(self, zone: str, at: int) -> int:
        """The local day (ordinal) of an instant."""
        key = (zone, at // DAY)
        span = self._spans.get(key)
        if span is None or not span[0] <= at < span[1]:
            if len(self._spans) == MOST_SPANS:
                self._spans.clear()
            span = self._spans[key] = self._span(zone, at)
        return span[2]

    @staticmethod
    def _span(zone: str, at: int) -> tuple[int, int, int]:
        if zone == "UTC":
            start = at - at % DAY
            return start, start + DAY, EPOCH_DAY + start // DAY
        ordinal = moment(at).astimezone(ZoneInfo(zone)).toordinal()
        return midnight(zone, ordinal), midnight(zone, ordinal + 1), ordinal


def midnight(zone: str, ordinal: int) -> int:
    """The instant at which a local day begins."""
    if zone == "UTC":
        return (ordinal - EPOCH_DAY) * DAY
    day = day_of(min(ordinal, LAST_DAY))
    return instant(moment(0).replace(year=day.year, month=day.month, day=day.day, tzinfo=ZoneInfo(zone)))


class Turn:
    """A transaction over the rows of one partition, for one event.

    `at` is when the event happened, `now` is the partition's clock; both in microseconds. `ref` names the event in
    explanations. Everything that is put stays here until the task accepts it: a rejected turn is dropped whole.
    """

    __slots__ = (
        "at", "calendar", "data", "effects", "event", "feeds", "identity", "now", "ordered", "partition", "ref",
        "rules", "space", "touched", "wakes", "writes",
    )  # fmt: skip

    def __init__(self, space: Workspace, rules: Rules, calendar: Calendar, feeds: Feeds, partition: int) -> None:
        self.space = space
        self.rules = rules
        self.calendar = calendar
        self.feeds = feeds
        self.partition = partition
        self.writes: dict[bytes, Any] = {}
        self.ordered: list[Any] = []
        """The keys of `writes`, sorted, as of the last scan."""
        self.touched: dict[bytes, Stock] = {}
        self.wakes: dict[bytes, int | None] = {}
        self.effects: list[Effect] = []

    def begin(self, event: Event, at: int, now: int, identity: bytes) -> None:
        """Begin the turn of an event; all that the turn of the event before has left is forgotten."""
        self.event = event
        self.data: Data = event.data
        self.at = at
        self.now = now
        self.identity = identity
        self.ref = f"{event.source}/{event.id}"
        self.writes, self.touched, self.wakes = {}, {}, {}
        self.ordered, self.effects = [], []

    def get(self, key: Key[T]) -> T | None:
        """The row under `key` as this turn sees it, or None. Do not change it."""
        row: T | None = self.writes.get(key, MISSING)
        if row is MISSING:
            row = self.space.cache.get(key, MISSING)
        return self.space.load(key) if row is MISSING else row

    def require(self, key: Key[T]) -> T:
        """The row under `key`, which another row names. Do not change it."""
        row: T | None = self.writes.get(key, MISSING)
        return self.space.require(key) if row is MISSING or row is None else row

    def put(self, key: Key[T], row: T | None) -> None:
        """Set the row under `key`; None deletes it."""
        self.writes[key] = row

    def edit(self, key: Key[R], default: type[R]) -> R:
        """A copy of the row under `key` (or a new one) that this turn may change; containers inside stay shared."""
        row: R | None = self.writes.get(key)
        if row is None:
            old = None if key in self.writes else self.space.get(key)
            row = default() if old is None else replace(old)
            self.writes[key] = row
        return row

    def stock(self, row: bytes) -> Stock:
        """The stock row, to be changed by this turn."""
        stock = self.touched.get(row)
        if stock is None:
            stock = self.edit(STOCK + row, Stock)
            self.touched[row] = stock
            self.wakes[row] = stock.wake_at
        return stock

    def plan(self, row: bytes) -> Plan:
        """The plan of a row, to be changed by this turn."""
        plan: Plan = self.edit(PLAN + row, Plan)
        return plan

    def read_plan(self, row: bytes) -> Plan:
        """The plan of a row, to be read."""
        return self.get(PLAN + row) or EMPTY_PLAN

    def item(self, sku: str) -> Item | None:
        """The item master of a sku."""
        return self.get(item_key(sku))

    def entries(
        self, row: bytes, start: int, until: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[int, Key[Movement], Movement]]:
        """(instant, key, entry) of the kept movements and counts of a row from `start` to `until`, both included."""
        for key, entry in self.scan(*movement_range(row, start, until), reverse):
            yield movement_at(key), key, entry

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

    def list_open(self, row: bytes, kind: bytes, name: str, was_open: bool, is_open: bool) -> None:
        """Keep the row's list of open documents: a key for each of which something is open."""
        if was_open != is_open:
            self.put(open_key(row, kind, name), b"" if is_open else None)

    def zone(self, location: str) -> str:
        """The time zone of a location; UTC where it is not defined."""
        defined = self.get(location_key(self.partition, location))
        return "UTC" if defined is None else defined.time_zone

    def local_day(self, location: str, at: int) -> int:
        """The local day (ordinal) of an instant at a location."""
        return self.calendar.day(self.zone(location), at)

    def local_today(self, location: str) -> int:
        """The local day of the partition's clock at a location."""
        return self.calendar.day(self.zone(location), self.now)

    def day_begins(self, location: str, ordinal: int) -> int:
        """The instant at which a local day of a location begins."""
        return midnight(self.zone(location), ordinal)

    def wake(self, stock: Stock, at: int) -> None:
        """Ask for a look at the row when the clock reaches `at`."""
        if stock.wake_at is None or at < stock.wake_at:
            stock.wake_at = at


EMPTY_PLAN = Plan()
