"""What agents and readers of the state share: the rows of one partition, and one row with its figures."""

from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import NamedTuple, TypeVar, cast

from agents.calendar import Calendar, midnight
from engine.core.rules import Rules
from tables.directory import Item, item_key, location_key
from tables.feeds import Feeds
from tables.ledger import Movement, movement_at, movement_range
from tables.planning import PLAN, Plan
from tables.stock import Stock
from tables.table import Key
from tables.workspace import Workspace

EMPTY_PLAN = Plan()

V = TypeVar("V", bound="RowView")
T = TypeVar("T")


class Context(NamedTuple):
    """What all turns and readers of one partition share."""

    space: Workspace
    rules: Rules
    calendar: Calendar
    feeds: Feeds
    partition: int


class RowReader:
    """Reads the rows of one partition; `now` is what its clock shows, in microseconds."""

    __slots__ = ("calendar", "feeds", "now", "partition", "rules", "space")

    def __init__(self, context: Context, now: int) -> None:
        self.space, self.rules, self.calendar, self.feeds, self.partition = context
        self.now = now

    def get(self, key: Key[T]) -> T | None:
        """The row under `key`, or None. It is the cached object itself, so the caller must not change it."""
        return self.space.get(key)

    def require(self, key: Key[T]) -> T:
        """The row under `key`, which another row names; raises BrokenInvariant where it is not there."""
        return self.space.require(key)

    def scan(self, start: Key[T], stop: Key[T], reverse: bool = False) -> Iterator[tuple[Key[T], T]]:
        """The (key, row) with start <= key < stop of one ordered table and row, read as the caller takes them."""
        return self.space.scan(start, stop, reverse)

    def movements(
        self, row: bytes, start: int, until: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[int, Key[Movement], Movement]]:
        """(instant, key, movement) of the kept movements and counts of a row from `start` to `until`, both included."""
        for key, movement in self.scan(*movement_range(row, start, until), reverse):
            yield movement_at(key), key, movement

    def zone(self, location: str) -> str:
        """The time zone of a location; UTC where the location is not defined."""
        defined = self.get(location_key(self.partition, location))
        return "UTC" if defined is None else defined.time_zone

    def item(self, sku: str) -> Item | None:
        """The item master of a sku."""
        return self.get(item_key(sku))


class RowView:
    """One row (a sku at a location) as a reader sees it: its stock, its plan, its local days and its figures.

    What is derived from the row is computed at most once, and only if it is asked for: see `once`.

    Attributes:
        reader: what the row is read through.
        row: the name of the row.
        stock: the stock row.
        figures: what the functions under `once` have computed.
        demand: the forecast demand per day from today on, as far as `agents.demand` was asked for it.
    """

    __slots__ = ("_location", "_plan", "_today", "_zone", "demand", "figures", "reader", "row", "stock")

    def __init__(self, reader: RowReader, row: bytes, stock: Stock) -> None:
        self.reader = reader
        self.row = row
        self.stock = stock
        self.figures: dict[object, object] | None = None
        self.demand: Sequence[int] = ()
        self._plan: Plan | None = None
        self._location: str | None = None
        self._zone: str | None = None
        self._today: int | None = None

    @property
    def plan(self) -> Plan:
        """The plan of the row, to be read."""
        plan = self._plan
        if plan is None:
            plan = self._plan = self.reader.get(PLAN + self.row) or EMPTY_PLAN
        return plan

    @property
    def sku(self) -> str:
        """The sku of the row."""
        return self.row[: self.row.index(0)].decode()

    @property
    def location(self) -> str:
        """The location of the row."""
        location = self._location
        if location is None:
            location = self._location = self.row[self.row.index(0) + 1 :].decode()
        return location

    @property
    def today(self) -> int:
        """The local day (ordinal) that the partition's clock shows at the location."""
        today = self._today
        if today is None:
            today = self._today = self.reader.calendar.day(self.zone, self.reader.now)
        return today

    @property
    def zone(self) -> str:
        """The time zone of the location; UTC where the location is not defined."""
        zone = self._zone
        if zone is None:
            zone = self._zone = self.reader.zone(self.location)
        return zone

    def local_day(self, at: int) -> int:
        """The local day (ordinal) of an instant at the location."""
        return self.reader.calendar.day(self.zone, at)

    def day_begins(self, ordinal: int) -> int:
        """The instant at which a local day of the location begins."""
        return midnight(self.zone, ordinal)

    def movements(
        self, start: int, until: int | None = None, reverse: bool = False
    ) -> Iterator[tuple[int, Key[Movement], Movement]]:
        """(instant, key, movement) of the kept movements and counts from `start` to `until`, both included."""
        return self.reader.movements(self.row, start, until, reverse)


def once(compute: Callable[[V], T]) -> Callable[[V], T]:
    """Let a figure of a row be computed only once for each view.

    An event first changes its row and then looks at what follows, so a figure must not be asked for before the row
    has changed: it would stay as it was.
    """

    @wraps(compute)
    def figure(view: V) -> T:
        figures = view.figures
        if figures is None:
            figures = view.figures = {}
        if compute not in figures:
            figures[compute] = compute(view)
        return cast(T, figures[compute])

    return figure
