"""The keys on disk: their bytes stay as they are, they sort as they are read, and they can be taken apart."""

from __future__ import annotations

import pytest

from tables import keys
from tables.demand import bucket_key, bucket_range, bucket_span, issued_day, issued_key, issued_range
from tables.directory import (
    definitions_of,
    feed_key,
    feed_name,
    item_key,
    location_key,
    pulse_key,
    row_of_unknown_item,
    supplier_key,
    unknown_item_key,
    unknown_items_of,
)
from tables.event_marks import chunk_key, mark_key, marked_content, marked_identity, newest_arrival, pack_mark
from tables.forecast import delta_key
from tables.ledger import IS_COUNT, IS_MOVEMENT, movement_at, movement_identity, movement_key, movement_range
from tables.markers import marker_key
from tables.purchasing import LINE, lead_time_key, line_name, line_parts, slot_key, slot_range
from tables.stock import RESERVATION, STOCK
from tables.supply import supply_block, supply_key, transit_key
from tables.wakes import (
    due_key,
    due_parts,
    due_range,
    open_key,
    open_name,
    open_range,
    wake_at,
    wake_key,
    wake_range,
    wake_row,
)

ROW = keys.row("SKU", "LOC")
NEXT_ROW = keys.row("SKU", "LOD")
IDENTITY = bytes(range(16))
AT = 1_772_452_845_000_000
AT_BYTES = "00064c0956351540"


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (STOCK + ROW, "sSKU\0LOC"),
        (keys.part(RESERVATION, ROW, "R-1"), "rSKU\0LOC\0R-1"),
        (keys.part(LINE, ROW, line_name("PO", "12")), "eSKU\0LOC\0PO\0\x0212"),
        (item_key("SKU"), "iSKU"),
        (unknown_item_key("SKU", "LOC"), "KSKU\0\0LOC"),
    ],
)
def test_a_key_of_texts_is_stored_as_ever(key: bytes, stored: str) -> None:
    assert key == stored.encode()


@pytest.mark.parametrize(
    ("key", "tag", "tail"),
    [
        (movement_key(ROW, AT, IS_MOVEMENT, IDENTITY), b"l", f"00{AT_BYTES}00{IDENTITY.hex()}"),
        (movement_key(ROW, AT, IS_COUNT, IDENTITY), b"l", f"00{AT_BYTES}01{IDENTITY.hex()}"),
        (delta_key(ROW, "v1", (0, AT, IDENTITY)), b"D", f"00763100{'8' + AT_BYTES[1:]}{IDENTITY.hex()}"),
        (bucket_key(ROW, 739_677, 7), b"B", "00000b495d0007"),
        (issued_key(ROW, 739_677), b"I", "00000b495d"),
        (slot_key(ROW, b"o", "PO", keys.dated(739_677, "S")), b"k", "006f504f00000b495d53"),
        (lead_time_key(ROW, b"o", keys.timed(AT, "PO")), b"L", f"006f{AT_BYTES}504f"),
        (supply_key(ROW, 5), b"v", "0000000005"),
        (transit_key(ROW, 48), b"q", "000000000000000030"),
        (due_key(ROW, AT, b"r", "R-1"), b"w", f"00{AT_BYTES}72522d31"),
        (open_key(ROW, b"r", "R-1"), b"u", "0072522d31"),
    ],
)
def test_a_key_of_a_row_is_stored_as_ever(key: bytes, tag: bytes, tail: str) -> None:
    assert key == tag + ROW + bytes.fromhex(tail)


@pytest.mark.parametrize(
    ("key", "stored"),
    [
        (wake_key(3, AT, ROW), b"t\0\3" + bytes.fromhex(AT_BYTES) + ROW),
        (location_key(3, "LOC"), b"W\0\3LOC"),
        (supplier_key(3, "ACME"), b"A\0\3ACME"),
        (feed_key(3, "wms"), b"F\0\3wms"),
        (pulse_key(3, "wms"), b"S\0\3wms"),
        (mark_key(3, IDENTITY), b"d\0\3" + IDENTITY),
        (chunk_key(3, 258), b"n\0\3\0\0\0\0\0\0\1\2"),
        (marker_key(3), b"m\0\3"),
    ],
)
def test_a_key_of_a_partition_is_stored_as_ever(key: bytes, stored: bytes) -> None:
    assert key == stored


def test_what_was_put_into_a_key_is_taken_out_again() -> None:
    movement = movement_key(ROW, AT, IS_COUNT, IDENTITY)
    assert (movement_at(movement), movement_identity(movement)) == (AT, IDENTITY)
    assert keys.names(ROW) == ("SKU", "LOC")
    assert keys.parts_of(keys.part(RESERVATION, ROW, "R", "1"), ROW) == b"R\x001"
    assert bucket_span(bucket_key(ROW, 739_677, 7)) == (739_677, 7)
    assert issued_day(issued_key(ROW, 739_677)) == 739_677
    assert supply_block(supply_key(ROW, 5)) == 5
    assert due_parts(due_key(ROW, AT, b"r", "R-1"), ROW) == (AT, b"r", "R-1")
    assert open_name(open_key(ROW, b"r", "R-1"), ROW) == "R-1"
    assert line_parts(line_name("PO", "12")) == ("PO", "12")
    assert (wake_at(wake_key(3, AT, ROW)), wake_row(wake_key(3, AT, ROW))) == (AT, ROW)
    assert feed_name(feed_key(3, "wms")) == feed_name(pulse_key(3, "wms")) == "wms"
    assert row_of_unknown_item(unknown_item_key("SKU", "LOC")) == ROW
    assert keys.dated_parts(keys.dated(739_677, "S")) == (739_677, "S")
    assert keys.timed_parts(keys.timed(AT, "PO")) == (AT, "PO")


@pytest.mark.parametrize("at", [-(10**15), -1, 0, AT])
def test_a_ranked_key_holds_its_rank_also_before_1970(at: int) -> None:
    assert keys.rank_of(keys.ranked(definitions_of("SKU"), at, IDENTITY)) == (0, at, IDENTITY)


def test_a_mark_holds_the_digest_and_the_arrival() -> None:
    mark = pack_mark(b"contents", AT)
    assert (marked_content(mark), newest_arrival(mark), marked_identity(mark_key(3, IDENTITY))) == (
        b"contents", AT, IDENTITY
    )  # fmt: skip
    assert mark.hex() == b"contents".hex() + AT_BYTES


def within(key: bytes, bounds: tuple[bytes, bytes]) -> bool:
    return bounds[0] <= key < bounds[1]


@pytest.mark.parametrize(
    ("bounds", "inside", "outside"),
    [
        pytest.param(
            movement_range(ROW, AT, AT + 5),
            [movement_key(ROW, AT, 0, bytes(16)), movement_key(ROW, AT + 5, 1, b"\xff" * 16)],
            [movement_key(ROW, AT - 1, 1, b"\xff" * 16), movement_key(ROW, AT + 6, 0, bytes(16))],
            id="movements, both ends included",
        ),
        pytest.param(
            movement_range(ROW, AT), [movement_key(ROW, 2**62, 0, IDENTITY)],
            [movement_key(NEXT_ROW, AT, 0, IDENTITY)], id="movements from an instant on",
        ),
        pytest.param(
            bucket_range(ROW, 5, 9), [bucket_key(ROW, 5, 1), bucket_key(ROW, 8, 366)],
            [bucket_key(ROW, 4, 366), bucket_key(ROW, 9, 1)], id="buckets by their first day",
        ),
        pytest.param(
            issued_range(ROW, 5, 9), [issued_key(ROW, 5), issued_key(ROW, 8)],
            [issued_key(ROW, 4), issued_key(ROW, 9)], id="issues before a day",
        ),
        pytest.param(
            issued_range(ROW, 5), [issued_key(ROW, 3_000_000)], [issued_key(NEXT_ROW, 5)], id="issues from a day on"
        ),
        pytest.param(
            slot_range(ROW, b"o", "PO"), [slot_key(ROW, b"o", "PO", b"\xfe")],
            [slot_key(ROW, b"o", "PO-2"), slot_key(ROW, b"p", "PO")], id="slots of one order",
        ),
        pytest.param(
            due_range(ROW, AT), [due_key(ROW, 0, b"r", "R"), due_key(ROW, AT, b"t", "T")],
            [due_key(ROW, AT + 1, b"a", ""), due_key(NEXT_ROW, 0, b"r", "R")], id="due documents, the end included",
        ),
        pytest.param(
            open_range(ROW, b"o"), [open_key(ROW, b"o", "PO\0\x011")],
            [open_key(ROW, b"n", "PO"), open_key(ROW, b"p", "PO")], id="open documents of a kind",
        ),
        pytest.param(
            open_range(ROW, b"o", "PO"), [open_key(ROW, b"o", line_name("PO", "1"))],
            [open_key(ROW, b"o", line_name("PO-2", "1"))], id="open lines of one order",
        ),
        pytest.param(
            wake_range(3, AT, AT + 5), [wake_key(3, AT, ROW), wake_key(3, AT + 5, ROW)],
            [wake_key(3, AT - 1, ROW), wake_key(3, AT + 6, ROW), wake_key(4, AT, ROW)], id="wakes, both ends included",
        ),
        pytest.param(
            wake_range(3, AT), [wake_key(3, 2**62, ROW)], [wake_key(4, AT, ROW)], id="wakes of one partition"
        ),
        pytest.param(
            unknown_items_of("SKU"), [unknown_item_key("SKU", "LOC")], [unknown_item_key("SKU-2", "LOC")],
            id="locations where an item is unknown",
        ),
        pytest.param(
            keys.parts_range(RESERVATION, ROW), [keys.part(RESERVATION, ROW, "R")],
            [keys.part(RESERVATION, NEXT_ROW, "R")], id="documents of one row",
        ),
    ],
)  # fmt: skip
def test_a_range_holds_what_it_says_and_nothing_else(
    bounds: tuple[bytes, bytes], inside: list[bytes], outside: list[bytes]
) -> None:
    assert all(within(key, bounds) for key in inside)
    assert not any(within(key, bounds) for key in outside)


def test_lines_sort_by_number() -> None:
    names = [line_name("PO", str(number)) for number in range(1, 120)]
    assert names == sorted(names)


def test_a_movement_sorts_before_the_count_of_its_moment() -> None:
    assert movement_key(ROW, AT, IS_MOVEMENT, b"\xff" * 16) < movement_key(ROW, AT, IS_COUNT, bytes(16))
