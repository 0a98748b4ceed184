"""Keys of the state: one tag byte, then text parts divided by NUL or fixed-width integers, so that order is meaning."""

from struct import pack, unpack_from

NUL = b"\0"

STOCK = b"s"
LEDGER = b"l"
ORDER = b"o"
SHIPMENT = b"h"
TRANSFER = b"x"
RESERVATION = b"r"
PLAN = b"p"
ITEM = b"i"
SIGNAL = b"g"
ALERT = b"a"
REPORTED = b"b"
ALERT_NAME = b"z"
FLOOR = b"f"
DEFINITION = b"U"
UNKNOWN_ITEM = b"K"
DELTA = b"D"
DELTA_ORDER = b"O"
GAP = b"G"
VERSION = b"V"
BUCKET = b"B"
ISSUED = b"I"
LOCATION = b"W"
FEED = b"F"
PULSE = b"S"
DUPLICATE = b"d"
TIMER = b"t"
DUE = b"w"
OPEN = b"u"
LINE = b"e"
PIECE = b"j"
SLOT = b"k"
SUPPLY = b"v"
PAST_SUPPLY = b"P"
TRANSIT = b"q"
LEAD_TIME = b"L"
NAMES = b"n"
MARKER = b"m"

MOVEMENT_KIND = 0
COUNT_KIND = 1

EPOCH_SHIFT = 1 << 63
"""Added to an instant, so that one before 1970 sorts before the others."""


def row(sku: str, location: str) -> bytes:
    """The bytes that name the row (sku, location) in every table."""
    return f"{sku}\0{location}".encode()


def names(row_bytes: bytes) -> tuple[str, str]:
    """The (sku, location) of a row's bytes."""
    sku, location = row_bytes.decode().split("\0")
    return sku, location


def part(tag: bytes, row_bytes: bytes, *parts: str) -> bytes:
    """The key of a document of a row."""
    return tag + row_bytes + NUL + "\0".join(parts).encode()


def parts_range(tag: bytes, row_bytes: bytes, *parts: str) -> tuple[bytes, bytes]:
    """Start and stop of the keys of `part` that begin with `parts`."""
    prefix = part(tag, row_bytes, *parts, "") if parts else tag + row_bytes + NUL
    return prefix, prefix[:-1] + b"\x01"


def entry(row_bytes: bytes, at: int, kind: int, identity: bytes) -> bytes:
    """The key of a movement or count; at one moment movements sort before counts, which cover them."""
    return LEDGER + row_bytes + NUL + pack(">qB", at, kind) + identity


def entry_range(row_bytes: bytes, start: int, until: int | None = None) -> tuple[bytes, bytes]:
    """Start and stop of the entries of a row from the instant `start` to `until`, both included."""
    prefix = LEDGER + row_bytes
    stop = prefix + b"\x01" if until is None else prefix + NUL + pack(">q", until + 1)
    return prefix + NUL + pack(">q", max(0, start)), stop


def entry_at(key: bytes) -> int:
    """The instant of an entry, from its key."""
    at: int = unpack_from(">q", key, len(key) - 25)[0]
    return at


def entry_identity(key: bytes) -> bytes:
    """The identity of the event behind an entry, from its key."""
    return key[-16:]


def ranked(prefix: bytes, at: int, identity: bytes) -> bytes:
    """A key under `prefix` that sorts by the instant and identity of an event; instants may lie before 1970."""
    return prefix + NUL + pack(">Q", at + EPOCH_SHIFT) + identity


def ranked_range(prefix: bytes, until: int, identity: bytes = b"") -> tuple[bytes, bytes]:
    """Start and stop of the keys of `ranked` below the instant `until`, or at it and below `identity`."""
    return prefix + NUL, ranked(prefix, until, identity)


def rank_of(key: bytes) -> tuple[int, int, bytes]:
    """The rank (0, instant, identity) of the event behind a key of `ranked`."""
    return 0, unpack_from(">Q", key, len(key) - 24)[0] - EPOCH_SHIFT, key[-16:]


def definitions(sku: str) -> bytes:
    """The prefix of the definitions of an item, one for each `item.defined`."""
    return DEFINITION + sku.encode() + NUL


def deltas(row_bytes: bytes, base_version: str | None) -> bytes:
    """The prefix of the forecast deltas of a row that amend one version; None are those that name no version."""
    return part(DELTA, row_bytes, base_version or "")


def bucket(row_bytes: bytes, start: int, days: int) -> bytes:
    """The key of a forecast bucket of a row: `days` days from the day `start`."""
    return BUCKET + row_bytes + NUL + pack(">IH", start, days)


def bucket_span(key: bytes) -> tuple[int, int]:
    """(start day, days) of a key of `bucket`."""
    start, days = unpack_from(">IH", key, len(key) - 6)
    return start, days


def bucket_range(row_bytes: bytes, first: int, until: int) -> tuple[bytes, bytes]:
    """Start and stop of the buckets of a row that begin on the day `first` or later, and before `until`."""
    return bucket(row_bytes, max(0, first), 0), bucket(row_bytes, until, 0)


def issued(row_bytes: bytes, day: int) -> bytes:
    """The key of what was issued of a row on a local day."""
    return ISSUED + row_bytes + NUL + pack(">I", day)


def issued_day(key: bytes) -> int:
    """The local day of a key of `issued`."""
    day: int = unpack_from(">I", key, len(key) - 4)[0]
    return day


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


def due(row_bytes: bytes, at: int, kind: bytes, name: str) -> bytes:
    """The key that asks for a look at one document of a row (`kind` is one byte) when the clock reaches `at`."""
    return DUE + row_bytes + NUL + pack(">q", at) + kind + name.encode()


def due_range(row_bytes: bytes, until: int) -> tuple[bytes, bytes]:
    """Start and stop of the documents of a row that are due at `until` or before."""
    prefix = DUE + row_bytes + NUL
    return prefix, prefix + pack(">q", until + 1)


def due_parts(key: bytes, row_bytes: bytes) -> tuple[int, bytes, str]:
    """(instant, kind, name) of a key of `due`."""
    start = len(row_bytes) + 2
    at: int = unpack_from(">q", key, start)[0]
    return at, key[start + 8 : start + 9], key[start + 9 :].decode()


def open_document(row_bytes: bytes, kind: bytes, name: str) -> bytes:
    """The key that lists a document of a row (`kind` is one byte) as long as something of it is open."""
    return OPEN + row_bytes + NUL + kind + name.encode()


def open_range(row_bytes: bytes, kind: bytes, order: str | None = None) -> tuple[bytes, bytes]:
    """Start and stop of the open documents of a row of one kind; of order lines also those of one `order`."""
    prefix = OPEN + row_bytes + NUL + kind
    if order is None:
        return prefix, OPEN + row_bytes + NUL + bytes([kind[0] + 1])
    prefix += order.encode()
    return prefix + NUL, prefix + b"\x01"


def open_name(key: bytes, row_bytes: bytes) -> str:
    """The name of an open document, from its key."""
    return key[len(row_bytes) + 3 :].decode()


def line_name(order: str, number: str) -> str:
    """The name of an order line within its row; names sort by order, then by number, as short numbers come first."""
    return f"{order}\0{chr(len(number))}{number}"


def line_parts(name: str) -> tuple[str, str]:
    """The (order, number) of a line by its name."""
    order, number = name.split("\0")
    return order, number[1:]


def slot(row_bytes: bytes, kind: bytes, name: str, tail: bytes = b"") -> bytes:
    """The key of an ordered place that belongs to the order or line `name`; `kind` is one byte."""
    return SLOT + row_bytes + NUL + kind + name.encode() + NUL + tail


def slot_range(row_bytes: bytes, kind: bytes, name: str) -> tuple[bytes, bytes]:
    """Start and stop of all places of a kind that belong to `name`."""
    start = slot(row_bytes, kind, name)
    return start, start + b"\xff"


def dated(day: int, name: str) -> bytes:
    """The tail of a place that is ordered by a day."""
    return pack(">I", day) + name.encode()


def dated_parts(tail: bytes) -> tuple[int, str]:
    """The (day, name) of a tail of `dated`."""
    day: int = unpack_from(">I", tail)[0]
    return day, tail[4:].decode()


def timed(at: int, name: str) -> bytes:
    """The tail of a place that is ordered by an instant; what lies before 1970 shares one instant."""
    return pack(">q", max(0, at)) + name.encode()


def timed_at(tail: bytes) -> int:
    """The instant of a tail of `timed`."""
    at: int = unpack_from(">q", tail)[0]
    return at


def timed_parts(tail: bytes) -> tuple[int, str]:
    """The (instant, name) of a tail of `timed`."""
    return timed_at(tail), tail[8:].decode()


def supply(row_bytes: bytes, block: int) -> bytes:
    """The key of a block of days of a row's dated supply."""
    return SUPPLY + row_bytes + NUL + pack(">I", block)


def supply_block(key: bytes) -> int:
    """The number of a block of days, from its key."""
    block: int = unpack_from(">I", key, len(key) - 4)[0]
    return block


def transit(row_bytes: bytes, qty: int) -> bytes:
    """The key of what is in transit to a row in pieces of exactly `qty`."""
    return TRANSIT + row_bytes + NUL + pack(">Q", qty)


def lead_time(row_bytes: bytes, kind: bytes, tail: bytes = b"") -> bytes:
    """The key of an order line by which lead times are learned (`kind` is one byte); the tail is one of `timed`."""
    return LEAD_TIME + row_bytes + NUL + kind + tail


def unknown_item(sku: str, location: str) -> bytes:
    """The key that lists a location where the item master of a sku is missing."""
    return UNKNOWN_ITEM + sku.encode() + NUL + NUL + location.encode()


def unknown_items(sku: str) -> tuple[bytes, bytes]:
    """Start and stop of the keys of `unknown_item` of a sku."""
    prefix = UNKNOWN_ITEM + sku.encode() + NUL
    return prefix + NUL, prefix + b"\x01"


def row_of_unknown_item(key: bytes) -> bytes:
    """The row that a key of `unknown_item` speaks of."""
    sku, _, location = key[1:].split(NUL)
    return sku + NUL + location


def home(key: bytes) -> bytes:
    """The beginning of a key that it shares with all of its table and row (or, for timers, of its partition)."""
    return key[:3] if key[0] == TIMER[0] else key[: key.index(0, key.index(0) + 1)]


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
