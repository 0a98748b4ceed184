"""The order lines that one event changes at one row, and what follows from them for lines and shipments beside them.

Two allocations, both first in, first out: what was received without naming a line fills the order's lines by number;
what a line received without naming a shipment uses up its shipments, the earliest eta first. Places in an index mark
which lines and shipments have room left and of which something is taken, so that none of the others is read.
"""

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from agents import due
from agents.allocation import allocate
from agents.lines import UNDATED, room
from agents.turn import Turn
from tables import keys
from tables.keys import NEVER
from tables.purchasing import (
    LINE,
    ORDER,
    PIECE,
    Line,
    Order,
    Piece,
    Shipment,
    line_name,
    line_parts,
    slot_key,
    slot_range,
)
from tables.wakes import open_range

OPEN = b"o"
"""A shipment of which something is in transit."""
TAKEN = b"t"
"""A shipment that receipts without its name have used up, at least in part."""
FILLED = b"l"
"""A line that receipts without its number have filled, at least in part."""
CREDIT = b"c"
"""The latest receipt that names only a shipment of the line."""


class Change:
    """One line that an event changes: `line` and `pieces` as they become, with the line and pieces from before."""

    def __init__(self, turn: Turn, row: bytes, order: str, number: str) -> None:
        self.turn = turn
        self.row = row
        self.order = order
        self.number = number
        self.name = line_name(order, number)
        key = keys.part(LINE, row, self.name)
        known: Line | None = turn.get(key)
        self.is_new = known is None
        self.before = Line() if known is None else known
        self.line: Line = turn.edit(key, Line)
        self.listed = room(self.before) > self.before.unlined
        self.pieces: dict[str, Piece] = {}
        """The shipments that have changed, as they were before."""
        self._known: dict[str, Piece] = {}
        """The shipments that were asked for, as they are now."""

    @property
    def label(self) -> str:
        """The line as people read it."""
        return f"{self.order}/{self.number}"

    @property
    def place(self) -> bytes:
        """Its place among the lines of its order."""
        return self.name[len(self.order) + 1 :].encode()

    # the line among the lines of its order ----------------------------------------------------------------------------

    def list(self) -> None:
        """Keep the line in the list of what is open; a line that has room left is."""
        is_open = room(self.line) > self.line.unlined
        self.turn.list_open(self.row, due.ORDER_LINE, self.name, self.listed, is_open)
        if is_open and not self.listed:
            key = keys.part(ORDER, self.row, self.order)
            order: Order | None = self.turn.get(key)
            if order is not None and self.place < order.open_from:
                self.turn.edit(key, Order).open_from = self.place
        self.listed = is_open

    def fill(self, qty: int) -> None:
        """Let `qty` more of what the order received without naming a line be the line's (negative: less)."""
        was, line = self.line.unlined, self.line
        line.unlined += qty
        if bool(was) != bool(line.unlined):
            self.turn.put(slot_key(self.row, FILLED, self.order, self.place), b"" if line.unlined else None)
        self.list()

    # the line's shipments ---------------------------------------------------------------------------------------------

    def piece(self, shipment: str) -> Piece:
        """What a shipment brings to the line."""
        piece = self._known.get(shipment)
        if piece is None:
            piece = self.turn.get(keys.part(PIECE, self.row, self.name, shipment)) or Piece()
            self._known[shipment] = piece
        return piece

    def put(self, shipment: str, new: Piece) -> None:
        """Set what a shipment brings to the line, with all that is derived from it.

        What is taken of it beyond its room is loose again.
        """
        old = self.piece(shipment)
        if new.taken > new.room:
            new = replace(new, taken=new.room)
        self.pieces.setdefault(shipment, old)
        self._known[shipment] = new
        self.turn.put(keys.part(PIECE, self.row, self.name, shipment), new)
        for kind, was, is_now in ((OPEN, old.open, new.open), (TAKEN, old.taken, new.taken)):
            self._place(kind, shipment, old.eta if was else NEVER, new.eta if is_now else NEVER)
        line = self.line
        line.shipped += new.qty - old.qty
        line.matched += new.matched - old.matched
        line.taken += new.taken - old.taken
        line.undated += (new.open if new.eta is None else 0) - (old.open if old.eta is None else 0)

    def _place(self, kind: bytes, shipment: str, old: int | None, new: int | None) -> None:
        if old == new:
            return
        for eta, value in ((old, None), (new, b"")):
            if eta != NEVER:
                place = keys.dated(UNDATED if eta is None else eta, shipment)
                self.turn.put(slot_key(self.row, kind, self.name, place), value)
                if kind == OPEN and value is not None:
                    self.line.open_from = min(self.line.open_from, place)

    def openings(self) -> Iterator[bytes]:
        """The places of the shipments of which something is in transit, by eta, then by name.

        Where those that this event changes hold all that is left, no other has to be searched for.
        """
        changed = [(name, piece.open) for name in self.pieces if (piece := self.piece(name)).open]
        left = self.line.shipped - self.line.matched - self.line.taken
        if sum(qty for _, qty in changed) == left:
            places = iter(sorted(self._place_of(name) for name, _ in changed))
        else:
            start, stop = slot_range(self.row, OPEN, self.name)
            places = (key[len(start) :] for key, _ in self.turn.scan(start + self.line.open_from, stop))
        first = next(places, None)
        if first is not None:
            self.line.open_from = first
            yield from chain((first,), places)

    def takings(self) -> Iterator[bytes]:
        """The places of the shipments that receipts without their name have used up, the last one first."""
        changed = [(name, piece.taken) for name in self.pieces if (piece := self.piece(name)).taken]
        if sum(qty for _, qty in changed) == self.line.taken:
            return iter(sorted((self._place_of(name) for name, _ in changed), reverse=True))
        return self.last(TAKEN)

    def _place_of(self, shipment: str) -> bytes:
        """The place of a shipment among those of the line: by its eta, then by its name."""
        eta = self.piece(shipment).eta
        return keys.dated(UNDATED if eta is None else eta, shipment)

    def last(self, kind: bytes) -> Iterator[bytes]:
        """The places of a kind that belong to the line, the last one first."""
        start, stop = slot_range(self.row, kind, self.name)
        for key, _ in self.turn.scan(start, stop, True):
            yield key[len(start) :]

    def match(self) -> None:
        """Let what was received without naming a shipment use up the shipments in turn."""
        line = self.line
        loose = line.received + line.unlined - line.matched - line.taken
        open_qty = line.shipped - line.matched - line.taken
        if loose < 0 or (open_qty and (loose or line.taken)):
            allocate(_Shipments(self), loose, bool(self.pieces and line.taken))
        self._follow_eta()

    def _follow_eta(self) -> None:
        """Keep the latest eta; it is searched for only where the shipment that had it has it no longer."""
        line = self.line
        for name, old in self.pieces.items():
            before, after = old.claim, self.piece(name).claim
            if after is not None and (line.latest_eta is None or after > line.latest_eta):
                line.latest_eta = after
            elif before is not None and before == line.latest_eta and after != before:
                line.latest_eta = self._latest_eta() if line.shipped > line.matched else None

    def _latest_eta(self) -> int | None:
        latest = []
        for kind, first in ((OPEN, self.line.open_from), (TAKEN, b"")):
            start = slot_key(self.row, kind, self.name)
            last = next(self.turn.scan(start + first, start + keys.dated(UNDATED, ""), True), None)
            if last is not None:
                latest.append(keys.dated_parts(last[0][len(start) :])[0])
        return max(latest, default=None)

    # receipts ---------------------------------------------------------------------------------------------------------

    def receive(self, qty: int, at: int) -> None:
        """Take a receipt that names the line."""
        self.line.received += qty
        self.line.received_at = max(self.line.received_at, at)
        self.line.last_received_at = max(self.line.last_received_at, at)

    def credit(self, shipment: str, old: Shipment | None, new: Shipment | None) -> None:
        """Take what receipts brought that name only a shipment: `new` instead of `old`, None standing for nothing."""
        before, after = old or Shipment(), new or Shipment()
        qty = after.received - before.received
        self.line.received += qty
        self.line.closing_shipments += after.closes - before.closes
        if qty:
            piece = self.piece(shipment)
            self.put(shipment, replace(piece, received=piece.received + qty))
        for at, value in ((before.last_received_at, None), (after.last_received_at, b"")):
            if at != NEVER:
                self.turn.put(slot_key(self.row, CREDIT, self.name, keys.timed(at, shipment)), value)
        last = next(self.last(CREDIT), None)
        self.line.last_received_at = max(self.line.received_at, NEVER if last is None else keys.timed_at(last))


class _Shipments:
    """The shipments of a line as slots."""

    def __init__(self, change: Change) -> None:
        self._change = change

    def openings(self) -> Iterator[bytes]:
        return self._change.openings()

    def takings(self) -> Iterator[bytes]:
        return self._change.takings()

    def room(self, slot: bytes) -> int:
        return self._change.piece(keys.dated_parts(slot)[1]).open

    def taken(self, slot: bytes) -> int:
        return self._change.piece(keys.dated_parts(slot)[1]).taken

    def take(self, slot: bytes, qty: int) -> None:
        name = keys.dated_parts(slot)[1]
        piece = self._change.piece(name)
        self._change.put(name, replace(piece, taken=piece.taken + qty))


class Book:
    """The lines that one event changes at one row."""

    def __init__(self, turn: Turn, row: bytes) -> None:
        self.turn = turn
        self.row = row
        self.changes: dict[str, Change] = {}

    def order(self, name: str) -> Order:
        """What concerns the order as a whole, to be changed."""
        order: Order = self.turn.edit(keys.part(ORDER, self.row, name), Order)
        return order

    def line(self, order: str, number: str) -> Change:
        """A line, to be changed."""
        name = line_name(order, number)
        change = self.changes.get(name)
        if change is None:
            change = self.changes[name] = Change(self.turn, self.row, order, number)
            if change.is_new:
                self._enlist(change)
        return change

    def _enlist(self, change: Change) -> None:
        """Make a new line known to its order; what concerns the only line of an order ends with the second."""
        order: Order = self.turn.get(keys.part(ORDER, self.row, change.order)) or Order()
        if order.first is None:
            self.order(change.order).first = change.number
            change.line.order_closes = order.closes
            return
        if order.unlined:
            first = self.line(change.order, order.first).line
            first.order_closes, first.excess = False, 0
        lowest = min(order.first, change.number, key=lambda number: (len(number), number))
        if not order.many or lowest != order.first:
            order = self.order(change.order)
            order.many, order.first = True, lowest

    def allocate(self) -> list[Change]:
        """Spread what named no line, and what named no shipment; answer all lines that have changed, by name."""
        for change in list(self.changes.values()):
            unlined = change.line.unlined
            beyond = unlined and unlined - room(change.line)
            if beyond > 0:
                self.order(change.order).spare += beyond
                change.fill(-beyond)
            change.list()
        for name in sorted({change.order for change in self.changes.values()}):
            order = self.turn.require(keys.part(ORDER, self.row, name))
            if order.unlined and order.first is not None:
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
        places = (key[len(start) :] for key, _ in self._book.turn.scan(start + order.open_from, stop))
        first = next(places, None)
        if first is not None:
            order.open_from = first
            yield from chain((first,), places)

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
