"""Business figures as sums of integers: by location and supplier, over the whole log and by day.

A day is one of UTC, counted from 1970. Sums of a day are kept for KEPT_DAYS; those of the whole log for ever.
"""

from collections.abc import Mapping
from struct import Struct as Layout

from msgspec import Struct

from engine.core.values import DAY
from tables.keys import PARTITIONED_BYTES, Range, of_partition
from tables.table import Key, Table

KEPT_DAYS = 35
"""How many days before today sums by day are kept."""
WHOLE_LOG = 0
"""Stands for the day in the key of the sums over the whole log."""

_DAY = Layout(">I")

Figure = tuple[str, str, int, str, int]
"""What an event adds to a sum: location, supplier (empty where none is known), instant, name of the sum, amount."""


class Sums(Struct, array_like=True, frozen=True, gc=False):
    """Sums by name, sorted; one that is 0 is left out."""

    amounts: Mapping[str, int]


FIGURES = Table(b"Q", "business figures", Sums, weight=lambda row: 300 + 100 * len(row.amounts))


def figures_key(partition: int, day: int, place: str) -> Key[Sums]:
    """The key of the sums of a day (or WHOLE_LOG); `place` is the location, NUL and the supplier."""
    return of_partition(FIGURES, partition, _DAY.pack(day) + place.encode())


def figures_parts(key: bytes) -> tuple[int, str, str]:
    """The (day, location, supplier) of a key of `figures_key`."""
    day: int = _DAY.unpack_from(key, PARTITIONED_BYTES)[0]
    location, supplier = key[PARTITIONED_BYTES + _DAY.size :].decode().split("\0")
    return day, location, supplier


def days_range(partition: int, first: int, until: int) -> Range[Sums]:
    """Start and stop of the keys of the days from `first` (included) to `until` (excluded)."""
    return of_partition(FIGURES, partition, _DAY.pack(first)), of_partition(FIGURES, partition, _DAY.pack(until))


def first_day(now: int) -> int:
    """The first day of which sums are kept at the instant `now`; day 0 stands for the whole log."""
    return max(1, now // DAY - KEPT_DAYS)
