"""One order line that an event changes, with its shipments.

What a line received without naming a shipment uses up its shipments first in, first out, the earliest eta first. Places
in an index mark which shipments have room left and of which something is taken, so that none of the others is read.

For example, on a line of 10 units shipment A brings 4 on the 5th and shipment B brings 6 on the 3rd. A receipt of 7
that names only the line takes all 6 of B and 1 of A, and 3 are still in transit. Then 4 arrive that name A: nothing of
A is left for the first receipt, so its 1 unit is loose again and shows as received beyond what was shipped.
"""

from collections.abc import Iterator
from itertools import chain

from msgspec.structs import replace

from agents import due
from agents.allocation import allocate
from agents.lines import UNDATED, room
from agents.turn import Site
from tables import keys
from tables.keys import NEVER
from tables.purchasing import (
    LINE,
    ORDER,
    PIECE,
    Closing,
    Line,
    Order,
    Piece,
    Shipment,
    earliest,
    line_name,
    slot_key,
    slot_range,
)

OPEN = b"o"
"""A shipment of which something is in transit."""
TAKEN = b"t"
"""A shipment that receipts without its name have used up, at least in part."""
FILLED = b"l"
"""A line that receipts without its number have filled, at least in part."""
CREDIT = b"c"
"""The latest receipt that names only a shipment of the line."""
CLOSED = b"e"
"""The latest receipt that names only a shipment of the line, and closes the line."""
REOPENED = b"r"
"""The latest reversal of such a receipt that opens the line again."""


class Change:
    """One line that an event changes: `before` is the line as it was, `line` as it becomes."""

    def __init__(self, site: Site, order: str, number: str) -> None:
        self.site = site
        self.turn = site.turn
        self.row = site.row
        self.order = order
        self.number = number
        self.name = line_name(order, number)
        self.label = f"{order}/{number}"
        """The line as people read it."""
        key = keys.part(LINE, site.row, self.name)
        known = site.turn.get(key)
        self.is_new = known is None
        self.before = Line() if known is None else known
        self.line = site.turn.edit(key, Line)
        self.listed = room(self.before) > self.before.unlined
        self.pieces: dict[str, Piece] = {}
        """The shipments that have changed, as they were before."""
        self._known: dict[str, Piece] = {}
        """The shipments that were asked for, as they are now."""

    @property
    def slot(self) -> bytes:
        """Where the line stands among the lines of its order; slots sort by number."""
        return self.name[len(self.order) + 1 :].encode()

    # the line among the lines of its order ----------------------------------------------------------------------------

    def list(self) -> None:
        """Keep the line in the list of what is open; a line that has room left is."""
        is_open = room(self.line) > self.line.unlined
        self.site.list_open(due.ORDER_LINE, self.name, self.listed, is_open)
        if is_open and not self.listed:
            key = keys.part(ORDER, self.row, self.order)
            order = self.turn.get(key)
            if order is not None and self.slot < order.open_from:
                self.turn.edit(key, Order).open_from = self.slot
        self.listed = is_open

    def fill(self, qty: int) -> None:
        """Give the line `qty` more of what the order received without naming a line; a negative quantity takes back."""
        was, line = self.line.unlined, self.line
        line.unlined += qty
        if bool(was) != bool(line.unlined):
            self.turn.put(slot_key(self.row, FILLED, self.order, self.slot), b"" if line.unlined else None)
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

        A receipt that names the shipment leaves less of it to receipts that do not: what they have taken beyond that is
        loose again, and `match` spreads it anew.
        """
        old = self.piece(shipment)
        if new.taken > new.room:
            new = replace(new, taken=new.room)
        self.pieces.setdefault(shipment, old)
        self._known[shipment] = new
        self.turn.put(keys.part(PIECE, self.row, self.name, shipment), new)
        for kind, was, is_now in ((OPEN, old.open, new.open), (TAKEN, old.taken, new.taken)):
            self._index(kind, shipment, old.eta if was else NEVER, new.eta if is_now else NEVER)
        line = self.line
        line.shipped += new.qty - old.qty
        line.matched += new.matched - old.matched
        line.taken += new.taken - old.taken
        line.undated += (new.open if new.eta is None else 0) - (old.open if old.eta is None else 0)

    def _index(self, kind: bytes, shipment: str, old: int | None, new: int | None) -> None:
        if old == new:
            return
        for eta, value in ((old, None), (new, b"")):
            if eta != NEVER:
                slot = keys.dated(UNDATED if eta is None else eta, shipment)
                self.turn.put(slot_key(self.row, kind, self.name, slot), value)
                if kind == OPEN and value is not None:
                    self.line.open_from = min(self.line.open_from, slot)

    def openings(self) -> Iterator[bytes]:
        """The slots of the shipments of which something is in transit, by eta, then by name.

        If the shipments that this event changes hold all that is left, the index need not be searched for others.
        """
        changed = [(name, piece.open) for name in self.pieces if (piece := self.piece(name)).open]
        left = self.line.shipped - self.line.matched - self.line.taken
        if sum(qty for _, qty in changed) == left:
            slots = iter(sorted(self._slot_of(name) for name, _ in changed))
        else:
            start, stop = slot_range(self.row, OPEN, self.name)
            slots = (key[len(start) :] for key, _ in self.turn.scan(start + self.line.open_from, stop))
        first = next(slots, None)
        if first is not None:
            self.line.open_from = first
            yield from chain((first,), slots)

    def takings(self) -> Iterator[bytes]:
        """The slots of the shipments that receipts without their name have used up, the last one first."""
        changed = [(name, piece.taken) for name in self.pieces if (piece := self.piece(name)).taken]
        if sum(qty for _, qty in changed) == self.line.taken:
            return iter(sorted((self._slot_of(name) for name, _ in changed), reverse=True))
        return self.last(TAKEN)

    def _slot_of(self, shipment: str) -> bytes:
        """The slot of a shipment among those of the line: by its eta, then by its name."""
        eta = self.piece(shipment).eta
        return keys.dated(UNDATED if eta is None else eta, shipment)

    def last(self, kind: bytes) -> Iterator[bytes]:
        """The slots of a kind that belong to the line, the last one first."""
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
        """Keep the latest eta; the index is searched only if the shipment that had it has it no longer."""
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
        self.line.first_received_at = earliest(self.line.first_received_at, at)

    def credit(self, shipment: str, old: Shipment | None, new: Shipment | None) -> None:
        """Count receipts that name only a shipment as `new` says, no longer as `old` did; None stands for nothing."""
        before, after = old or Shipment(), new or Shipment()
        qty = after.received - before.received
        self.line.received += qty
        self.line.closing_shipments += after.closes - before.closes
        if qty:
            piece = self.piece(shipment)
            self.put(shipment, replace(piece, received=piece.received + qty))
        line, was, is_now = self.line, before.closing, after.closing
        last = self._latest(CREDIT, shipment, before.last_received_at, after.last_received_at)
        line.last_received_at = max(line.received_at, last)
        line.first_received_at = earliest(line.first_received_at, after.first_received_at)
        if was != is_now:
            closed_at = self._latest(CLOSED, shipment, was.closed_at, is_now.closed_at)
            reopened_at = self._latest(REOPENED, shipment, was.reopened_at, is_now.reopened_at)
            line.shipments_closing = Closing(closed_at, reopened_at)

    def _latest(self, kind: bytes, shipment: str, old: int, new: int) -> int:
        """Move the instant of a shipment of the line in an index from `old` to `new`; returns the latest in it."""
        for at, value in ((old, None), (new, b"")):
            if at != NEVER:
                self.turn.put(slot_key(self.row, kind, self.name, keys.timed(at, shipment)), value)
        last = next(self.last(kind), None)
        return NEVER if last is None else keys.timed_at(last)


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
