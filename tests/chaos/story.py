"""What the load says: a seeded story of a small warehouse, with poison and bursts in between. No engine code."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from tests.chaos import patterns

ROWS = 60
BIG = 1_500_000
FULL = 400
"""Above this much is issued at once, so that positions keep crossing the trigger."""


class Message(NamedTuple):
    """A record to send. Without a partition the client's own default for the key decides."""

    key: bytes | None
    value: bytes | None
    partition: int | None = None
    everywhere: bool = False


class Story:
    """Events of `ROWS` rows. Stock stays above zero, so that signals depend on positions only."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._n = 0
        self._stock = [500] * ROWS
        self._orders: list[tuple[int, str, int]] = []
        self._told: list[Message] = []
        self._patterns = patterns.Patterns(self._random, self._say)
        self._burst: list[Message] = []

    def setup(self) -> Iterator[Message]:
        """Items, opening counts, policies, and a location that is sent to one partition only."""
        yield self._event("location.defined", "LDS", location="LDS", time_zone="Europe/London")
        for row in range(ROWS):
            yield self._event("item.defined", sku(row), sku=sku(row), base_unit="each")
            yield self._event("stock.counted", sku(row), None, **place(row), qty=500)
            policy = {"kind": "min_max", "min": 300, "max": 600 + row}
            yield self._event("policy.set", sku(row), None, **place(row), policy=policy, multiple=6, lead_time_days=5)
        for row in range(patterns.ROWS):
            yield self._event("item.defined", patterns.long_sku(row), sku=patterns.long_sku(row), base_unit="each")

    def next(self) -> Message:
        """What happens next: mostly business, sometimes a repeat, sometimes poison."""
        chance = self._random.random()
        if chance < 0.03 and self._told:
            return self._random.choice(self._told)
        if chance < 0.05:
            return self._poison()
        if chance < 0.06 and not self._burst:
            self._burst = self._patterns.burst()
        message = self._burst.pop(0) if self._burst and chance < 0.5 else self._business()
        self._told.append(message)
        del self._told[:-200]
        return message

    def _business(self) -> Message:
        row = self._random.randrange(ROWS)
        kind = self._random.choices(("issue", "receive", "order", "return", "adjust", "fulfil"), (55, 8, 10, 4, 6, 17))[
            0
        ]
        qty = self._random.randint(1, 25)
        if kind == "issue" and self._stock[row] > FULL:
            qty = self._random.randint(100, 250)
        if kind == "issue" and self._stock[row] - qty > 20:
            self._stock[row] -= qty
            return self._event("stock.issued", sku(row), None, **place(row), qty=qty)
        if kind == "order":
            name = f"PO-{self._n}"
            self._orders.append((row, name, 6 * qty))
            more: dict[str, Any] = {"order": name, "line": 1, "supplier": "ACME", "qty": 6 * qty, "due": "2031-01-31"}
            return self._event("order.placed", sku(row), None, **place(row), **more)
        if kind == "fulfil" and self._orders:
            row, name, ordered = self._orders.pop(self._random.randrange(len(self._orders)))
            self._stock[row] += ordered
            more = {"receipt": f"GR-{self._n}", "order": name, "line": 1, "qty": ordered}
            return self._event("goods.received", sku(row), None, **place(row), **more)
        self._stock[row] += qty
        if kind == "adjust":
            return self._event("stock.adjusted", sku(row), None, **place(row), qty=qty, reason="found")
        if kind == "return":
            return self._event("stock.returned", sku(row), None, **place(row), qty=qty, disposition="available")
        return self._event("goods.received", sku(row), None, **place(row), receipt=f"GR-{self._n}", qty=qty)

    def _poison(self) -> Message:
        good = self._event("stock.issued", "X", sku="POISON", location="LDS", qty=1).value or b""
        self._n += 1
        return self._random.choice(
            [
                Message(b"POISON", b"not json %d" % self._n),
                Message(b"POISON", b"\xff\xfe%d" % self._n),
                Message(b"POISON", None),
                Message(None, good, self._random.randrange(8)),
                Message(b"WRONG", good),
                Message(b"POISON", good, 7),
                Message(b"POISON", good, 0),
                Message(b"POISON", b"{" * 3_000),
                Message(b"POISON", b"z" * BIG),
                Message(b"POISON", good.replace(b'"qty":1', b'"qty":0')),
                Message(b"POISON", good.replace(b"stock.issued", b"stock.stolen")),
            ]
        )

    def _say(self, kind: str, sku: str, location: str, at: datetime | None = None, **data: Any) -> Message:
        return self._event(kind, sku, at, sku=sku, location=location, **data)

    def _event(self, kind: str, key: str, at: datetime | None = None, **data: Any) -> Message:
        self._n += 1
        event = {
            "specversion": "1.0",
            "id": f"{kind}-{self._n}",
            "source": "chaos",
            "type": kind,
            "time": (at or datetime.now(UTC)).isoformat(timespec="microseconds"),
            "data": data,
        }
        return Message(key.encode(), json.dumps(event, separators=(",", ":")).encode())


def sku(row: int) -> str:
    """The sku of a row."""
    return f"CHAOS-{row:03}"


def place(row: int) -> dict[str, str]:
    """The row's names."""
    return {"sku": sku(row), "location": "LDS"}
