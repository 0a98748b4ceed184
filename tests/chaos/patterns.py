"""What is hard on an engine: bursts of events about rows with long names. No engine code.

- a correct balance that arrives before the movements which it already holds
- reservations that expire together, some given back before they are made
- an order with many lines and shipments, out of order
- forecast deltas, of which the first comes last
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

ROWS = 6
LONG_NAME = 64
LONG_REFERENCE = 120
PART = 30
"""About how many events a burst has."""
EXPIRE_SECONDS = 3
AGES_SECONDS = 20

Say = Callable[..., Any]
"""Makes a message of a kind, a sku and its data, with `at` as its time."""


class Patterns:
    """Bursts of messages, each about one row."""

    def __init__(self, random: Random, say: Say) -> None:
        self._random = random
        self._say = say
        self._n = 0
        self._on_hand = [0] * ROWS

    def burst(self) -> list[Any]:
        """Some messages that belong together, in their order."""
        self._n += 1
        make = self._random.choice((self._balance_first, self._carts, self._large_order, self._deltas))
        return make(self._random.randrange(ROWS))

    def _balance_first(self, row: int) -> list[Any]:
        now = datetime.now(UTC)
        moves = [self._random.randint(1, 9) * self._random.choice((-1, 1)) for _ in range(PART)]
        self._on_hand[row] += sum(moves)
        reported = self._say("balance.reported", *_place(row), at=now, on_hand=self._on_hand[row], held=0)
        late = [
            self._say(
                "stock.adjusted", *_place(row), qty=qty, reason="late",
                at=now - timedelta(seconds=self._random.uniform(0.1, AGES_SECONDS)),
            )
            for qty in moves
        ]  # fmt: skip
        return [reported, *late]

    def _carts(self, row: int) -> list[Any]:
        expires = (datetime.now(UTC) + timedelta(seconds=EXPIRE_SECONDS)).isoformat()
        names = [self._name("cart", number) for number in range(PART)]
        made = [
            self._say("stock.reserved", *_place(row), reservation=name, qty=self._random.randint(1, 5), expires=expires)
            for name in names
        ]
        given_back = [
            self._say("reservation.released", *_place(row), reservation=name)
            for name in self._random.sample(names, PART // 3)
        ]
        messages = [*made, *given_back]
        self._random.shuffle(messages)
        return messages

    def _large_order(self, row: int) -> list[Any]:
        order = self._name("order", 0)
        messages: list[Any] = []
        for line in range(1, PART // 3 + 1):
            about = {"order": order, "line": line}
            qty = 4 * self._random.randint(1, 9)
            placed = self._say("order.placed", *_place(row), **about, supplier="ACME", qty=qty, due="2031-01-31")
            shipment = self._name("shipment", line)
            about["shipment"] = shipment
            shipped = self._say("shipment.notified", *_place(row), **about, qty=qty // 2, eta="2031-01-30")
            came = self._random.choice((qty // 4, qty // 2))
            self._on_hand[row] += came
            received = self._say("goods.received", *_place(row), **about, receipt=f"GR-{shipment}"[:64], qty=came)
            messages += [placed, shipped, received]
        self._random.shuffle(messages)
        return messages

    def _deltas(self, row: int) -> list[Any]:
        names = [self._name("version", number) for number in range(PART)]
        bucket = {"start": "2031-01-01", "days": 7, "qty": 7}
        first = self._say("forecast.revised", *_place(row), version=names[0], mode="replace", buckets=[bucket])
        rest = [
            self._say("forecast.revised", *_place(row), version=name, mode="delta", base_version=base, buckets=[bucket])
            for base, name in pairwise(names)
        ]
        self._random.shuffle(rest)
        return [*rest, first]

    def _name(self, what: str, number: int) -> str:
        return f"{what}-{self._n}-{number}-".ljust(LONG_REFERENCE, "x")


def long_sku(row: int) -> str:
    """The sku of a row."""
    return f"CHAOS-{row}-".ljust(LONG_NAME, "x")


def _place(row: int) -> tuple[str, str]:
    return long_sku(row), "LDS"
