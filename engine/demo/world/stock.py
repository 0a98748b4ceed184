"""The physical stock of the rows, and their book stock.

Physical stock is what can be sold. Book stock is what the events add up to; the two differ after goods went missing
without an event, until a count.
"""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from engine.demo.world.history import Key
from engine.demo.world.policies import RowPlan


class Movement(NamedTuple):
    """A movement as booked: name and type of its event, its instant in microseconds UTC, and the change of on hand.

    `factor` is the number of base units in the unit of the event.
    """

    event: str
    kind: str
    at: int
    change: int
    factor: int = 1


@dataclass
class Row:
    """A row: its physical and book stock, on order and in transfer in base units, and stock integrated over time.

    `unit_time` is that integral in unit-microseconds up to the instant `since`.
    """

    plan: RowPlan
    available: int
    held: int = 0
    book: int = 0
    book_held: int = 0
    on_order: int = 0
    in_transfer: int = 0
    orders: int = 0
    reviews: int = 0
    since: int = 0
    unit_time: int = 0
    counted_at: int = 0
    recent: deque[Movement] = field(default_factory=lambda: deque(maxlen=60))

    @property
    def key(self) -> Key:
        """(sku, location)."""
        return self.plan.sku, self.plan.location

    @property
    def book_on_hand(self) -> int:
        """The book stock on hand, held stock included."""
        return self.book + self.book_held

    @property
    def position(self) -> int:
        """The inventory position from book stock."""
        return self.book + self.on_order + self.in_transfer

    def measure(self, at: int) -> None:
        """Add the time since the last change to the integral; called before physical stock changes."""
        self.unit_time += (self.available + self.held) * (at - self.since)
        self.since = at


@dataclass
class Service:
    """The demand and what was served of it, in units, lines and GBP."""

    demanded: int = 0
    served: int = 0
    lines: int = 0
    lines_in_full: int = 0
    value_demanded: float = 0.0
    value_served: float = 0.0

    def add(self, demanded: int, served: int, price: float) -> None:
        """Count one line."""
        self.demanded += demanded
        self.served += served
        self.lines += 1
        self.lines_in_full += served == demanded
        self.value_demanded += demanded * price
        self.value_served += served * price

    @property
    def fill_rate(self) -> float:
        """Units served at once over units demanded."""
        return self.served / self.demanded if self.demanded else 1.0

    @property
    def line_fill_rate(self) -> float:
        """Lines served in full over lines."""
        return self.lines_in_full / self.lines if self.lines else 1.0


class AverageStock(NamedTuple):
    """The mean over time of all stock, in units and at cost."""

    units: float
    value: float


def average_stock(rows: Iterable[Row], start: int, end: int) -> AverageStock:
    """The average of physical stock between two instants."""
    units = value = 0.0
    for row in rows:
        row.measure(end)
        mean = row.unit_time / (end - start)
        units += mean
        value += mean * row.plan.unit_cost
    return AverageStock(units, value)


@dataclass
class Counters:
    """Counts of what happened in the simulated world."""

    orders: int = 0
    transfers: int = 0
    counts: int = 0
    counts_off: int = 0
    lost_in_transfer: int = 0
    shrunk_units: int = 0
    forecast_gaps: int = 0
    acknowledged: Counter[str] = field(default_factory=Counter)
    reviewed: Counter[str] = field(default_factory=Counter)
