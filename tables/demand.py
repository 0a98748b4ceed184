"""Demand by day: the buckets of the forecast in force, and what was issued."""

from struct import Struct as Layout

from msgspec import Struct

from tables.keys import AFTER_NUL, NUL, Range
from tables.table import Key, Table, Use

_SPAN = Layout(">IH")
_DAY = Layout(">I")


class Bucket(Struct, array_like=True, gc=False):
    """The demand of one span of days: the sum of what the base and the deltas in force state for exactly this span."""

    qty: int = 0
    revisions: int = 0
    """How many statements are added up here; at 0 the row is deleted."""


class Issued(Struct, array_like=True, gc=False):
    """What was issued of a row on one local day."""

    qty: int = 0


BUCKET = Table(b"B", "forecast buckets", Bucket, Use.BY_KEY | Use.IN_ORDER)
ISSUED = Table(b"I", "issues", Issued, Use.BY_KEY | Use.IN_ORDER)


def bucket_key(row: bytes, start: int, days: int) -> Key[Bucket]:
    """The key of a forecast bucket of a row: `days` days from the day `start`."""
    return BUCKET + row + NUL + _SPAN.pack(start, days)


def bucket_span(key: bytes) -> tuple[int, int]:
    """(start day, days) of a bucket, from its key."""
    start, days = _SPAN.unpack_from(key, len(key) - _SPAN.size)
    return start, days


def bucket_range(row: bytes, first: int, until: int) -> Range[Bucket]:
    """Start and stop of the buckets of a row that begin on the day `first` or later, and before `until`."""
    return bucket_key(row, max(0, first), 0), bucket_key(row, until, 0)


def issued_key(row: bytes, day: int) -> Key[Issued]:
    """The key of what was issued of a row on a local day."""
    return ISSUED + row + NUL + _DAY.pack(day)


def issued_day(key: bytes) -> int:
    """The local day of an issue, from its key."""
    day: int = _DAY.unpack_from(key, len(key) - _DAY.size)[0]
    return day


def issued_range(row: bytes, first: int, until: int | None = None) -> Range[Issued]:
    """Start and stop of what was issued from the day `first` on, and before `until` where it is given."""
    stop = ISSUED + row + AFTER_NUL if until is None else issued_key(row, until)
    return issued_key(row, max(0, first)), stop
