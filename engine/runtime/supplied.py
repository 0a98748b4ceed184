"""What a supplier may know of us: its order lines, and the forecast that is shared with it. No stock, no cost."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Self

from msgspec import Struct

from agents.calendar import Calendar
from agents.demand import open_buckets
from agents.lines import owed
from agents.purchasing import shipments_of
from agents.reader import Context, RowReader, RowView
from engine.bus.single import Kept
from engine.core.rules import Rules
from engine.core.values import NUL, day_of, partition_of
from tables import keys
from tables.directory import item_key
from tables.feeds import Feeds
from tables.purchasing import LINE, Line, line_parts
from tables.stock import STOCK
from tables.workspace import Workspace

READ_MEMORY_BYTES = 1 << 20
MAX_SHIPMENTS = 100


class Promise(Struct):
    """One entry of what a supplier has said of a line."""

    status: str
    qty: int
    due: date | None


class Announced(Struct):
    """A shipment that a supplier has announced of a line."""

    shipment: str
    qty: int
    received: int
    eta: date | None


class SuppliedLine(Struct):
    """A line of a purchase order as its supplier sees it; quantities in the item's base unit.

    Attributes:
        open: what is neither received nor announced as shipped.
        schedule: what the supplier has said last; empty where it has said nothing.
    """

    order: str
    line: str
    sku: str
    location: str
    description: str | None
    unit: str | None
    ordered: int
    due: date | None
    schedule: list[Promise]
    shipments: list[Announced]
    received: int
    in_transit: int
    open: int
    closed: bool


class SharedBucket(Struct):
    """So much is expected to be needed from `start` on, within `days` days."""

    start: date
    days: int
    qty: int


class SharedForecast(Struct):
    """The forecast of a row as far as it is shared with its supplier."""

    sku: str
    location: str
    description: str | None
    unit: str | None
    buckets: list[SharedBucket]


class SupplierReader:
    """Reads committed rows for suppliers; make one for each call.

    Args:
        bus: its committed state is read.
        rules: the engine's rules.
        now: the instant to look from.
    """

    def __init__(self, bus: Kept, rules: Rules, now: int) -> None:
        self._bus, self._rules, self._now = bus, rules, now
        self._space = Workspace(bus.state, READ_MEMORY_BYTES)
        self._supplier: str | None = None

    def limited_to(self, supplier: str | None) -> Self:
        """This reader, for the lines and rows of one supplier; of any, where there is none."""
        self._supplier = supplier
        return self

    def lines(self, names: Sequence[str]) -> Iterator[SuppliedLine]:
        """Order lines by name (sku, location, and the name of the line within its row, with NUL between)."""
        for name in names:
            sku, location, line_name = name.split(NUL, 2)
            view = self._view(sku, location)
            line = view.reader.get(keys.part(LINE, view.row, line_name)) if view else None
            if view is not None and line is not None and self._supplier in (None, line.supplier):
                yield self._line(view, line_name, line)

    def forecast(self, sku: str, location: str, weeks: int) -> SharedForecast | None:
        """The buckets of a row's forecast that begin within so many weeks; None where there are none."""
        view = self._view(sku, location)
        if view is None or (view.plan.base is None and not view.plan.deltas):
            return None
        if self._supplier not in (None, view.plan.policy and view.plan.policy.supplier):
            return None
        last = view.today + 7 * weeks
        buckets = [SharedBucket(day_of(start), days, qty) for start, days, qty in open_buckets(view, last)]
        return SharedForecast(sku, location, *self._item(sku), buckets) if buckets else None

    def _view(self, sku: str, location: str) -> RowView | None:
        row = keys.row(sku, location)
        stock = self._space.get(STOCK + row)
        if stock is None:
            return None
        partition = partition_of(sku, self._bus.partitions)
        context = Context(self._space, self._rules, Calendar(), Feeds(), partition)
        return RowView(RowReader(context, self._now), row, stock)

    def _item(self, sku: str) -> tuple[str | None, str | None]:
        """Description and base unit."""
        item = self._space.get(item_key(sku))
        return (None, None) if item is None else (item.description, item.base_unit)

    def _line(self, view: RowView, name: str, line: Line) -> SuppliedLine:
        (order, number), share = line_parts(name), owed(line)
        sku, location = keys.names(view.row)
        return SuppliedLine(
            order,
            number,
            sku,
            location,
            *self._item(sku),
            line.ordered or 0,
            _day(line.due),
            [Promise(status, qty, _day(due)) for status, qty, due in line.promises],
            [
                Announced(shipment, piece.qty, piece.received, _day(piece.eta))
                for shipment, piece in shipments_of(view, name, MAX_SHIPMENTS)
            ],
            share.received,
            share.in_transit,
            share.on_order,
            line.closed,
        )


def _day(ordinal: int | None) -> date | None:
    return None if ordinal is None else day_of(ordinal)
