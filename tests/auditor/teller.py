"""The hand that tells a story: its places, its time line, and how an event of it is made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from tests.auditor.model import HOUR, Event, instant

START = "2026-03-02T06:00:00+00:00"
SPAN = 40 * HOUR
BACKDATED = 5 * HOUR
MINUTE = HOUR // 60
SOURCES = ("wms/leeds", "erp", "supplier/mail", "shop")
OFFSETS = (0, 0, 1, -5, 5.5)


def iso(at: int, offset_hours: float = 0) -> str:
    """An instant in microseconds as ISO 8601 with the given offset from UTC."""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at)
    text = (moment + timedelta(hours=offset_hours)).replace(tzinfo=None).isoformat()
    sign, minutes = ("-" if offset_hours < 0 else "+"), round(abs(offset_hours) * 60)
    return f"{text}{sign}{minutes // 60:02}:{minutes % 60:02}"


class Teller:
    """A world of a few skus and locations, the documents that are open in it, and a moment that moves on."""

    def __init__(self, random: Random, *, skus: int = 2, locations: int = 2, length: int = 50) -> None:
        self.random = random
        self.skus = [f"SKU-{index}" for index in range(skus)]
        self.locations = [f"LOC-{index}" for index in range(locations)]
        self.place = {"sku": self.skus[0], "location": self.locations[0]}
        self.now = instant(START)
        self.gap = max(1, 2 * SPAN // max(1, length))
        self.end = self.now + SPAN
        self.number = 0
        self.lines: list[dict[str, Any]] = []
        self.shipments: list[dict[str, Any]] = []
        self.receipts: list[dict[str, Any]] = []
        self.reservations: list[dict[str, Any]] = []
        self.transfers: list[dict[str, Any]] = []
        self.versions: dict[tuple[str, str], dict[str, Any]] = {}

    def event(self, kind: str, data: dict[str, Any], *, late: bool = True) -> Event:
        self.number += 1
        at = self.now
        if late and self.random.random() < 0.1:
            at -= self.random.randrange(BACKDATED)
        return {
            "specversion": "1.0",
            "id": f"{kind}-{self.number}",
            "source": self.random.choice(SOURCES),
            "type": kind,
            "time": iso(at, self.random.choice(OFFSETS)),
            "data": data,
        }

    def row(self) -> dict[str, Any]:
        """Any row, often the one before: what happens at one moment is most telling in one row."""
        if self.random.random() > 0.35:
            self.place = {"sku": self.random.choice(self.skus), "location": self.random.choice(self.locations)}
        return dict(self.place)

    def day(self, first: int, last: int) -> str:
        days = self.random.randint(first, last)
        return (datetime.fromtimestamp(self.now // 1_000_000, UTC) + timedelta(days=days)).date().isoformat()

    def some(self, rows: list[dict[str, Any]]) -> dict[str, Any] | None:
        return self.random.choice(rows) if rows else None

    def in_unit(self, data: dict[str, Any], qty: int) -> dict[str, Any]:
        """The quantity in base units, or now and then in a larger unit."""
        if self.random.random() < 0.15:
            return {**data, "qty": qty // 12 + 1, "uom": "case"}
        return {**data, "qty": qty}
