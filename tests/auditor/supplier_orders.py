"""What the contract says of a supplier's minimum and truck, read from the events once more."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from tests.auditor.order_lines import Fact, last


class Proposed(NamedTuple):
    """A proposal of an order: its quantity in base units, with what item and policy of its row say."""

    qty: int
    item: Fact | None
    policy: Fact | None

    @property
    def cost(self) -> Fraction | None:
        """What a unit costs; None where the policy does not say."""
        stated = (self.policy or {}).get("unit_cost")
        return None if stated is None else Fraction(stated)

    def in_units(self, name: str) -> Fraction | None:
        """The quantity in another unit of the item; None where the item does not declare it."""
        if self.item is None:
            return None
        sizes = {**self.item.get("units", {}), self.item["base_unit"]: 1}
        return Fraction(self.qty, sizes[name]) if name in sizes else None


def supplier_of(facts: Sequence[Fact], name: str) -> Fact | None:
    """What is known of a supplier: the definition of the latest time, and nothing of any other."""
    return last(fact for fact in facts if fact["type"] == "supplier.defined" and fact["supplier"] == name)


def minimum(stated: Fact | None, currency: str | None, order: Sequence[Proposed]) -> dict[str, Any] | None:
    """What an order in a currency lacks of the minimum; `missing` is None where the two cannot be compared."""
    if stated is None or stated.get("minimum_value") is None:
        return None
    least, wanted = Fraction(stated["minimum_value"]), stated.get("currency")
    costed = [each.cost * each.qty for each in order if each.cost is not None]
    compared = not costed or wanted == currency
    return {
        "value": least,
        "currency": wanted,
        "missing": max(Fraction(), least - sum(costed)) if compared else None,
    }


def truck(stated: Fact | None, order: Sequence[Proposed]) -> dict[str, Any] | None:
    """How full the trucks of an order are, in the unit of the supplier's truck."""
    if stated is None or stated.get("truck_units") is None:
        return None
    units, uom = stated["truck_units"], stated["truck_uom"]
    parts = [each.in_units(uom) for each in order]
    load = sum((part for part in parts if part is not None), Fraction())
    trucks = 1
    while trucks * units < load:
        trucks += 1
    return {
        "units": units,
        "uom": uom,
        "load": load,
        "trucks": trucks,
        "free": trucks * units - load,
        "unmeasured": parts.count(None),
    }


def close(shown: str, exact: Fraction) -> bool:
    """Whether a number that is shown to the hundredth is the exact one, but for the rounding."""
    return abs(Fraction(Decimal(shown)) - exact) <= Fraction(51, 10_000)
