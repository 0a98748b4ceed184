"""A turn reads what it has written itself, and the cost of that follows what is read, not all that was written."""

from __future__ import annotations

from typing import ClassVar

from tables.purchasing import slot_range
from tests.unit.turns import ROW, empty_turn


class Compared(bytes):
    """A key that counts how often it is compared by order."""

    times: ClassVar[int] = 0

    __hash__ = bytes.__hash__

    def __lt__(self, other: bytes) -> bool:
        Compared.times += 1
        return bytes.__lt__(self, other)

    def __le__(self, other: bytes) -> bool:
        Compared.times += 1
        return bytes.__le__(self, other)

    __gt__, __ge__ = __le__, __lt__


def comparisons_of(lines: int) -> int:
    """Write and scan once for each of so many lines, as a receipt does that fills all lines of an order."""
    told, Compared.times = empty_turn(), 0
    for number in range(lines):
        start, stop = slot_range(ROW, b"o", f"O\0{number:06}")
        told.writes[Compared(start + b"x")] = b""
        assert [key for key, _ in told.scan(start, stop)] == [start + b"x"]
    return Compared.times


def test_a_scan_does_not_look_at_all_that_the_turn_has_written() -> None:
    small, large = comparisons_of(200), comparisons_of(2000)
    assert 0 < large <= 20 * small


def test_a_scan_sees_what_was_written_changed_and_deleted_since_the_last_one() -> None:
    told = empty_turn()
    start, stop = slot_range(ROW, b"o", "O\x001")
    for name in (b"c", b"a"):
        told.put(start + name, name)
    assert [row for _, row in told.scan(start, stop)] == [b"a", b"c"]
    told.put(start + b"b", b"b")
    told.put(start + b"a", None)
    told.put(start + b"c", b"new")
    assert [row for _, row in told.scan(start, stop)] == [b"b", b"new"]
    assert [row for _, row in told.scan(start, stop, reverse=True)] == [b"new", b"b"]
