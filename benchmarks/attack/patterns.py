"""The patterns, each a function of its size: `setup` events that may cost what they like, then `n` that are measured.

Every pattern is deterministic, and legal by the contract. What is measured is the work for n and for 10 n events.
"""

import json
from collections.abc import Callable, Iterator
from typing import NamedTuple

from engine.core.values import DAY, HOUR, MINUTE, SECOND, iso

BEGIN = 1_772_438_400 * SECOND
"""2026-03-02T08:00:00Z."""
SKU, PLACE = "S", "L"

Events = Iterator[bytes]


class Pattern(NamedTuple):
    """A pattern: its events for a size, the size to run it at, and how much more work 10 n events may be than n."""

    events: Callable[[int], Events]
    size: int
    most: float = 12.0


def event(kind: str, number: int, at: int, **data: object) -> bytes:
    """One event of the row that is attacked."""
    row = {"sku": SKU} if kind.startswith(("item", "transfer")) else {"sku": SKU, "location": PLACE}
    body = {"specversion": "1.0", "id": f"{kind}-{number}", "source": "attack", "type": kind, "time": iso(at),
            "data": row | data}  # fmt: skip
    return json.dumps(body).encode()


def _forecast_row(number: int = 0) -> Events:
    yield event("item.defined", number, BEGIN, base_unit="each")
    yield event("stock.counted", number, BEGIN, qty=5_000)
    yield event("policy.set", number, BEGIN, policy={"kind": "forecast"}, lead_time_days=9)
    weeks = [{"start": f"2026-03-{2 + 7 * week:02}", "days": 7, "qty": 70} for week in range(4)]
    yield event("forecast.revised", number, BEGIN, version="v1", mode="replace", buckets=weeks)


def balance_before_its_movements(n: int) -> Events:
    """A correct balance comes before the movements that it already holds."""
    yield event("stock.counted", 0, BEGIN, qty=10 * n)
    yield event("balance.reported", 0, BEGIN + 3 * HOUR, on_hand=9 * n)
    for i in range(n):
        yield event("stock.issued", i, BEGIN + HOUR + i * 7919 % (HOUR // SECOND) * SECOND, qty=1)


def changing_drift(n: int) -> Events:
    """Reports every few minutes, between movements, each with another difference."""
    for i in range(n // 2):
        at = BEGIN + i * MINUTE
        yield event("stock.adjusted", i, at, qty=1 + i % 7, reason="found")
        yield event("balance.reported", i, at + 30 * SECOND, on_hand=i * 3 % 1_000)


def late_counts(n: int) -> Events:
    """Movements, and counts that come late, in the middle of them."""
    for i in range(n // 2):
        yield event("stock.adjusted", i, BEGIN + i * SECOND, qty=2, reason="found")
    for i in range(n // 2):
        yield event("stock.counted", i, BEGIN + i * SECOND, qty=i)


def signals_on_a_full_row(n: int) -> Events:
    """A signal opens and is withdrawn again and again at a row with many kept movements."""
    yield event("policy.set", 0, BEGIN, policy={"kind": "min_max", "min": 10, "max": 40}, lead_time_days=2)
    yield event("stock.counted", 0, BEGIN, qty=11)
    for i in range(n):
        yield event("stock.adjusted", i, BEGIN + (i + 1) * SECOND, qty=-2 if i % 2 == 0 else 2, reason="x")


def carts_that_expire(n: int) -> Events:
    """Open reservations of one row that all expire together; one event later lets the clock pass."""
    yield event("stock.counted", 0, BEGIN, qty=10 * n)
    for i in range(n):
        yield event("stock.reserved", i, BEGIN + i, reservation=f"cart-{i}", qty=1, expires=iso(BEGIN + HOUR))
    for i in range(20):
        yield event("stock.adjusted", i, BEGIN + 2 * HOUR + i * MINUTE, qty=1, reason="x")


def rows_due_at_once(n: int) -> Events:
    """Many rows wait for the same moment."""
    for i in range(n):
        yield event("stock.reserved", i, BEGIN, sku=f"S-{i}", reservation="r", qty=1, expires=iso(BEGIN + HOUR))
    yield event("stock.adjusted", 0, BEGIN + 2 * HOUR, qty=1, reason="x")


def open_orders(n: int) -> Events:
    """Many open orders at a row with a forecast, so that each event looks at the projection."""
    yield from _forecast_row()
    for i in range(n):
        due = f"2026-{3 + i % 3:02}-{1 + i % 28:02}"
        yield event("order.placed", i, BEGIN + i * SECOND, order=f"P-{i}", line=1, supplier="A", qty=3, due=due)


def lines_of_one_order(n: int) -> Events:
    """One order with many lines at one row, and receipts that name only the order."""
    yield from _forecast_row()
    for i in range(n // 2):
        yield event("order.placed", i, BEGIN + i * SECOND, order="P", line=i, supplier="A", qty=3, due="2026-03-20")
    for i in range(n // 2):
        yield event("goods.received", i, BEGIN + HOUR + i * SECOND, receipt=f"R{i}", order="P", qty=2)


def shipments_of_one_line(n: int) -> Events:
    """One order line with many shipments, and receipts that name the line but no shipment."""
    yield from _forecast_row()
    yield event("order.placed", 0, BEGIN, order="P", line=1, supplier="A", qty=10 * n, due="2026-03-20")
    for i in range(n // 2):
        yield event("shipment.notified", i, BEGIN + i * SECOND, order="P", line=1, shipment=f"H{i}", qty=4,
                    eta=f"2026-03-{4 + i % 20:02}")  # fmt: skip
    for i in range(n // 2):
        yield event("goods.received", i, BEGIN + HOUR + i * SECOND, receipt=f"R{i}", order="P", line=1, qty=3)


def shipments_that_change(n: int) -> Events:
    """One order line with many shipments that the supplier states anew, and cancels."""
    yield event("order.placed", 0, BEGIN, order="P", line=1, supplier="A", qty=10 * n, due="2026-03-20")
    for i in range(n // 2):
        yield event("shipment.notified", i, BEGIN + i * SECOND, order="P", line=1, shipment=f"H{i}", qty=4,
                    eta=f"2026-03-{4 + i % 20:02}")  # fmt: skip
    for i in range(n // 2):
        kind = "shipment.cancelled" if i % 3 == 0 else "shipment.changed"
        yield event(kind, i, BEGIN + HOUR + i * SECOND, order="P", line=1, shipment=f"H{i}", qty=3, revision=1)


def receipts_taken_back(n: int) -> Events:
    """One order line with many receipts, each of them taken back after all have come, half of the reversals first."""
    yield event("order.placed", 0, BEGIN, order="P", line=1, supplier="A", qty=10 * n, due="2026-03-20")
    for i in range(0, n // 2, 2):
        yield event("receipt.reversed", i, BEGIN + HOUR + i * SECOND, receipt=f"R{i}")
    for i in range(n // 2):
        yield event("goods.received", i, BEGIN + i * SECOND, receipt=f"R{i}", order="P", line=1, qty=3)
    for i in range(1, n // 2, 2):
        yield event("receipt.reversed", i, BEGIN + HOUR + i * SECOND, receipt=f"R{i}", qty=2)


def lines_that_nobody_answers(n: int) -> Events:
    """Many open lines, and a policy that gives other days to acknowledge them, again and again."""
    for i in range(n // 2):
        yield event("order.placed", i, BEGIN + i, order=f"P-{i}", line=1, supplier="A", qty=3, due="2026-03-20")
    for i in range(n // 2):
        at = BEGIN + HOUR + i * SECOND
        yield event("policy.set", i, at, policy={"kind": "none"}, ack_days=2 + i % 2, asn_days=3)


def orders_that_come_in(n: int) -> Events:
    """Many open orders of a row, each announced by a shipment; then receipts that name only the shipments."""
    yield from _forecast_row()
    for i in range(n // 3):
        at, line = BEGIN + i * SECOND, {"order": f"P-{i:06}", "line": 1}
        yield event("order.placed", i, at, **line, supplier="A", qty=3, due=f"2026-03-{10 + i % 20:02}")
        yield event("shipment.notified", i, at, **line, shipment=f"H{i}", qty=3, eta=f"2026-03-{4 + i % 20:02}")
    for i in range(n // 3):
        yield event("goods.received", i, BEGIN + HOUR + i * SECOND, receipt=f"R{i}", shipment=f"H{i}", qty=3)


def receipts_before_their_notice(n: int) -> Events:
    """Receipts that name a shipment of which nothing is known."""
    for i in range(n):
        yield event("goods.received", i, BEGIN + i * SECOND, receipt=f"R{i}", shipment="H", qty=1)


def deltas_without_a_base(n: int) -> Events:
    """Forecast deltas whose base version never came."""
    yield from _forecast_row()
    weeks = [{"start": "2026-03-09", "days": 7, "qty": 1}]
    for i in range(n):
        yield event("forecast.revised", i + 1, BEGIN + i * SECOND, version=f"d{i}", mode="delta",
                    base_version=f"lost-{i}", buckets=weeks)  # fmt: skip


def a_chain_of_deltas(n: int) -> Events:
    """Forecast deltas, each on the one before."""
    yield from _forecast_row()
    weeks = [{"start": "2026-03-09", "days": 7, "qty": 1}]
    for i in range(n):
        yield event("forecast.revised", i + 1, BEGIN + (i + 1) * SECOND, version=f"d{i}", mode="delta",
                    base_version=f"d{i - 1}" if i else "v1", buckets=weeks)  # fmt: skip


def facts(n: int) -> Events:
    """Receipts with damage, each of which opens an alert that resolves by age."""
    for i in range(n):
        yield event("goods.received", i, BEGIN + i * SECOND, receipt=f"R{i}", qty=1, damaged=1)


def long_names(n: int) -> Events:
    """Receipts of orders with names as long as they may be."""
    for i in range(n):
        yield event("goods.received", i, BEGIN + i * SECOND, receipt=f"{i:0128}", order=f"{i:0128}", qty=1,
                    shipment=f"{i:0128}")  # fmt: skip


def a_day_of_movements_leaves_the_window(n: int) -> Events:
    """Movements that all leave the window with the next event."""
    for i in range(n):
        yield event("stock.adjusted", i, BEGIN + i * 1_000, qty=1, reason="x")
    for i in range(10):
        yield event("stock.adjusted", n + i, BEGIN + 9 * DAY + i, qty=1, reason="x")


PATTERNS: dict[str, Pattern] = {
    "balance before its movements": Pattern(balance_before_its_movements, 2_000),
    "reports with a changing drift": Pattern(changing_drift, 1_000),
    "late counts among movements": Pattern(late_counts, 2_000),
    "signals at a row with many movements": Pattern(signals_on_a_full_row, 2_000),
    "carts that expire together": Pattern(carts_that_expire, 2_000),
    "rows due at once": Pattern(rows_due_at_once, 10_000),
    "open orders at a forecast row": Pattern(open_orders, 1_500),
    "lines of one order": Pattern(lines_of_one_order, 1_500),
    "shipments of one line": Pattern(shipments_of_one_line, 1_500),
    "shipments that change": Pattern(shipments_that_change, 1_500),
    "receipts that are taken back": Pattern(receipts_taken_back, 1_500),
    "lines that nobody answers": Pattern(lines_that_nobody_answers, 1_500),
    "orders that come in": Pattern(orders_that_come_in, 1_500),
    "receipts before their notice": Pattern(receipts_before_their_notice, 2_000),
    "deltas without a base": Pattern(deltas_without_a_base, 1_000),
    "a chain of deltas": Pattern(a_chain_of_deltas, 1_000),
    "facts": Pattern(facts, 2_000),
    "long names": Pattern(long_names, 2_000),
    "a day leaves the window": Pattern(a_day_of_movements_leaves_the_window, 2_000),
}
