"""What must come out, folded from the log by a plain program that shares nothing with the engine.

It knows just enough of the contract for the story: balances, order lines, min-max signals with their dead band.
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
class Row:
    """One row as the story moves it."""

    available: int = 0
    version: int = 0
    lines: dict[str, list[int]] = field(default_factory=dict)  # order -> [ordered, received]
    policy: dict[str, Any] | None = None
    multiple: int = 1
    signal: list[int] | None = None  # the open signal: [revision, quantity]
    told: list[tuple[str, int, int]] = field(default_factory=list)  # (what, revision, quantity)

    @property
    def on_order(self) -> int:
        """What the lines still owe."""
        return sum(max(0, ordered - received) for ordered, received in self.lines.values())

    def decide(self) -> None:
        """Open, amend or withdraw the row's signal."""
        if self.policy is None:
            return
        position = self.available + self.on_order
        low, high = self.policy["min"], self.policy["max"]
        qty = (high - position) // self.multiple * self.multiple
        qty += self.multiple if qty < high - position else 0
        if position > low:
            if self.signal:
                self.told.append(("signal.withdrawn", self.signal[0] + 1, self.signal[1]))
                self.signal = None
        elif self.signal is None:
            self.signal = [1, qty]
            self.told.append(("signal.opened", 1, qty))
        elif abs(qty - self.signal[1]) * 100 > DEAD_BAND * self.signal[1]:
            self.signal = [self.signal[0] + 1, qty]
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
        elif kind == "order.placed":
            row.lines[data["order"]] = [data["qty"], 0]
        else:
            row.available += SIGN[kind] * data["qty"]
            if "order" in data:
                row.lines[data["order"]][1] += data["qty"]
        row.decide()


SIGN = {"stock.issued": -1, "goods.received": 1, "stock.returned": 1, "stock.adjusted": 1}
HANDLED = {*SIGN, "item.defined", "policy.set", "stock.counted", "order.placed", "clock.ticked", "location.defined"}
