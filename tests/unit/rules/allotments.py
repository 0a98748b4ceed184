"""How goods are spread over slots, lines and shipments, and supply by day at its borders."""

from __future__ import annotations

from collections.abc import Iterator

from agents.allocation import allocate
from tests.unit.rules.drifts import START, drift, issued, reported
from tests.unit.rules.figures import of_day, told
from tests.unit.rules.given import line, piece, report, shipment, stock
from tests.unit.rules.orders import notified, of_shipment, placed, received
from tests.unit.rules.rule import AnyRule, Figure, Rule, given, then
from tests.unit.rules.world import AT, TODAY, day, days, event, hours


class Bins:
    """Slots `a`, `b`, ... as (room in all, taken); it notes which of them were read."""

    def __init__(self, *bins: tuple[int, int]) -> None:
        self.size = {chr(97 + number).encode(): size for number, (size, _) in enumerate(bins)}
        self.used = dict(zip(self.size, (used for _, used in bins), strict=True))
        self.read: set[bytes] = set()

    def _noted(self, slots: list[bytes]) -> Iterator[bytes]:
        for slot in slots:
            self.read.add(slot)
            yield slot

    def openings(self) -> Iterator[bytes]:
        return self._noted([slot for slot in self.size if self.room(slot)])

    def takings(self) -> Iterator[bytes]:
        return self._noted([slot for slot in reversed(self.size) if self.used[slot]])

    def room(self, slot: bytes) -> int:
        return self.size[slot] - self.used[slot]

    def taken(self, slot: bytes) -> int:
        return self.used[slot]

    def take(self, slot: bytes, qty: int) -> None:
        self.used[slot] += qty


def spread(loose: int, *bins: tuple[int, int], resized: bool = False) -> tuple[int, list[int], str]:
    """What finds no room, what is taken of each slot, and which slots were read."""
    slots = Bins(*bins)
    left = allocate(slots, loose, resized)
    return left, list(slots.used.values()), b"".join(sorted(slots.read)).decode()


SPREAD = [
    Figure(name, lambda loose=loose, bins=bins, resized=resized: spread(loose, *bins, resized=resized), expected)  # type: ignore[misc]
    for name, loose, bins, resized, expected in (
        ("units fill the slots in turn", 12, [(10, 0), (5, 0), (5, 0)], False, (0, [10, 2, 0], "ab")),
        ("units that fill a slot leave those after it unread", 10, [(10, 0), (5, 0)], False, (0, [10, 0], "a")),
        ("units beyond all slots find no room", 18, [(10, 0), (5, 0)], True, (3, [10, 5], "ab")),
        ("one unit is given back from the last slot", -1, [(10, 10), (5, 2)], False, (0, [10, 1], "b")),
        ("units are given back from the last slots on", -4, [(10, 10), (5, 2)], False, (0, [8, 0], "ab")),
        ("a slot that gave all back leaves those before it unread", -2, [(9, 9), (5, 2)], False, (0, [9, 0], "b")),
        ("slots of which no size has changed stay as they are", 0, [(10, 1), (5, 2)], False, (0, [1, 2], "")),
        ("a slot that has grown takes from the last one", 0, [(10, 1), (5, 2)], True, (0, [3, 0], "ab")),
        ("a slot that has grown a little is filled", 0, [(2, 1), (5, 2)], True, (0, [2, 1], "ab")),
    )
]


SHIPMENTS = [
    Rule(
        "goods that came without a line use up the shipments of the line that they fill",
        given(placed(10), notified("A", 6, day(5))),
        received(4, None),
        then(stock(available=4, in_transit=2), line(unlined=4, taken=4), piece("A", taken=4)),
    ),
    Rule(
        "one that an earlier line takes is in transit again",
        given(placed(10, 2), notified("A", 1, day(5), 2), received(1, None)),
        placed(10, 1),
        then(
            stock(on_order=18, in_transit=1),
            line(number="1", unlined=1),
            line(number="2", unlined=0, taken=0),
            piece("A", number="2", taken=0),
        ),
    ),
    Rule(
        "goods that an earlier line takes are in transit again, by the shipments that are expected last",
        given(
            placed(20, 2),
            *(notified(name, 4, day(3 + later), 2) for later, name in enumerate("ABC")),
            received(9, None),
        ),
        placed(3, 1),
        then(
            stock(on_order=8, in_transit=6),
            line(number="1", unlined=3),
            line(number="2", unlined=6, taken=6),
            piece("B", number="2", taken=2),
            piece("C", number="2", taken=0),
        ),
    ),
    Rule(
        "the last receipt of a line is the latest of all its shipments",
        given(
            placed(20),
            notified("A", 4, day(5)),
            notified("B", 4, day(5)),
            of_shipment("A", 1, hours(1)),
            of_shipment("B", 1, hours(2)),
        ),
        of_shipment("A", 1, hours(1.5)),
        then(
            stock(available=3, in_transit=5),
            line(received=3, last_received_at=AT + hours(2)),
            piece("A", received=2),
            shipment("A", received=2, last_received_at=AT + hours(1.5)),
        ),
    ),
    Rule(
        "when the shipment with the latest eta has come the next one's counts",
        given(
            placed(20),
            notified("B", 2, day(3)),
            notified("D", 2, day(4)),
            notified("C", 2, day(5)),
            notified("A", 2, day(6)),
            received(2),
        ),
        received(2, shipment="A"),
        then(
            stock(available=4, in_transit=4),
            line(received=4, matched=2, taken=2, latest_eta=TODAY + 5),
            piece("A", received=2),
        ),
    ),
]

ROWS = [
    Rule(
        "an order moves the latest moment of its row",
        given(),
        placed(10, at=hours(1)),
        then(stock(on_order=10, latest=AT + hours(1)), line()),
    ),
    Rule(
        "a movement that comes after the report of its own moment is compared with it",
        given(START, reported(93)),
        issued(7, 0),
        then(stock(available=93), report(difference=0), drift("resolved", -7)),
    ),
    Rule(
        "one unit in transit may be booked already",
        given(START, placed(10), notified("A", 1, day(3)), notified("B", 8, day(3))),
        reported(101),
        then(report(difference=1, causes=[])),
    ),
]

BORDER = 31 - TODAY % 32
"""The last day of a block of supply."""

SUPPLY = [
    Figure(
        "supply of today is not overdue",
        lambda: told(placed(20, due=day(0)), available=10, ahead=2),
        [of_day(0, 20, 0, 30, 30), of_day(1, 0, 0, 30, 30)],
    ),
    Figure(
        "supply of the last day of a block is not overdue the day before",
        lambda: told(
            placed(20, due=day(BORDER)),
            event("stock.adjusted", days(BORDER - 1), qty=1, reason="x"),
            available=10,
            ahead=2,
        ),
        [of_day(BORDER - 1, 0, 0, 11, 11), of_day(BORDER, 20, 0, 31, 31)],
    ),
]

TABLE: list[AnyRule] = [*SPREAD, *SHIPMENTS, *ROWS, *SUPPLY]
