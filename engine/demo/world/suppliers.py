"""The invented suppliers, and what becomes of an order.

The fate of the n-th order of a row is a function of seed, row and n alone, so that two ways of buying meet the same
suppliers.
"""

from dataclasses import dataclass
from random import Random
from typing import Literal

from engine.demo.world.calendar import DAY, HOUR

Status = Literal["accepted", "changed", "backordered", "rejected"]


@dataclass(frozen=True)
class Supplier:
    """A supplier with the lead time that its customers plan with; `slower_by` days are added from day `slower_from`."""

    name: str
    lead_days: int
    lead_std_days: float
    slower_by: int = 0
    slower_from: int = 0


@dataclass(frozen=True)
class Promise:
    """A part of an order as acknowledged: its share, and by how many days it moves from the date wanted."""

    status: Status
    share: float
    later_days: int = 0


@dataclass(frozen=True)
class Delivery:
    """A part of what was promised: its share, when after the first (days), and the shares of it held and damaged."""

    share: float
    after_days: int = 0
    held: float = 0.0
    damaged: float = 0.0


@dataclass(frozen=True)
class Fate:
    """What becomes of an order; all durations are microseconds after it was placed.

    `ships_after` is None without a notice of shipment; `surplus` is the share that is delivered beyond the order.
    """

    acknowledged_after: int
    promises: tuple[Promise, ...]
    arrives_after: int
    ships_after: int | None
    deliveries: tuple[Delivery, ...]
    closes_short: bool
    surplus: float

    @property
    def promised_share(self) -> float:
        """The share of the order that the supplier does not reject."""
        return sum(promise.share for promise in self.promises if promise.status != "rejected")


@dataclass(frozen=True)
class Judgement:
    """The planner's answer to a signal for review: after how many microseconds, and whether it is a rejection."""

    after: int
    rejects: bool


SUPPLIERS = (
    Supplier("Aldgate Tin", 3, 0.6),
    Supplier("Brook Textiles", 4, 0.8),
    Supplier("Calder Glass", 5, 1.0),
    Supplier("Dunmore Paper", 6, 1.2),
    Supplier("Eastway Imports", 9, 2.0),
    Supplier("Fenland Wood", 7, 1.4),
    Supplier("Girona Ceramics", 11, 2.4),
    Supplier("Holt & Daughters", 4, 0.7),
)
SLOWS_DOWN = "Brook Textiles"


def fate_of(seed: str, key: str, number: int, supplier: Supplier, day: int) -> Fate:
    """The fate of the `number`-th order of the row `key`, placed on `day`."""
    draw = Random(f"{seed}/{key}/order/{number}")
    acknowledged_after = int(draw.uniform(1, 20) * HOUR)
    promises = _promises(draw)
    # A day less than planned with: goods are only taken in on working days.
    lead = max(0.8, draw.gauss(supplier.lead_days - 1, supplier.lead_std_days))
    lead += supplier.slower_by if supplier.slower_by and day >= supplier.slower_from else 0
    if promises[0].status == "changed":
        lead += promises[0].later_days
    ships = draw.random() < 0.85
    deliveries, closes_short = _deliveries(draw)
    surplus = draw.uniform(0.02, 0.1) if draw.random() < 0.006 else 0.0
    arrives = max(int(lead * DAY), acknowledged_after + 4 * HOUR)
    ships_after = max(int(arrives * 0.55), acknowledged_after + HOUR) if ships else None
    return Fate(acknowledged_after, promises, arrives, ships_after, deliveries, closes_short, surplus)


def judgement_of(seed: str, key: str, number: int) -> Judgement:
    """What the planner does with the `number`-th signal of a row that is put before them."""
    draw = Random(f"{seed}/{key}/review/{number}")
    return Judgement(int(draw.uniform(1, 14) * HOUR), draw.random() < 0.04)


def _promises(draw: Random) -> tuple[Promise, ...]:
    kind, share, days = draw.random(), draw.uniform(0.5, 0.9), draw.randint(2, 6)
    if kind < 0.88:
        return (Promise("accepted", 1.0),)
    if kind < 0.93:
        return (Promise("changed", 1.0, days),)
    if kind < 0.97:
        return Promise("accepted", share), Promise("rejected", 1 - share)
    if kind < 0.99:
        return Promise("accepted", share), Promise("backordered", 1 - share, days + 3)
    return (Promise("rejected", 1.0),)


def _deliveries(draw: Random) -> tuple[tuple[Delivery, ...], bool]:
    kind, share, days = draw.random(), draw.uniform(0.4, 0.8), draw.randint(1, 4)
    flaw = draw.random()
    held = draw.uniform(0.1, 0.4) if flaw < 0.04 else 0.0
    damaged = draw.uniform(0.02, 0.15) if flaw > 0.97 else 0.0
    if kind < 0.92:
        return (Delivery(1.0, 0, held, damaged),), False
    if kind < 0.98:
        return (Delivery(share, 0, held, damaged), Delivery(1 - share, days)), False
    return (Delivery(share, 0, held, damaged),), True
