"""What is declared beside stock: items and their units, locations, suppliers, feeds."""

from decimal import Decimal
from functools import lru_cache

from msgspec import Struct, field

from tables.keys import AFTER_NUL, NUL, PARTITIONED_BYTES, Range, Rank, of_partition
from tables.table import Key, Table, Use


class Definition(Struct, array_like=True, gc=False):
    """The units of an item as one `item.defined` states them, from its time on."""

    base_unit: str
    units: dict[str, int]


class Item(Struct, array_like=True, gc=False):
    """The item master of a sku."""

    base_unit: str
    units: dict[str, int]
    rank: Rank
    description: str | None = None
    abc: str | None = None
    substitutes: list[str] = field(default_factory=list)


class Location(Struct, array_like=True, gc=False):
    """A location; days are local days of `time_zone`."""

    time_zone: str
    rank: Rank
    name: str | None = None
    working_days: list[int] | None = None


class Supplier(Struct, array_like=True, gc=False):
    """What an order to a supplier must come to, and how many units of which kind its truck holds."""

    rank: Rank
    minimum_value: Decimal | None = None
    currency: str | None = None
    truck_units: int | None = None
    truck_uom: str | None = None


class Feed(Struct, array_like=True, gc=False):
    """A declared feed: nothing may be silent for longer than `interval` seconds."""

    interval: int
    locations: list[str] | None
    rank: Rank


class Pulse(Struct, array_like=True, gc=False):
    """The last arrival of a feed, by the engine's clock; a row of its own because it changes with every commit."""

    last: int
    stale: bool = False


ITEM = Table(b"i", "items", Item)
DEFINITION = Table(b"U", "item definitions", Definition, Use.IN_ORDER)
UNKNOWN_ITEM = Table(b"K", "unknown items", bytes, Use.IN_ORDER)
LOCATION = Table(b"W", "locations", Location)
SUPPLIER = Table(b"A", "suppliers", Supplier)
FEED = Table(b"F", "feeds", Feed)
PULSE = Table(b"S", "pulses", Pulse)


def item_key(sku: str) -> Key[Item]:
    """The key of an item master."""
    return ITEM + sku.encode()


def definitions_of(sku: str) -> Key[Definition]:
    """The prefix of the definitions of an item, one for each `item.defined`."""
    return DEFINITION + sku.encode() + NUL


def unknown_item_key(sku: str, location: str) -> Key[bytes]:
    """The key that lists a location where the item master of a sku is missing."""
    return UNKNOWN_ITEM + sku.encode() + NUL + NUL + location.encode()


def unknown_items_of(sku: str) -> Range[bytes]:
    """Start and stop of the keys of `unknown_item_key` of a sku."""
    prefix = UNKNOWN_ITEM + sku.encode() + NUL
    return prefix + NUL, prefix + AFTER_NUL


def row_of_unknown_item(key: bytes) -> bytes:
    """The row that a key of `unknown_item_key` speaks of."""
    sku, _, location = key[1:].split(NUL)
    return sku + NUL + location


@lru_cache(maxsize=1024)
def location_key(partition: int, name: str) -> Key[Location]:
    """The key of a location, of which every partition has its own row."""
    return of_partition(LOCATION, partition, name.encode())


def supplier_key(partition: int, name: str) -> Key[Supplier]:
    """The key of a supplier, of which every partition has its own row."""
    return of_partition(SUPPLIER, partition, name.encode())


def feed_key(partition: int, name: str) -> Key[Feed]:
    """The key of a declared feed, of which every partition has its own row."""
    return of_partition(FEED, partition, name.encode())


def pulse_key(partition: int, name: str) -> Key[Pulse]:
    """The key of what a partition knows of a feed's arrivals."""
    return of_partition(PULSE, partition, name.encode())


def feed_name(key: bytes) -> str:
    """The name of a feed, from the key of its declaration or of its pulse."""
    return key[PARTITIONED_BYTES:].decode()
