"""Items, warehouses and order points as events. Nothing here does I/O."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from connectors.base import JsonObject
from connectors.mapping.values import Unreadable
from connectors.tryton.places import Warehouse
from connectors.tryton.units import Units

MAX_TEXT = 1000
PRICE_STEP = Decimal("0.000001")
"""The cost of one base unit is rounded to this."""


def item_defined(sku: str, product: JsonObject, units: Units) -> JsonObject:
    """The data of `item.defined` for a product; `product` has its default unit, and the name of its template."""
    base = units.base(product["default_uom"])
    name = product["template."]["name"] or ""
    described = {"description": name[:MAX_TEXT]} if name else {}
    return {"sku": sku, "base_unit": base.name, "units": units.factors(base), **described}


def location_defined(location: str, warehouse: Warehouse, zone: str | None) -> JsonObject:
    """The data of `location.defined`; days are those of the company's time zone."""
    return {"location": location, "name": warehouse.name[:MAX_TEXT], **({"time_zone": zone} if zone else {})}


@dataclass(frozen=True)
class Offer:
    """What a supplier offers of an item: one `price` for each `unit` (an id), from `least` units on."""

    supplier: str
    lead_time: timedelta | None = None
    price: Decimal | None = None
    least: Decimal | None = None
    currency: str | None = None


def policy_set(row: tuple[str, str], point: JsonObject, units: Units, offer: Offer | None) -> JsonObject:
    """The data of `policy.set` for an order point; an `offer` is the first of its item, in the order of the ERP.

    The target is `max`; both engines order when stock falls below the minimum, and this one also when it is there.
    """
    (sku, location), product = row, point["product."]
    base = units.base(product["default_uom"])

    def quantity(name: str) -> int:
        return max(units.in_base(point[name] or 0, product["default_uom"], base), 0)

    least, target = quantity("min_quantity"), quantity("target_quantity")
    data: JsonObject = {"sku": sku, "location": location, "policy": {"kind": "min_max", "min": least, "max": target}}
    return data if offer is None else data | _terms(offer, units, product)


def policy_withdrawn(sku: str, location: str) -> JsonObject:
    """The data of `policy.set` for an order point that is gone."""
    return {"sku": sku, "location": location, "policy": {"kind": "none"}}


def first_offer(offers: Iterable[JsonObject], template: int, product: int) -> JsonObject | None:
    """The offer that Tryton would take: of the product or its whole template, first by sequence, then by id."""
    fitting = [each for each in offers if each["template"] == template and each["product"] in (None, product)]
    return min(fitting, key=lambda each: (each["sequence"] is None, each["sequence"] or 0, each["id"]), default=None)


def offer_of(record: JsonObject, supplier: str) -> Offer:
    """An offer as the ERP tells it, with the price of its smallest quantity."""
    prices = sorted(record.get("prices.") or [], key=lambda each: each["quantity"] or 0)
    first = prices[0] if prices else {"unit_price": None, "quantity": None}
    currency = record.get("currency.") or {}
    return Offer(supplier, record["lead_time"], first["unit_price"], first["quantity"], currency.get("code"))


def _terms(offer: Offer, units: Units, product: JsonObject) -> JsonObject:
    base, bought = units.base(product["default_uom"]), product["template."]["purchase_uom"]
    terms: JsonObject = {"supplier": offer.supplier}
    if offer.lead_time is not None:
        terms["lead_time_days"] = offer.lead_time.days
    if bought is None:
        return terms
    unit = units.unit(bought)
    each = unit.factor / base.factor
    step = _whole(units, unit.rounding, bought, product["default_uom"])
    if step > 1:
        terms["multiple"] = step
    if offer.least and (least := _whole(units, offer.least, bought, product["default_uom"])) > 1:
        terms["moq"] = least
    if offer.price is not None and offer.currency:
        cost = offer.price * each.denominator / each.numerator
        terms["unit_cost"] = format(cost.quantize(PRICE_STEP, ROUND_HALF_UP).normalize(), "f")
        terms["currency"] = offer.currency
    return terms


def _whole(units: Units, quantity: Decimal, unit: int, default: int) -> int:
    """A quantity in base units, 0 where it is no whole number of them: then it is no limit for an order."""
    try:
        return units.in_base(quantity, unit, units.base(default))
    except Unreadable:
        return 0
