"""The dated supply of a row: what open order lines and transfers bring on which day."""

from struct import Struct as Layout

from msgspec import Struct, field

from tables.keys import NUL
from tables.table import Key, Table, Use

_BLOCK = Layout(">I")
_QTY = Layout(">Q")


class SupplyBlock(Struct, array_like=True, gc=False):
    """The dated supply of a row in one block of days: quantity by day."""

    days: dict[int, int] = field(default_factory=dict)


class PastSupply(Struct, array_like=True, gc=False):
    """The dated supply of a row that lies before its blocks, as a sum; `oldest` is the number of the first block."""

    oldest: int
    qty: int = 0


class Transit(Struct, array_like=True, gc=False):
    """How many shipments and transfers have one quantity in transit to a row."""

    documents: int = 0


SUPPLY = Table(b"v", "supply by day", SupplyBlock, Use.BY_KEY | Use.IN_ORDER)
PAST_SUPPLY = Table(b"P", "supply of the past", PastSupply)
TRANSIT = Table(b"q", "in transit", Transit)


def supply_key(row: bytes, block: int) -> Key[SupplyBlock]:
    """The key of a block of days of a row's dated supply."""
    return SUPPLY + row + NUL + _BLOCK.pack(block)


def supply_block(key: bytes) -> int:
    """The number of a block of days, from its key."""
    block: int = _BLOCK.unpack_from(key, len(key) - _BLOCK.size)[0]
    return block


def transit_key(row: bytes, qty: int) -> Key[Transit]:
    """The key of what is in transit to a row in pieces of exactly `qty`."""
    return TRANSIT + row + NUL + _QTY.pack(qty)
