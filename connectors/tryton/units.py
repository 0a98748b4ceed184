"""Tryton's units of measure, and quantities in them as whole numbers of an item's base unit, exactly.

An item that Tryton keeps in whole units has that unit as its base unit. One that it keeps in a unit with a fraction,
such as kilograms, has the base unit that the profile names for it, such as grams. A quantity is taken from what was
moved, in the unit in which it was moved: Tryton's own figure in the item's unit is rounded, 7 g to 0.01 kg.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable

UNIT_FIELDS = ("name", "category", "factor", "rate", "digits", "rounding", "active")


@dataclass(frozen=True)
class Unit:
    """A unit; `factor` says how many of its category's reference unit it is."""

    id: int
    name: str
    category: int
    factor: Fraction
    rounding: Decimal
    active: bool = True


class Units:
    """All units of the ERP; `bases` is the profile's `base_units`, from a unit's name to that of its base unit."""

    def __init__(self, units: Iterable[Unit], bases: Mapping[str, str]) -> None:
        self._units = {unit.id: unit for unit in units}
        self._bases = bases

    def base(self, default: int) -> Unit:
        """The base unit of an item that the ERP keeps in the unit `default`. Raises `Unreadable`."""
        unit = self.unit(default)
        name = self._bases.get(unit.name)
        if name is None:
            if unit.rounding == unit.rounding.to_integral_value() and unit.rounding >= 1:
                return unit
            raise Unreadable(f"items are kept in {unit.name!r} with a fraction: name its base unit in `base_units`")
        for other in self._units.values():
            if other.name == name and other.category == unit.category:
                return other
        raise Unreadable(f"the base unit {name!r} of {unit.name!r} is no unit of its category in Tryton")

    def unit(self, number: int) -> Unit:
        """The unit with an id."""
        if number not in self._units:
            raise Unreadable(f"Tryton has no unit {number}")
        return self._units[number]

    def factors(self, base: Unit) -> dict[str, int]:
        """The units of which one is a whole number of the base unit, by name, without the base unit itself."""
        found = {}
        for unit in sorted(self._units.values(), key=lambda unit: unit.id):
            ratio = unit.factor / base.factor
            if unit.category == base.category and unit.id != base.id and unit.active and ratio.denominator == 1:
                found[unit.name] = int(ratio)
        return found

    def in_base(self, quantity: Json, number: int, base: Unit) -> int:
        """A quantity in the unit with an id, as a whole number of `base`. Raises `Unreadable` where it is none."""
        unit = self.unit(number)
        if unit.category != base.category:
            raise Unreadable(f"{unit.name!r} cannot be converted into {base.name!r}")
        found = Fraction(Decimal(quantity)) * unit.factor / base.factor
        if found.denominator != 1:
            raise Unreadable(f"{quantity} {unit.name} is no whole number of {base.name}")
        return int(found)


def unit_of(record: JsonObject) -> Unit:
    """The unit of a record of `product.uom`. The more exact of its factor and its rate counts, as in Tryton itself."""
    factor, rate = Fraction(Decimal(record["factor"])), Fraction(Decimal(record["rate"]))
    exact = factor if factor >= 1 or not rate else 1 / rate
    return Unit(
        record["id"],
        record["name"],
        record["category"],
        exact,
        Decimal(record["rounding"]),
        record.get("active", True),
    )
