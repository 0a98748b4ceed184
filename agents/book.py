"""The order lines that one event changes at one row, and what follows for the other lines of their orders.

What was received without naming a line fills the order's lines first in, first out, by number. Slots in an index mark
which lines have room left and of which something is filled, so that none of the others is read.

For example, order 7 has a line 1 of 10 units and a line 2 of 5. A receipt of 12 that names only the order fills line 1
with 10 and line 2 with 2. Then 3 arrive that name line 1: they take room that the first receipt had filled, so 3 of its
units move on to line 2, and both lines are complete. One more unit for the order finds no room; line 1 shows it as too
much.
"""

from collections.abc import Iterator
from itertools import chain

from agents import due
from agents.allocation import allocate
from agents.lines import room
from agents.order_line import FILLED, Change
from agents.turn import Site
from tables import keys
from tables.purchasing import LINE, NOT_CLOSED, ORDER, Order, line_name, line_parts, slot_range
from tables.wakes import open_range


class Book:
    """The lines that one event changes at one row."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.turn = site.turn
        self.row = site.row
        self.changes: dict[str, Change] = {}
        self.credited: set[str] = set()
        """The orders of which the event changes what was received without a line."""

    def order(self, name: str) -> Order:
        """What concerns the order as a whole, to be changed."""
        return self.turn.edit(keys.part(ORDER, self.row, name), Order)

    def credit(self, name: str, qty: int) -> None:
        """Count what a receipt brought that names the order and no line; a negative quantity takes it back."""
        order = self.order(name)
        order.unlined += qty
        order.spare += qty
        self.credited.add(name)

    def line(self, order: str, number: str) -> Change:
        """A line, to be changed."""
        name = line_name(order, number)
        change = self.changes.get(name)
        if change is None:
            change = self.changes[name] = Change(self.site, order, number)
            if change.is_new:
                self._enlist(change)
        return change

    def _enlist(self, change: Change) -> None:
        """Make a new line known to its order.

        What holds only while an order has one line (a receipt for the order closes it, and it shows what is too much)
        ends with the second.
        """
        order = self.turn.get(keys.part(ORDER, self.row, change.order)) or Order()
        if order.first is None:
            self.order(change.order).first = change.number
            change.line.order_closes, change.line.order_closing = order.closes, order.closing
            return
        if order.unlined or order.closing != NOT_CLOSED:
            first = self.line(change.order, order.first).line
            first.order_closes, first.order_closing, first.excess = False, NOT_CLOSED, 0
        lowest = min(order.first, change.number, key=lambda number: (len(number), number))
        if not order.many or lowest != order.first:
            order = self.order(change.order)
            order.many, order.first = True, lowest

    def allocate(self) -> list[Change]:
        """Spread what named no line, then what named no shipment.

        Returns:
            All lines that have changed, by name.
        """
        for change in list(self.changes.values()):
            unlined = change.line.unlined
            beyond = unlined and unlined - room(change.line)
            if beyond > 0:
                self.order(change.order).spare += beyond
                change.fill(-beyond)
            change.list()
        for name in sorted({change.order for change in self.changes.values()}):
            order = self.turn.require(keys.part(ORDER, self.row, name))
            if (order.unlined or name in self.credited) and order.first is not None:
                self._spread(name, order.first)
        for change in self.changes.values():
            change.match()
        return [self.changes[name] for name in sorted(self.changes)]

    def _spread(self, name: str, first: str) -> None:
        """Spread over the lines of an order what named none of them; the first line shows what is too much."""
        order = self.order(name)
        order.spare = allocate(_Lines(self, name), order.spare, True)
        line = self.turn.require(keys.part(LINE, self.row, line_name(name, first)))
        if line.excess != order.spare:
            self.line(name, first).line.excess = order.spare


class _Lines:
    """The lines of an order as slots."""

    def __init__(self, book: Book, order: str) -> None:
        self._book = book
        self._order = order

    def openings(self) -> Iterator[bytes]:
        order = self._book.order(self._order)
        start, stop = open_range(self._book.row, due.ORDER_LINE, self._order)
        slots = (key[len(start) :] for key, _ in self._book.turn.scan(start + order.open_from, stop))
        first = next(slots, None)
        if first is not None:
            order.open_from = first
            yield from chain((first,), slots)

    def takings(self) -> Iterator[bytes]:
        start, stop = slot_range(self._book.row, FILLED, self._order)
        for key, _ in self._book.turn.scan(start, stop, True):
            yield key[len(start) :]

    def room(self, slot: bytes) -> int:
        line = self._change(slot).line
        return room(line) - line.unlined

    def taken(self, slot: bytes) -> int:
        return self._change(slot).line.unlined

    def take(self, slot: bytes, qty: int) -> None:
        self._change(slot).fill(qty)

    def _change(self, slot: bytes) -> Change:
        return self._book.line(*line_parts(f"{self._order}\0{slot.decode()}"))
