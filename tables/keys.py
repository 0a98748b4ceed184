"""Keys of the state: one tag byte, then text parts divided by NUL or fixed-width integers, so that order is meaning."""

from struct import pack, unpack_from

NUL = b"\0"

STOCK = b"s"
LEDGER = b"l"
ORDER = b"o"
SHIPMENT = b"h"
TRANSFER = b"x"
RESERVATION = b"r"
DOCUMENTS = b"c"
PLAN = b"p"
ITEM = b"i"
SIGNAL = b"g"
ALERT = b"a"
REPORTED = b"b"
LOCATION = b"w"
FEED = b"f"
PULSE = b"u"
DUPLICATE = b"d"
TIMER = b"t"
NAMES = b"n"
MARKER = b"m"

MOVEMENT_KIND = 0
COUNT_KIND = 1


def row(sku: str, location: str) -> bytes:
    """The bytes that name the row (sku, location) in every table."""
    return f"{sku}\0{location}".encode()


def names(row_bytes: bytes) -> tuple[str, str]:
    """The (sku, location) of a row's bytes."""
    sku, location = row_bytes.decode().split("\0")
    return sku, location


def part(tag: bytes, row_bytes: bytes, *parts: str) -> bytes:
    """The key of a document of a row."""
    return tag + row_bytes + NUL + NUL.join(p.encode() for p in parts)


def entry(row_bytes: bytes, at: int, kind: int, identity: bytes) -> bytes:
    """The key of a movement or count; at one moment movements sort before counts, which cover them."""
    return LEDGER + row_bytes + NUL + pack(">qB", at, kind) + identity


def entry_range(row_bytes: bytes, after: int) -> tuple[bytes, bytes]:
    """Start and stop of the entries of a row later than `after`."""
    prefix = LEDGER + row_bytes
    return prefix + NUL + pack(">q", after + 1), prefix + b"\x01"


def entry_at(key: bytes) -> int:
    """The instant of an entry, from its key."""
    at: int = unpack_from(">q", key, len(key) - 25)[0]
    return at


def duplicate(partition: int, identity: bytes) -> bytes:
    """The key under which an event's name is remembered."""
    return DUPLICATE + pack(">H", partition) + identity


def timer(partition: int, at: int, row_bytes: bytes) -> bytes:
    """The key of a row's alarm clock."""
    return TIMER + pack(">Hq", partition, at) + row_bytes


def timer_at(key: bytes) -> int:
    """The instant of a timer, from its key."""
    at: int = unpack_from(">q", key, 3)[0]
    return at


TIMER_PREFIX_BYTES = 11


def location(partition: int, name: str) -> bytes:
    """The key of a location, of which every partition has its own row."""
    return LOCATION + pack(">H", partition) + name.encode()


def feed(partition: int, name: str) -> bytes:
    """The key of a declared feed, of which every partition has its own row."""
    return FEED + pack(">H", partition) + name.encode()


def pulse(partition: int, name: str) -> bytes:
    """The key of what a partition knows of a feed's arrivals."""
    return PULSE + pack(">H", partition) + name.encode()


def feed_name(key: bytes) -> str:
    """The name of a feed, from the key of its declaration or of its pulse."""
    return key[3:].decode()


def after(prefix: bytes) -> bytes:
    """The first key beyond all keys that begin with a tag and a partition."""
    tag, partition = unpack_from(">cH", prefix)
    return bytes(tag) + pack(">H", partition + 1)


def names_chunk(partition: int, offset: int) -> bytes:
    """The key of the names that one commit remembered, which ended before the log's `offset`."""
    return NAMES + pack(">HQ", partition, offset)


def marker(partition: int) -> bytes:
    """The key of a task's marker in a changelog."""
    return MARKER + pack(">H", partition)
