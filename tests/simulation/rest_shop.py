"""A small ERP: stock moves and purchase orders, whose rows change at every call. `rest_faces` puts it behind HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from connectors.orders import Key

ITEMS = {f"S{number}": 100 + number for number in range(8)}
SUPPLIERS = {f"SUP{number}": 20 + number for number in range(3)}
LOCATIONS = {"LDS": 8, "MAN": 9}
UNKNOWN = 999
"""The number of what is none of these."""
KINDS = ("in", "in", "out", "return", "more", "less")
SIGNS = {"in": 1, "out": -1, "return": 1, "more": 1, "less": -1}


class Refused(Exception):
    """The ERP does not do it; the text is its answer."""


@dataclass
class Move:
    id: int
    kind: str
    sku: str
    location: str
    qty: int
    booked: datetime
    changed: datetime
    done: bool = True


@dataclass
class Line:
    id: int
    order: Order
    sku: str
    qty: int
    text: str
    version: int = 1

    @property
    def signal(self) -> str | None:
        key = Key.found_in(self.text)
        return key and key.signal


@dataclass
class Order:
    id: int
    supplier: str
    location: str
    state: str = "draft"
    lines: list[Line] = field(default_factory=list)


class Shop:
    """`draw` decides what happens by itself. Its clocks differ: a row bears the time of whichever machine wrote it."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.now = datetime(2026, 3, 2, tzinfo=UTC)
        self.numbers = 1000
        self.moves: list[Move] = []
        self.orders: list[Order] = []
        self.alive = True

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def live(self) -> None:
        """Somebody else works in it."""
        if not self.alive or self.draw.random() < 0.7:
            return
        self.now += timedelta(seconds=self.draw.choice((0, 10, 200)))
        for _ in range(self.draw.randrange(3)):
            self.draw.choice((self.books, self.books, self.touches, self.plans, self.does, self.drops))()

    def stamp(self) -> datetime:
        """Clocks that differ, and transactions that commit after others which began later: all within two minutes."""
        return self.now - timedelta(seconds=self.draw.randrange(120))

    def books(self, done: bool = True) -> None:
        sku, location = self.draw.choice(list(ITEMS)), self.draw.choice(list(LOCATIONS))
        kind, qty = self.draw.choice(KINDS), self.draw.randrange(1, 40)
        self.moves.append(Move(self.number(), kind, sku, location, qty, self.now, self.stamp(), done))

    def plans(self) -> None:
        self.books(done=False)

    def touches(self) -> None:
        """A remark on a row: it goes to the end of every list by time of change."""
        if self.moves:
            self.draw.choice(self.moves).changed = self.stamp()

    def does(self) -> None:
        if planned := [move for move in self.moves if not move.done]:
            move = self.draw.choice(planned)
            move.done, move.changed, move.booked = True, self.stamp(), self.now

    def drops(self) -> None:
        if planned := [move for move in self.moves if not move.done]:
            self.moves.remove(self.draw.choice(planned))

    def stock(self) -> dict[tuple[str, str], int]:
        """Its own report of what is where."""
        found: Counter[tuple[str, str]] = Counter()
        for move in self.moves:
            if move.done:
                found[move.sku, move.location] += SIGNS[move.kind] * move.qty
        return {place: qty for place, qty in found.items() if qty}

    # orders ---------------------------------------------------------------------------------------------------------

    def lines(self) -> Iterator[Line]:
        for order in self.orders:
            yield from order.lines

    def order(self, number: int) -> Order:
        if not (found := [order for order in self.orders if order.id == number]):
            raise Refused("Record does not exist or has been deleted.")
        return found[0]

    def line(self, number: int) -> Line:
        if not (found := [line for line in self.lines() if line.id == number]):
            raise Refused("Record does not exist or has been deleted.")
        return found[0]

    def create(self, supplier: str, location: str, lines: list[dict[str, Any]]) -> Order:
        order = Order(self.number(), supplier, location)
        self.orders.append(order)
        for line in lines:
            self.add(order, **line)
        return order

    def add(self, order: Order, sku: str, qty: int, text: str) -> Line:
        if order.state != "draft":
            raise Refused("The order is confirmed.")
        line = Line(self.number(), order, sku, qty, text)
        order.lines.append(line)
        return line

    def change(self, line: Line, qty: int, text: str) -> None:
        line.qty, line.text, line.version = qty, text, line.version + 1

    def remove(self, line: Line) -> None:
        if line.order.state != "draft":
            raise Refused("The order is confirmed.")
        line.order.lines.remove(line)

    def confirms(self) -> None:
        """A buyer confirms a draft; not one that has a line twice, which the next round removes."""
        drafts = [order for order in self.orders if order.state == "draft" and order.lines]
        if drafts:
            order = self.draw.choice(drafts)
            every = Counter(line.signal for line in self.lines())
            if all(every[line.signal] == 1 for line in order.lines):
                order.state = "ordered"
                for line in order.lines:
                    line.version += 1
