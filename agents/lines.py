"""What an order line owes, and when: the arithmetic of one line, from its row alone."""

from msgspec import Struct

from tables.purchasing import Line

UNDATED = 10**7
"""A day after all others."""


class Owed(Struct, frozen=True):
    """What a line still owes, in base units."""

    promised: int
    received: int
    on_order: int
    in_transit: int

    @property
    def open(self) -> int:
        """All that is still expected."""
        return self.on_order + self.in_transit


class Supply(Struct, frozen=True):
    """One piece of supply: `day` (an ordinal) is None where nobody has promised a date; `qty` is in base units."""

    document: str
    day: int | None
    qty: int
    kind: str
    overdue: bool = False


def owed(line: Line) -> Owed:
    """What a line owes.

    For example, of 10 ordered units 8 are acknowledged, 5 are shipped and 2 are received: 3 are in transit, and of the
    6 that are still promised the other 3 are on order.
    """
    received = line.received + line.unlined + line.excess
    promised = promised_of(line)
    if line.closed:
        return Owed(promised, received, 0, 0)
    in_transit = max(0, line.shipped - received)
    return Owed(promised, received, max(0, max(0, promised - received) - in_transit), in_transit)


def promised_of(line: Line) -> int:
    """What is ordered; of an acknowledged line only what the supplier has not rejected."""
    ordered = line.ordered or 0
    return ordered if line.promised_rank is None else min(ordered, acknowledged(line))


def acknowledged(line: Line) -> int:
    """What the supplier has acknowledged, which may be more than what is ordered."""
    total = 0
    for status, qty, _ in line.promises:
        if status != "rejected":
            total += qty
    return total


def room(line: Line) -> int:
    """What receipts that name the line leave of it for receipts that name only its order."""
    return 0 if line.closed else max(0, max(promised_of(line), line.shipped) - line.received)


def latest_promise(line: Line) -> int | None:
    """The latest day on which something of a line is promised: by shipment, acknowledgement or order."""
    latest = line.latest_eta
    for status, qty, due in line.promises:
        if due is not None and qty and status != "rejected" and (latest is None or due > latest):
            latest = due
    return line.due if latest is None else latest


def on_order_supply(label: str, line: Line, share: Owed) -> list[Supply]:
    """What is on order by promise, earliest first.

    What is promised beyond the order comes off the latest promises, what is shipped or received off the earliest. For
    example, 8 are ordered, 4 are promised for the 3rd and 6 for the 9th, and 5 are shipped: promises beyond 8 do not
    count, the shipped 5 are all of the first promise and 1 of the second, so 3 remain on order for the 9th.
    """
    if not share.on_order:
        return []
    if line.promised_rank is None:
        return [Supply(label, line.due, share.on_order, "ordered")]
    gone, left = share.promised - share.on_order, share.promised
    supply = []
    for status, qty, due in _acknowledged_dates(line):
        promised = min(qty, left)
        left -= promised
        used = min(promised, gone)
        gone -= used
        if promised > used:
            supply.append(Supply(label, due, promised - used, status))
    return supply


def _acknowledged_dates(line: Line) -> list[tuple[str, int, int | None]]:
    """What the latest acknowledgement of a line promises by date."""
    dated = [(s, qty, due or (None if s == "backordered" else line.due)) for s, qty, due in line.promises]
    return sorted((promise for promise in dated if promise[0] != "rejected"), key=lambda promise: promise[2] or UNDATED)


def undated_supply(label: str, line: Line) -> list[Supply]:
    """What is in transit by shipments without an eta; it counts on the latest day that is promised."""
    if line.closed or not line.undated:
        return []
    return [Supply(label, latest_promise(line), line.undated, "shipment")]


def lead_time(line: Line, share: Owed) -> int | None:
    """The time from order to last receipt of a line that is complete, in microseconds; None for any other."""
    if not line.received or not line.ordered or line.placed_at is None or share.open:
        return None
    return max(0, line.last_received_at - line.placed_at)
