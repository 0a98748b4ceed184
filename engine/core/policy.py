"""The arithmetic of replenishment: when to order, how much, and how much safety.

Demand `d` and its deviation `sd` are units per day, lead time `L`, its deviation `sL` and review period `R` are days.
Statistics are floats; a quantity that leaves this module towards an order is an integer.

Sources: Silver, Pyke and Peterson, *Inventory Management and Production Planning and Scheduling*, 3rd ed., chapter 7
((s,Q), (R,S) and (s,S) systems); Axsaeter, *Inventory Control*, chapter 5 ((R,nQ)).
"""

from collections.abc import Sequence
from math import ceil, sqrt
from statistics import NormalDist

from msgspec import Struct

from engine.core.values import MAX_BALANCE, MAX_QUANTITY, ceil_div, round_up_to_multiple

_STANDARD = NormalDist()


class OrderQuantity(Struct, frozen=True):
    """How much to order, in base units.

    Attributes:
        qty: the quantity under all constraints; at most 10^12, the most that an order may state.
        raw: the quantity that was wanted before them.
        binding: the constraint that raised or cut it: `moq`, `multiple`, `max_qty`, `quantity_limit`, or None.
    """

    qty: int
    raw: int
    binding: str | None = None


NO_ORDER = OrderQuantity(0, 0)


def constrained(raw: int, *, moq: int = 0, multiple: int = 1, max_qty: int | None = None) -> OrderQuantity:
    """The order for a wanted quantity: at least `moq`, then up to the next multiple, then at most `max_qty`.

    A cap that is no multiple is lowered to one, as long as that leaves something to order. Where nothing is wanted,
    nothing is ordered.
    """
    if raw <= 0:
        return OrderQuantity(0, raw)
    qty, binding = raw, None
    if qty < moq:
        qty, binding = moq, "moq"
    rounded = round_up_to_multiple(qty, multiple)
    if rounded != qty:
        qty, binding = rounded, binding or "multiple"
    cap = MAX_QUANTITY if max_qty is None else min(max_qty, MAX_QUANTITY)
    if qty > cap:
        qty, binding = (cap // multiple * multiple) or cap, "max_qty" if cap == max_qty else "quantity_limit"
    return OrderQuantity(qty, min(raw, MAX_BALANCE), binding)


def broken_constraints(qty: int, *, moq: int = 0, multiple: int = 1, max_qty: int | None = None) -> list[str]:
    """The constraints that a quantity breaks, by their names in `OrderQuantity.binding`: a planner may break them."""
    broken = {"moq": qty < moq, "multiple": qty % multiple != 0, "max_qty": max_qty is not None and qty > max_qty}
    return [name for name, is_broken in broken.items() if is_broken]


def reorder_quantity(position: int, point: int, lot: int) -> int:
    """The smallest multiple of `lot` that brings the position above `point`; 0 where it is above already: (R,nQ)."""
    if position > point:
        return 0
    return ceil_div(point + 1 - position, lot) * lot


def z_value(service_level: float) -> float:
    """The standard normal quantile of a cycle service level between 0 and 1."""
    return _STANDARD.inv_cdf(service_level)


def lead_time_deviation(d: float, sd: float, L: float, sL: float) -> float:
    """The standard deviation of demand over the lead time, in units: sqrt(L*sd^2 + d^2*sL^2)."""
    return sqrt(L * sd * sd + d * d * sL * sL)


def safety_stock(service_level: float, d: float, sd: float, L: float, sL: float) -> float:
    """The safety stock for a cycle service level, in units: Z * sqrt(L*sd^2 + d^2*sL^2)."""
    return z_value(service_level) * lead_time_deviation(d, sd, L, sL)


def tracking_signal(errors: Sequence[float]) -> float:
    """The sum of the errors (forecast - actual) over their mean absolute deviation; 0 where all errors are 0."""
    deviation = sum(abs(error) for error in errors)
    return sum(errors) * len(errors) / deviation if deviation else 0.0


def whole_units(amount: float) -> int:
    """Units (or days) rounded up to a whole number, at most 10^12.

    The amount is rounded to six decimals first, so that the last bits of a float do not add a unit.
    """
    return min(ceil(round(amount, 6)), MAX_QUANTITY)
