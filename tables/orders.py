"""The rows of purchasing: lines, their shipments, and the supply of a row by date.

No row grows with the documents beside it: a line has a row of its own, and so has each shipment of a line. Rows are
MessagePack arrays like those of `tables.rows`.
"""

from msgspec import Struct, field

from tables.rows import NEVER, Rank


class Order(Struct, array_like=True, gc=False):
    """What concerns a purchase order as a whole at one row."""

    first: str | None = None
    """The number of its first line by number; None as long as no line is known."""
    many: bool = False
    """Whether more than one line is known."""
    placed: bool = False
    """Whether the quantity of a line is known."""
    unlined: int = 0
    """What was received without naming a line."""
    spare: int = 0
    """What of it found no room in a line; the first line shows it."""
    closes: bool = False
    """Whether such a receipt closes the line, where the order has only one."""
    open_from: bytes = b""
    """No line before this place has room left. A search begins here and need not pass places that are gone."""


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
    """What receipts brought that name the line, or only one of its shipments."""
    unlined: int = 0
    """Its share of what was received without naming a line."""
    excess: int = 0
    """What the order received beyond all its lines; on its first line only."""
    shipped: int = 0
    matched: int = 0
    """What of the shipped was received by receipts that name the shipment."""
    taken: int = 0
    """What of the shipped was received by receipts that name no shipment."""
    undated: int = 0
    """What is still in transit by shipments without an eta."""
    latest_eta: int | None = None
    """The latest eta of a shipment that receipts by its name have not used up."""
    ended: bool = False
    order_closes: bool = False
    """Whether a receipt closes it that names only the order."""
    closing_shipments: int = 0
    """How many of its shipments have a receipt that names only the shipment and closes the line."""
    received_at: int = NEVER
    """The latest receipt that names the line."""
    last_received_at: int = NEVER
    """The latest receipt that names the line or only one of its shipments."""
    look_at: int | None = None
    """When the clock must look at it: it becomes overdue then."""
    open_from: bytes = b""
    """No shipment before this place has anything left in transit; a search begins here."""

    @property
    def closed(self) -> bool:
        """Whether nothing more is expected."""
        return self.ended or self.order_closes or self.closing_shipments > 0


class Piece(Struct, array_like=True, frozen=True, gc=False):
    """What one shipment brings to a line; `eta` is a day."""

    qty: int = 0
    received: int = 0
    """By receipts that name the shipment."""
    taken: int = 0
    """By receipts of the line that name no shipment."""
    eta: int | None = None
    eta_rank: Rank | None = None

    @property
    def room(self) -> int:
        """What receipts that name the shipment have left of it."""
        return max(0, self.qty - self.received)

    @property
    def matched(self) -> int:
        """What of it was received by receipts that name it."""
        return min(self.qty, self.received)

    @property
    def open(self) -> int:
        """What is still in transit."""
        return self.room - self.taken

    @property
    def claim(self) -> int | None:
        """Its eta, as long as receipts that name it leave something of it."""
        return self.eta if self.qty > self.received else None


class Shipment(Struct, array_like=True, frozen=True, gc=False):
    """What receipts that name only the shipment brought, and the line that it belongs to: that of its first notice."""

    order: str | None = None
    line: str | None = None
    rank: tuple[int, bytes] | None = None
    """(time, identity) of the notice that names the line; the smallest counts."""
    received: int = 0
    last_received_at: int = NEVER
    closes: bool = False


class SupplyBlock(Struct, array_like=True, gc=False):
    """The dated supply of a row in one block of days: quantity by day."""

    days: dict[int, int] = field(default_factory=dict)


class Transit(Struct, array_like=True, gc=False):
    """How many shipments and transfers have one quantity in transit to a row."""

    documents: int = 0


class PastSupply(Struct, array_like=True, gc=False):
    """The dated supply of a row that lies before its blocks, as a sum; `oldest` is the number of the first block."""

    oldest: int
    qty: int = 0
