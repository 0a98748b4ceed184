"""A seeded world of events in the mix of the demo: what the retail replay sends, in its shares."""

import json
import random
from collections.abc import Iterator
from typing import Any

from engine.core.values import DAY, HOUR, MINUTE, SECOND, iso

START = 1_767_225_600 * SECOND
"""2026-01-01T00:00:00Z."""

SHARES = {
    "stock.issued": 914,
    "balance.reported": 718,
    "order.placed": 151,
    "goods.received": 151,
    "order.acknowledged": 150,
    "shipment.notified": 126,
    "policy.set": 113,
    "stock.counted": 71,
    "forecast.revised": 46,
    "stock.returned": 16,
    "stock.reserved": 8,
    "stock.adjusted": 8,
}
"""Events of each type per 2,472 of the demo's three months; answers to signals need an engine and are left out."""


class Mix:
    """Events about `rows` rows. The same seed gives the same bytes."""

    def __init__(self, rows: int, seed: int = 7) -> None:
        self.rows = rows
        self._random = random.Random(seed)
        self._n = 0
        self._orders: dict[int, int] = {}
        self._on_hand: dict[int, int] = {}

    def setup(self) -> Iterator[bytes]:
        """Item, opening count and policy of every row: stock before policy, so that nothing is ordered yet."""
        for row in range(self.rows):
            yield self._event("item.defined", START, sku=_sku(row), base_unit="each", units={"case": 12})
            yield self._event("stock.counted", START, sku=_sku(row), location="LDS", qty=600)
            yield self.event("policy.set", START, row)

    def stream(self, count: int, apart: int = SECOND // 200) -> Iterator[bytes]:
        """`count` events of all types in the demo's shares, `apart` microseconds of event time from each other."""
        kinds = self._random.choices(list(SHARES), list(SHARES.values()), k=count)
        for n, kind in enumerate(kinds):
            yield self.event(kind, START + DAY // 2 + n * apart, self._random.randrange(self.rows))

    def by_type(self, count: int) -> Iterator[tuple[str, list[bytes]]]:
        """`count` events of each type by itself, in the order of their time, each about a row far from the last one."""
        for n, kind in enumerate(SHARES):
            start = START + DAY // 2 + HOUR + n * MINUTE
            yield kind, [self.event(kind, start + k * 1000, k * 7919 % self.rows) for k in range(count)]

    def event(self, kind: str, at: int, row: int) -> bytes:
        """One event of a type about a row."""
        data = _DATA[kind](self._random, self._n, self._order(kind, row))
        self._keep(kind, row, data)
        return self._event(kind, at, sku=_sku(row), location="LDS", **data)

    def _keep(self, kind: str, row: int, data: dict[str, Any]) -> None:
        """Follow the balance of a row, so that most reports are right: one in a hundred is off by a case."""
        kept = self._on_hand.get(row, 600)
        if kind == "balance.reported":
            data["on_hand"] = kept + 12 * (self._random.random() < 0.01)
        elif kind == "stock.counted":
            self._on_hand[row] = data["qty"]
        elif kind in _SIGN:
            self._on_hand[row] = kept + _SIGN[kind] * data["qty"]

    def _order(self, kind: str, row: int) -> dict[str, Any]:
        """The line that a document of purchasing names: the last order of the row, or a new one."""
        number = self._orders.get(row, 0) + (kind == "order.placed")
        self._orders[row] = number
        return {"order": f"PO-{row}-{number}", "line": 1}

    def _event(self, kind: str, at: int, **data: Any) -> bytes:
        self._n += 1
        event = {"specversion": "1.0", "id": f"{kind}-{self._n}", "source": "wms/leeds", "type": kind, "time": iso(at)}
        return json.dumps({**event, "data": data}, separators=(",", ":")).encode()


def _sku(row: int) -> str:
    return f"SKU{row:07d}"


_DATA: dict[str, Any] = {
    "stock.issued": lambda r, _n, _line: {"qty": r.randint(1, 12)},
    "balance.reported": lambda _r, _n, _line: {},
    "order.placed": lambda r, _n, line: {**line, "supplier": "ACME", "qty": r.randint(50, 400), "due": "2026-01-20"},
    "goods.received": lambda r, n, line: {**line, "receipt": f"GRN-{n}", "qty": r.randint(20, 200)},
    "order.acknowledged": lambda r, _n, line: {
        **line,
        "schedule": [{"status": "accepted", "qty": r.randint(50, 400), "due": "2026-01-21"}],
    },
    "shipment.notified": lambda r, n, line: {
        **line, "shipment": f"ASN-{n}", "qty": r.randint(20, 200), "eta": "2026-01-19",
    },
    "policy.set": lambda _r, _n, _line: {
        "policy": {"kind": "min_max", "min": 100, "max": 700}, "multiple": 12, "supplier": "ACME",
        "lead_time_days": 9, "auto": {"max_qty": 5000},
    },
    "stock.counted": lambda r, _n, _line: {"qty": r.randint(0, 600)},
    "forecast.revised": lambda r, n, _line: {
        "version": f"v{n}",
        "mode": "replace",
        "buckets": [{"start": f"2026-01-{day:02}", "days": 7, "qty": r.randint(20, 90)} for day in (1, 8, 15, 22)],
    },
    "stock.returned": lambda r, _n, _line: {"qty": r.randint(1, 6), "disposition": "available"},
    "stock.reserved": lambda r, n, _line: {"reservation": f"RES-{n}", "qty": r.randint(1, 9)},
    "stock.adjusted": lambda r, _n, _line: {"qty": r.choice([-3, -2, -1, 1, 2]), "reason": "shelf check"},
}  # fmt: skip

_SIGN = {"stock.issued": -1, "goods.received": 1, "stock.returned": 1, "stock.adjusted": 1}
"""How on hand follows the quantity of an event."""
