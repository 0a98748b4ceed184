"""What an order lacks of the minimum of its supplier and of its items, and how full its truck is.

Proposals are counted in base units of many items, which cannot be added up. So a truck holds units that items declare,
such as pallets, and a proposal fills its quantity divided by how many base units one of them has.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from msgspec import Struct

from engine.core.values import ceil_div
from engine.work.items import OpenThing, money
from tables.directory import Supplier

NOTHING = Decimal()
PARTS = 10**9
"""A load is added up in so many parts of a unit, each proposal rounded down: exact fractions of thousands of items
would have denominators of thousands of digits, and rounding up could ask for a truck that nothing needs."""
HUNDREDTH = PARTS // 100

Suppliers = Callable[[Iterable[str]], Mapping[str, Supplier]]
"""Gives what is known of suppliers, by name; of whom nothing is known is not in it."""


class Minimum(Struct, frozen=True, kw_only=True):
    """What an order to a supplier must come to at least, in `currency`, and how far its proposals are from it.

    `missing` is what they lack, 0 where they reach it; null where the order is in another currency than the minimum, or
    only one of the two says its currency: then nothing is compared. What has no cost is not in the total, so that less
    may be missing than is said.
    """

    value: str
    currency: str | None
    missing: str | None


class Truck(Struct, frozen=True, kw_only=True):
    """What a truck of a supplier holds, `units` of `uom`, and how many of these its proposals fill.

    `load` is to the hundredth, `trucks` how many it takes, at least 1, and `free` what still fits into the last of
    them. `unmeasured` counts the proposals of items that do not declare the unit, which are not in the load.
    """

    units: int
    uom: str
    load: str
    trucks: int
    free: str
    unmeasured: int


def units_below(things: Sequence[OpenThing]) -> int | None:
    """How many units the proposals of an order lack of their minimum order quantities."""
    lacks = [max(0, moq - (thing.qty or 0)) for thing in things if (moq := thing.master.moq) is not None]
    return sum(lacks) if lacks else None


def minimum_of(stated: Supplier, currency: str | None, things: Sequence[OpenThing]) -> Minimum | None:
    """What an order lacks of its supplier's minimum; None where the supplier states none.

    Args:
        stated: what is known of the supplier.
        currency: that of the order, None where no policy names it.
        things: the proposals of the order.
    """
    if stated.minimum_value is None:
        return None
    values = [thing.value for thing in things if thing.value is not None]
    missing = max(NOTHING, stated.minimum_value - sum(values, NOTHING))
    return Minimum(
        value=f"{stated.minimum_value:f}",
        currency=stated.currency,
        missing=money(missing) if currency == stated.currency or not values else None,
    )


def truck_of(stated: Supplier, things: Sequence[OpenThing]) -> Truck | None:
    """How full the truck of an order is; None where its supplier states none."""
    if stated.truck_units is None or stated.truck_uom is None:
        return None
    sizes = [(thing.qty or 0, thing.master.size_of(stated.truck_uom)) for thing in things]
    load = sum(qty * PARTS // size for qty, size in sizes if size is not None)
    trucks = max(1, ceil_div(load, stated.truck_units * PARTS))
    hundredths = (load + HUNDREDTH // 2) // HUNDREDTH
    return Truck(
        units=stated.truck_units,
        uom=stated.truck_uom,
        load=_shown(hundredths),
        trucks=trucks,
        free=_shown(trucks * stated.truck_units * 100 - hundredths),
        unmeasured=sum(size is None for _, size in sizes),
    )


def _shown(hundredths: int) -> str:
    """A number of units without zeros at its end."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02}".rstrip("0").rstrip(".")
