"""What must come out, folded from the log by a plain program that shares nothing with the engine.

It knows just enough of the contract for the story: balances, order lines, shipments, reservations, min-max signals with
their dead band. Reservations that expire at all have expired when a run is judged.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka.partitioner import DefaultPartitioner

partitioner = DefaultPartitioner()
MAX_EVENT_BYTES = 262_144
DEAD_BAND = 10


class LogRecord(NamedTuple):
    """A record of `stockline.events`."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None


@dataclass
class Line:
    """An order line."""

    ordered: int = 0
    shipped: int = 0
    received: int = 0

    @property
    def in_transit(self) -> int:
        """Shipped and not here."""
        return max(0, self.shipped - self.received)

    @property
    def on_order(self) -> int:
        """Owed and not shipped."""
        return max(0, max(0, self.ordered - self.received) - self.in_transit)


@dataclass
class Row:
    """One row as the story moves it."""

    available: int = 0
    version: int = 0
    lines: dict[tuple[str, int], Line] = field(default_factory=lambda: defaultdict(Line))
    reservations: dict[str, int] = field(default_factory=dict)
    released: set[str] = field(default_factory=set)
    policy: dict[str, Any] | None = None
    multiple: int = 1
    signal: tuple[int, int] | None = None  # the open signal: [revision, quantity]
    told: list[tuple[str, int, int]] = field(default_factory=list)  # (what, revision, quantity)

    @property
    def balances(self) -> dict[str, int]:
        """What the row's position says."""
        return {
            "available": self.available,
            "reserved": sum(qty for name, qty in self.reservations.items() if name not in self.released),
            "on_order": sum(line.on_order for line in self.lines.values()),
            "in_transit": sum(line.in_transit for line in self.lines.values()),
        }

    def decide(self) -> None:
        """Open, amend or withdraw the row's signal."""
        if self.policy is None:
            return
        says = self.balances
        position = says["available"] - says["reserved"] + says["on_order"] + says["in_transit"]
        low, high = self.policy["min"], self.policy["max"]
        qty = (high - position) // self.multiple * self.multiple
        qty += self.multiple if qty < high - position else 0
        if position > low:
            if self.signal:
                self.told.append(("signal.withdrawn", self.signal[0] + 1, self.signal[1]))
                self.signal = None
        elif self.signal is None:
            self.signal = (1, qty)
            self.told.append(("signal.opened", 1, qty))
        elif abs(qty - self.signal[1]) * 100 > DEAD_BAND * self.signal[1]:
            self.signal = (self.signal[0] + 1, qty)
            self.told.append(("signal.amended", *self.signal))


class Oracle:
    """The rows, signals and refusals that follow from a log."""

    def __init__(self, log: Iterable[LogRecord], partitions: int) -> None:
        self.rows: dict[str, Row] = defaultdict(Row)
        self.refused: set[str] = set()
        self.applied = 0
        seen: set[str] = set()
        for record in sorted(log):
            event = self._readable(record, partitions)
            if event is None:
                self.refused.add(f"{record.partition}-{record.offset}")
            elif "sku" in event["data"] and event["id"] not in seen:
                seen.add(event["id"])
                self.applied += 1
                self._apply(event["type"], event["data"])

    def _readable(self, record: LogRecord, partitions: int) -> dict[str, Any] | None:
        try:
            event: dict[str, Any] = json.loads((record.value or b"").decode())
        except (ValueError, RecursionError):
            return None
        if event["type"] not in ("clock.ticked", "location.defined"):
            key = event["data"]["sku"].encode()
            if record.key != key or partitioner(key, list(range(partitions)), []) != record.partition:
                return None
        known = event["type"] in HANDLED
        return (
            event if known and event["data"].get("qty") != 0 and len(record.value or b"") <= MAX_EVENT_BYTES else None
        )

    def _apply(self, kind: str, data: dict[str, Any]) -> None:
        if kind == "item.defined":
            return
        row = self.rows[data["sku"]]
        row.version += 1
        if kind == "policy.set":
            row.policy, row.multiple = data["policy"], data["multiple"]
        elif kind == "stock.counted":
            row.available = data["qty"]
        elif kind == "stock.reserved":
            row.reservations[data["reservation"]] = 0 if "expires" in data else data["qty"]
        elif kind == "reservation.released":
            row.released.add(data["reservation"])
        elif kind not in SILENT:
            row.available += SIGN.get(kind, 0) * data["qty"]
            if "order" in data:
                self._move(row.lines[data["order"], data["line"]], kind, data["qty"])
        row.decide()

    @staticmethod
    def _move(line: Line, kind: str, qty: int) -> None:
        line.ordered += qty if kind == "order.placed" else 0
        line.shipped += qty if kind == "shipment.notified" else 0
        line.received += qty if kind == "goods.received" else 0


SIGN = {"stock.issued": -1, "goods.received": 1, "stock.returned": 1, "stock.adjusted": 1}
SILENT = {"balance.reported", "forecast.revised"}
HANDLED = {*SIGN, *SILENT, "item.defined", "policy.set", "stock.counted", "order.placed", "shipment.notified",
           "stock.reserved", "reservation.released", "clock.ticked", "location.defined"}  # fmt: skip
