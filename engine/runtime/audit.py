"""Fold the log again and compare: the tables must be a function of the log, byte for byte."""

from collections.abc import Callable, Iterator
from itertools import zip_longest

from msgspec import Struct

from engine.bus.base import Audited, Bus, Topic
from engine.runtime.engine import replay
from engine.runtime.marker import rules_of_log
from tables import keys

MAX_DIFFERENCES = 100

TABLES = {
    "stock": keys.STOCK,
    "orders": keys.ORDER,
    "order lines": keys.LINE,
    "shipments of lines": keys.PIECE,
    "shipments": keys.SHIPMENT,
    "places of lines and shipments": keys.SLOT,
    "lead times": keys.LEAD_TIME,
    "supply by day": keys.SUPPLY,
    "supply of the past": keys.PAST_SUPPLY,
    "in transit": keys.TRANSIT,
    "transfers": keys.TRANSFER,
    "reservations": keys.RESERVATION,
    "due": keys.DUE,
    "open": keys.OPEN,
    "floors": keys.FLOOR,
    "alert names": keys.ALERT_NAME,
    "plans": keys.PLAN,
    "forecast deltas": keys.DELTA,
    "forecast order": keys.DELTA_ORDER,
    "forecast gaps": keys.GAP,
    "forecast versions": keys.VERSION,
    "forecast buckets": keys.BUCKET,
    "issues": keys.ISSUED,
    "items": keys.ITEM,
    "item definitions": keys.DEFINITION,
    "signals": keys.SIGNAL,
    "alerts": keys.ALERT,
    "reports": keys.REPORTED,
    "movements": keys.LEDGER,
    "directory": keys.DIRECTORY,
    "alarms": keys.TIMER,
}


class AuditReport(Struct):
    """What an audit has compared, and where the two differ (at most 100 places)."""

    records: int
    rows: int
    positions: int
    signals: int
    alerts: int
    dead_letters: int
    differences: list[str]


class _Comparison:
    def __init__(self) -> None:
        self.differences: list[str] = []

    def count(self, what: str, kept: Iterator[object], folded: Iterator[object]) -> int:
        """Compare two sequences; answer how many were kept."""
        n = 0
        for n, (one, other) in enumerate(zip_longest(kept, folded), 1):
            if one != other and len(self.differences) < MAX_DIFFERENCES:
                self.differences.append(f"{what} {n}: kept {_short(one)}, folded again {_short(other)}")
        return n


def audit(bus: Audited, scratch: Bus, progress: Callable[[int, int], None]) -> AuditReport:
    """Fold the log of `bus` into `scratch` and compare rows, positions, signals, alerts and dead letters.

    Args:
        bus: what is to be checked; it must not change meanwhile.
        scratch: an empty bus of as many partitions.
        progress: told (records folded, records in all).
    """
    total = sum(bus.end_offset(partition) for partition in range(bus.partitions))
    done = 0

    def advance(records: int) -> None:
        nonlocal done
        done += records
        progress(done, total)

    replay(bus, scratch, rules_of_log(bus), advance)
    comparison = _Comparison()
    rows = sum(
        comparison.count(name, bus.state.scan(tag, _next(tag)), scratch.state.scan(tag, _next(tag)))
        for name, tag in TABLES.items()
    )
    positions = comparison.count("position", bus.published.things("positions"), scratch.published.things("positions"))
    return AuditReport(
        total,
        rows,
        positions,
        _history(comparison, bus, scratch, "signals"),
        _history(comparison, bus, scratch, "alerts"),
        _history(comparison, bus, scratch, "dead-letters"),
        comparison.differences,
    )


def _history(comparison: _Comparison, bus: Audited, scratch: Bus, topic: Topic) -> int:
    return sum(
        comparison.count(topic, bus.published.history(topic, p), scratch.published.history(topic, p))
        for p in range(bus.partitions)
    )


def _next(tag: bytes) -> bytes:
    return bytes([tag[0] + 1])


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 300 else text[:300] + "..."
