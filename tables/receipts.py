"""What was received under each receipt number, and what takes it back."""

from msgspec import Struct, field

from tables.table import Table


class Named(Struct, array_like=True, frozen=True, gc=False):
    """The order, line and shipment that a receipt names, each of them or none."""

    order: str | None = None
    line: str | None = None
    shipment: str | None = None

    @property
    def rank(self) -> tuple[str, int, str, str]:
        """By this names sort, lines by their numbers."""
        line = self.line or ""
        return self.order or "", len(line), line, self.shipment or ""

    def agrees(self, other: "Named") -> bool:
        """Whether nothing that both of them name differs."""
        pairs = ((self.order, other.order), (self.line, other.line), (self.shipment, other.shipment))
        return all(one is None or two is None or one == two for one, two in pairs)

    def shares(self, other: "Named") -> int:
        """How much both of them name."""
        pairs = ((self.order, other.order), (self.line, other.line), (self.shipment, other.shipment))
        return sum(one is not None and one == two for one, two in pairs)


class Part(Struct, array_like=True, frozen=True, gc=False):
    """What receipts of one number brought that name the same, in base units."""

    names: Named
    qty: int
    held: int
    damaged: int
    reversed: int = 0
    """How much of all three is taken back at present."""
    damaged_reversed: int = 0
    """How much of it is damaged."""


class Reversal(Struct, array_like=True, frozen=True, gc=False):
    """A reversal of a receipt, and what it moves at present."""

    at: int
    identity: bytes
    ref: str
    names: Named
    wanted: tuple[int, int, int] | None
    """How much of qty, held and damaged it takes back at most; None stands for all that is left."""
    reopens: bool
    available: int = 0
    """How much it takes out of available stock."""
    held: int = 0

    @property
    def rank(self) -> tuple[int, bytes]:
        """Reversals take in the order of their times; the identity of the event breaks ties."""
        return self.at, self.identity


class ReceiptRow(Struct, array_like=True, gc=False):
    """All receipts and reversals of one receipt number at a row."""

    parts: list[Part] = field(default_factory=list)
    """By what they name, sorted."""
    reversals: list[Reversal] = field(default_factory=list)
    """By their times."""
    overfull: bool = False
    """Whether the number stands for more than is kept, so that nothing of it can be reversed."""


RECEIPT = Table(b"R", "receipts", ReceiptRow, weight=lambda row: 600 + 250 * len(row.parts) + 350 * len(row.reversals))
