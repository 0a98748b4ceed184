"""The read model in columns, as lists, charts and live grids ask it.

It never holds up the engine: the engine's thread only leaves the latest bytes of what changed (`Feed`), and whoever
asks takes them over first, so that an answer holds everything that was committed before the question. Call it from
worker threads: a question over a million rows takes tens of milliseconds, and numpy lets other threads run meanwhile.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import repeat
from typing import NamedTuple

import msgspec
from msgspec import Raw
from msgspec.structs import fields

from engine.bus.single import Kept, ReadModel
from engine.columns.aggregates import Aggregation, Group, aggregate
from engine.columns.column import Slots, values_of
from engine.columns.feed import Feed
from engine.columns.fields import data_of
from engine.columns.kinds import Value
from engine.columns.loading import Loading
from engine.columns.planning import Figures, Planning
from engine.columns.query import Position, Query
from engine.columns.selections import Selections
from engine.columns.table import ColumnTable
from engine.columns.tables import Tables
from engine.columns.writers import Writers
from engine.core.rules import Rules
from engine.core.topics import OUTPUT_TOPICS, POSITIONS
from engine.core.values import DAY, EPOCH, moment

ORDER_LINES = "order-lines"
MAX_PAGE_BYTES = 8 * 1024 * 1024
EXPORTED = 2_000
"""The things of a portion of an export."""

_encoder = msgspec.json.Encoder()


class Freshness(NamedTuple):
    """How fresh an answer is.

    Attributes:
        as_of: the engine's clock at the newest commit that the answer holds; None before the first.
        lag_seconds: for how long the engine's clock had gone on beyond it, as far as this process knows.
    """

    as_of: datetime | None
    lag_seconds: float


class Page(NamedTuple):
    """A page of a list.

    Attributes:
        names: the names of its things: a position or an order line by the parts of its key, the others by id.
        items: their JSON, in the same order.
        total: how many things the list has.
        following: where the page ended, if another follows.
        freshness: how fresh it is.
    """

    names: list[str]
    items: list[Raw]
    total: int
    following: Position | None
    freshness: Freshness


class Groups(NamedTuple):
    """The first groups of an aggregation, how many there are in all, and how fresh they are."""

    items: list[Group]
    total: int
    freshness: Freshness


class Columns:
    """The tables in columns, fed by a bus.

    Attributes:
        feed: takes what is committed.
    """

    def __init__(
        self, bus: Kept, clock_of: Callable[[bytes], int], lag_of: Callable[[int], float], rules: Rules | None = None
    ) -> None:
        """Make empty tables; `load` fills them.

        Args:
            bus: holds what was published, and the rows of state.
            clock_of: the clock, an instant, in a marker of a commit.
            lag_of: for an instant of the clock for how many seconds it has gone on since, as far as is known.
            rules: by which the log is folded.
        """
        self.feed = Feed()
        self._bus = bus
        self._clock_of, self._lag_of = clock_of, lag_of
        self._lock = threading.RLock()
        self._clock = 0
        self._rules = rules or Rules()
        self.loading = Loading(bus)
        self._begin()

    def _begin(self, version: int = 0) -> None:
        self._tables = Tables(version)
        self._planning = Planning(self._bus, self._rules)
        self._writers = Writers(self._tables, self._planning)
        self._selections = Selections()

    # writing ----------------------------------------------------------------------------------------------------------

    def load(self, stopping: Callable[[], bool] = lambda: False) -> None:
        """Fill the tables from the bus, in portions between which others may run; what is committed meanwhile waits."""
        self._see([marker for p in range(self._bus.partitions) if (marker := self._bus.marker(p)) is not None])
        for portion in self.loading.portions():
            if stopping():
                return
            with self._lock:
                self._writers.write(portion)
            # Whoever waits for the interpreter, above all the engine's thread, comes first.
            time.sleep(0)
        self.loading.finish()

    def take(self, positions: Iterable[str] | None = None) -> None:
        """Take over what was committed since the last call; of positions only those named, where names are given."""
        with self._lock:
            noted = self.feed.take(positions)
            if noted.anew:
                # A version that was told before means nothing in the new tables.
                self._begin(1 + max(table.version for table in self._tables.by_name.values()))
            self._tables.positions.version += noted.moved
            if noted:
                self._writers.write(noted)
                self._compact()
            self._see(list(noted.markers.values()))

    def _compact(self) -> None:
        """Give up the memory of what retention has deleted; positions are never deleted."""
        for name, table in self._tables.by_name.items():
            if name != "positions" and table.is_sparse:
                table.compact()
                self._selections.clear()

    def plan(self, seconds: float) -> None:
        """Compute what follows from forecasts and policies that have changed, for about so many seconds."""
        with self._lock:
            planning, writers = self._planning, self._writers

        def write(figures: Mapping[str, Figures]) -> None:
            with self._lock:
                writers.rows.write_figures(figures)

        planning.compute(self._clock, seconds, write)

    def _see(self, markers: Sequence[bytes]) -> None:
        self._clock = max([self._clock, *(self._clock_of(marker) for marker in markers)])
        today = EPOCH.toordinal() + self._clock // DAY
        if today != self._tables.today.ordinal:
            self._tables.today.ordinal = today
            # A new day begins: its forecasts reach a day farther, and lines are overdue for a day more.
            self._writers.rows.plan_again()
            self._tables.by_name[ORDER_LINES].version += 1

    # reading ----------------------------------------------------------------------------------------------------------

    def version(self, table: str) -> int:
        """A number that grows with every change of a table; raises NotLoaded."""
        with self._asked(table, ()) as columns:
            return columns.version

    def page(self, query: Query, offset: int, limit: int, *, after: Position | None = None, age: float = 0.0) -> Page:
        """A page of a list.

        Args:
            query: what the list has, and in which order.
            offset: how many things of it come before the page.
            limit: the most things of the page; a page of very long things may have fewer.
            after: the page begins behind this position, from which `offset` counts.
            age: for how many seconds the order of an equal query may serve again, although things have changed since;
                their values are always the latest.

        Raises:
            NotLoaded: the tables are not filled yet.
        """
        with self._asked(query.table) as table:
            selection = self._selections.of(table, query, age)
            total = len(selection)
            if after is not None:
                selection = table.select(query, after)
            slots = selection.page(offset, limit)
            shown = _Shown(query.table, table, slots)
            places, more = table.places(query, slots), offset + len(slots) < len(selection)
            fresh = self.freshness()
        items, seen = _cut(shown.items(self._bus.published))
        following = places[seen - 1] if more or seen < len(slots) else None
        return Page(list(items), list(items.values()), total, following, fresh)

    def aggregate(self, asked: Aggregation, limit: int) -> Groups:
        """The groups of an aggregation, at most `limit`. Raises NotLoaded."""
        with self._asked(asked.query.table) as table:
            return Groups(*aggregate(table, asked, limit), self.freshness())

    def export(
        self, query: Query, fields: Sequence[str], offset: int = 0, limit: int | None = None
    ) -> Iterator[list[tuple[Value, ...]]]:
        """The values of some fields of a list, of its whole where no limit is given, in portions.

        Which things it has, and their order, is fixed with the first portion, which raises NotLoaded.
        """
        with self._asked(query.table) as table:
            stop = None if limit is None else offset + limit
            names = table.names(self._selections.of(table, query, 0.0).all()[offset:stop])
        for start in range(0, len(names), EXPORTED):
            with self._lock:
                # By name, because slots may have been given up since.
                portion = table.listed_of(names[start : start + EXPORTED])
                columns = [values_of(table.columns[field], portion) for field in fields]
            yield list(zip(*columns, strict=True))

    def rows(self, table: str, names: Sequence[str]) -> dict[str, Raw]:
        """The latest JSON of things by their name; what is not listed is left out. Raises NotLoaded."""
        with self._asked(table, names) as columns:
            shown = _Shown(table, columns, columns.listed_of(names))
        return {name: item for name, item in shown.items(self._bus.published) if item is not None}

    def freshness(self) -> Freshness:
        """How fresh answers are."""
        if not self._clock:
            return Freshness(None, 0.0)
        return Freshness(moment(self._clock), self._lag_of(self._clock))

    @contextmanager
    def _asked(self, name: str, names: Sequence[str] | None = None) -> Iterator[ColumnTable]:
        """A table under the lock, with all that was committed before; raises NotLoaded.

        Nearly every event changes a position, so they are taken over only for a question about positions, and where it
        is about some `names` only these: the others change again before the next question.
        """
        self.loading.wait()
        with self._lock:
            self.take(names if name == POSITIONS.name else ())
            if name == ORDER_LINES:
                self._writers.rows.write_lines()
            yield self._tables.by_name[name]


def _cut(items: Iterable[tuple[str, Raw | None]]) -> tuple[dict[str, Raw], int]:
    """As many things as fit into a page, by name, and how many were looked at; what has no JSON is left out."""
    fitting: dict[str, Raw] = {}
    size = seen = 0
    for name, item in items:
        size += 0 if item is None else len(bytes(item))
        if fitting and size > MAX_PAGE_BYTES:
            break
        seen += 1
        if item is not None:
            fitting[name] = item
    return fitting, seen


class _Shown:
    """Some things as they were under the lock; their JSON is made after it."""

    def __init__(self, name: str, table: ColumnTable, slots: Slots) -> None:
        self._topic = next((topic for topic in OUTPUT_TOPICS if topic == name and topic != "positions"), None)
        self.names = table.names(slots)
        own = {field.name for field in fields(OUTPUT_TOPICS[self._topic].data)} if self._topic else set()
        shown = {field: column for field, column in table.columns.items() if field.split(".")[0] not in own}
        self._fields = list(shown)
        columns = [values_of(column, slots) for column in shown.values()]
        self._rows: Iterator[tuple[Value, ...]] = zip(*columns, strict=True) if columns else repeat(())

    def items(self, published: ReadModel) -> Iterator[tuple[str, Raw | None]]:
        """The names and the JSON of the things: put together from the columns, or as it was published.

        What is published has further fields, where only the columns know them. There is no JSON of what retention has
        deleted since.
        """
        for name, row in zip(self.names, self._rows, strict=False):
            joined = dict(zip(self._fields, row, strict=True))
            if self._topic is None:
                yield name, Raw(_encoder.encode(joined))
                continue
            output = published.latest(self._topic, name)
            yield name, None if output is None else _with(data_of(output), joined)


def _with(published: Raw, joined: Mapping[str, Value]) -> Raw:
    """A JSON object with further fields, as far as they have a value."""
    known = {field: value for field, value in joined.items() if value is not None}
    return Raw(bytes(published)[:-1] + b"," + _encoder.encode(known)[1:]) if known else published
