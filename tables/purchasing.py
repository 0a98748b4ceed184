"""Purchase orders: lines, their shipments, and the indexes by which those with room left are found.

No row grows with the documents beside it: a line has a row of its own, and so has each shipment of a line.
"""

from msgspec import Struct, field

from tables.keys import NEVER, NUL, Range, Rank
from tables.table import Key, Table, Use


class Closing(Struct, array_like=True, frozen=True, gc=False):
    """When something was closed last, and when a reversed receipt opened it again last."""

    closed_at: int = NEVER
    reopened_at: int = NEVER

    def joined(self, other: "Closing") -> "Closing":
        """The later of both moments."""
        return Closing(max(self.closed_at, other.closed_at), max(self.reopened_at, other.reopened_at))


NOT_CLOSED = Closing()


def earliest(one: int, other: int) -> int:
    """The earlier of two instants; NEVER stands for none."""
    return max(one, other) if NEVER in (one, other) else min(one, other)


class Order(Struct, array_like=True, gc=False):
    """What concerns all lines of a purchase order at one row: receipts that name the order and no line."""

    first: str | None = None
    """The smallest number of a known line; None as long as no line is known."""
    many: bool = False
    """Whether more than one line is known."""
    placed: bool = False
    """Whether the quantity of any line is known."""
    unlined: int = 0
    """What receipts brought that name no line."""
    spare: int = 0
    """The part of `unlined` that found no room in any line; the first line shows it as its excess."""
    closes: bool = False
    """Whether such a receipt closes the order's line, where there is only one."""
    open_from: bytes = b""
    """No line before this slot has room left, so a search for room begins here."""
    closing: Closing = NOT_CLOSED
    """By receipts that name no line, and by what reverses them."""


class Line(Struct, array_like=True, gc=False):
    """A line of a purchase order at one row."""

    supplier: str | None = None
    supplier_rank: Rank | None = None
    ordered: int | None = None
    ordered_rank: Rank | None = None
    due: int | None = None
    due_rank: Rank | None = None
    placed_at: int | None = None
    promised_rank: Rank | None = None
    promises: list[tuple[str, int, int | None]] = field(default_factory=list)
    """(status, quantity, day) of the latest acknowledgement."""
    received: int = 0
    """What receipts brought that name the line, or name only one of its shipments."""
    unlined: int = 0
    """Its share of what receipts without a line brought, first in, first out by number."""
    excess: int = 0
    """What the order received beyond all its lines; on its first line only."""
    shipped: int = 0
    matched: int = 0
    """How much of `shipped` was received by receipts that name the shipment."""
    taken: int = 0
    """How much of `shipped` was used up by receipts that name no shipment."""
    undated: int = 0
    """What is still in transit by shipments without an eta."""
    latest_eta: int | None = None
    """The latest eta of a shipment that receipts by its name have not used up."""
    ended: bool = False
    """Whether the line was cancelled, closed, or closed by a receipt that names it."""
    order_closes: bool = False
    """Whether a receipt closes it that names only the order."""
    closing_shipments: int = 0
    """How many of its shipments have a receipt that names only the shipment and closes the line."""
    received_at: int = NEVER
    """The latest receipt that names the line."""
    last_received_at: int = NEVER
    """The latest receipt that names the line or only one of its shipments."""
    look_at: int | None = None
    """When the clock must look at the line, because it becomes overdue then."""
    open_from: bytes = b""
    """No shipment before this slot has anything left in transit, so a search for some begins here."""
    closing: Closing = NOT_CLOSED
    """By events that name the line."""
    order_closing: Closing = NOT_CLOSED
    """By receipts that name only the order, where the line is its only one."""
    shipments_closing: Closing = NOT_CLOSED
    """By receipts that name only one of its shipments."""
    acknowledged_at: int | None = None
    """The earliest acknowledgement."""
    noticed_at: int | None = None
    """The earliest notice of a shipment."""
    noticed_in_time: bool | None = None
    """Whether that notice came as early as the policy asks; None where it asks nothing, or nothing was promised yet."""
    first_received_at: int = NEVER
    """The earliest receipt that names the line or only one of its shipments."""
    cancelled: bool = False
    completed_at: int | None = None
    """When the event happened since which nothing more is expected of the line."""
    counted: bool = False
    """Whether the business figures count it; a line is counted with the first event that this version sees of it."""

    @property
    def closed(self) -> bool:
        """Whether nothing more is expected."""
        return (self.ended or self.order_closes or self.closing_shipments > 0) and not self._reopened

    @property
    def _reopened(self) -> bool:
        """Whether a reversed receipt opened the line again, and nothing closed it after that."""
        last = self.closing.joined(self.order_closing).joined(self.shipments_closing)
        return last.reopened_at != NEVER and last.reopened_at >= last.closed_at


class Stated(Struct, array_like=True, frozen=True, gc=False):
    """What the highest change of a shipment states of a line in place of its notices."""

    qty: int
    rank: Rank
    notified: int
    """What the notices say, all of them together."""


class Piece(Struct, array_like=True, frozen=True, gc=False):
    """What one shipment brings to a line."""

    qty: int = 0
    received: int = 0
    """What receipts brought that name the shipment."""
    taken: int = 0
    """What receipts of the line that name no shipment have used up of it."""
    eta: int | None = None
    eta_rank: Rank | None = None
    notice_rank: Rank | None = None
    """The rank of its first notice."""
    stated: Stated | None = None
    """The change of it that ranks highest; None as long as only notices speak of it."""

    @property
    def room(self) -> int:
        """How much of it may still be received by its name."""
        return max(0, self.qty - self.received)

    @property
    def matched(self) -> int:
        """How much of it was received by its name, at most its quantity."""
        return min(self.qty, self.received)

    @property
    def open(self) -> int:
        """What is still in transit."""
        return self.room - self.taken

    @property
    def claim(self) -> int | None:
        """Its eta (a day) while some of it was not received by its name, else None."""
        return self.eta if self.qty > self.received else None


class Shipment(Struct, array_like=True, frozen=True, gc=False):
    """A shipment by its number: the line of its first notice, and what receipts brought that name only the shipment."""

    order: str | None = None
    line: str | None = None
    rank: tuple[int, bytes] | None = None
    """(time, identity) of the notice that names the line; the smallest counts."""
    received: int = 0
    last_received_at: int = NEVER
    closes: bool = False
    closing: Closing = NOT_CLOSED
    first_received_at: int = NEVER


ORDER = Table(b"o", "orders", Order)
LINE = Table(b"e", "order lines", Line, weight=lambda line: 900 + 100 * len(line.promises))
PIECE = Table(b"j", "shipments of lines", Piece)
SHIPMENT = Table(b"h", "shipments", Shipment)
SLOT = Table(b"k", "slots of orders and lines", bytes, Use.IN_ORDER)
"""Indexes of an order (its lines by number) and of a line (its shipments by eta), by what is left or taken of them."""
LEAD_TIME = Table(b"L", "lead times", bytes, Use.IN_ORDER)
"""Indexes of order lines by the instant of order or of completion; a completed line's value is its days, as text."""


def line_name(order: str, number: str) -> str:
    """The name of an order line within its row; names sort by order, then by number, as short numbers come first."""
    return f"{order}\0{chr(len(number))}{number}"


def line_parts(name: str) -> tuple[str, str]:
    """The (order, number) of a line by its name."""
    order, number = name.split("\0")
    return order, number[1:]


def slot_key(row: bytes, kind: bytes, name: str, tail: bytes = b"") -> Key[bytes]:
    """The key of a slot in an index of the order or line `name`; `kind` is one byte."""
    return SLOT + row + NUL + kind + name.encode() + NUL + tail


def slot_range(row: bytes, kind: bytes, name: str) -> Range[bytes]:
    """Start and stop of all slots of a kind that belong to `name`."""
    start = slot_key(row, kind, name)
    return start, start + b"\xff"


def lead_time_key(row: bytes, kind: bytes, tail: bytes = b"") -> Key[bytes]:
    """The key of an order line by which lead times are learned (`kind` is one byte); the tail is one of `timed`."""
    return LEAD_TIME + row + NUL + kind + tail
