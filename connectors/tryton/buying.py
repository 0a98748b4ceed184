"""What a draft purchase is made of: its reference, its quantities and units, our key in its notes. No I/O here.

Every line that we write bears its key in `note`, which Tryton keeps as it is when a purchase is confirmed. A purchase
that a person copies has the notes of the original, so a key counts only where the line is ours: our login has created
it, or its purchase has a reference of ours, which Tryton does not copy.
"""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Final

from connectors.base import Json, JsonObject
from connectors.mapping.values import Unreadable
from connectors.orders import Key, OrderLine
from connectors.orders.system import LineState
from connectors.profiles import IdentifierKind
from connectors.tryton.changes import changed_at
from connectors.tryton.naming import Naming
from connectors.tryton.purchases import ORDERED
from connectors.tryton.units import Unit, Units
from connectors.tryton.world import World

Bought = tuple[Decimal, Unit]
"""A quantity and its unit in Tryton."""
MARK: Final = "stockline"
LINE_FIELDS: Final = (
    "note", "quantity", "unit", "product.default_uom", "create_uid.login", "purchase.reference", "purchase.number",
    "purchase.state", "purchase.party.code", "purchase.warehouse.code", "purchase.warehouse.name",
)  # fmt: skip
OPEN_STATES: Final = ("draft", "quotation")


def reference(supplier: str, warehouse: str) -> str:
    """The reference of the draft that collects the signals of a supplier and a warehouse, by the ERP's codes."""
    return f"{MARK} {supplier} {warehouse}"


def note_with(key: Key, note: str | None = None) -> str:
    """A note that bears `key` instead of the one that it bore; what a person wrote around it stays."""
    former = Key.found_in(note or "")
    if former is not None and str(former) in (note or ""):
        return (note or "").replace(str(former), str(key))
    return f"{key}\n{note}" if note else str(key)


def key_of(record: JsonObject, login: str) -> Key | None:
    """The key of a line that is ours; None where it bears none, or is a person's copy of one that does."""
    key = Key.found_in(record["note"] or "")
    made_by_us = (record.get("create_uid.") or {}).get("login") == login
    return key if made_by_us or (record["purchase."]["reference"] or "").startswith(f"{MARK} ") else None


def order_line(world: World, record: JsonObject, login: str) -> OrderLine | None:
    """The line of a record, None where it bears no key or is a person's copy.

    A purchase that is quoted is a draft of which Tryton lets nobody change the lines. It has no supplier here, so that
    further lines get a draft of their own.
    """
    purchase, key = record["purchase."], key_of(record, login)
    if key is None:
        return None
    party, warehouse = purchase["party."], purchase.get("warehouse.") or {}
    line = OrderLine(
        key,
        str(purchase["id"]),
        str(record["id"]),
        _state(purchase["state"]),
        "" if purchase["state"] == "quotation" else _ours(world.naming, "supplier", party["code"]),
        _ours(world.naming, "location", warehouse.get("code") or warehouse.get("name")),
        purchase["number"],
        str(record["id"]),
        ordered_at=changed_at(purchase) if purchase["state"] in ORDERED else None,
    )
    try:
        base = world.units.base((record["product."] or {})["default_uom"])
        return replace(line, qty=world.units.in_base(record["quantity"], record["unit"], base))
    except (Unreadable, KeyError):
        return line


def bought(units: Units, qty: int, default: int, purchase_unit: int) -> Bought:
    """`qty` base units as a quantity to buy, exactly: in the unit of purchases, else in the item's, else in base units.

    A quantity is one of a unit where it is a multiple of the unit's rounding: 36 pieces are 3 cases, 30 are pieces.
    """
    base = units.base(default)
    for unit in (units.unit(purchase_unit), units.unit(default)):
        each = unit.factor / base.factor
        quantity = Fraction(qty) / each
        if unit.category == base.category and (quantity / Fraction(unit.rounding)).denominator == 1:
            return Decimal(quantity.numerator) / quantity.denominator, unit
    return Decimal(qty), base


def purchase_line(product: int, key: Key, quantity: Bought, priced: JsonObject) -> JsonObject:
    """The values of a new line; `priced` is what Tryton fills in for the item: price, taxes, the supplier's article.

    Where neither the supplier nor the item has a price it is 0, as in the drafts that Tryton makes itself.
    """
    added = (priced.get("taxes") or {}).get("add", [])
    return {
        "type": "line",
        "product": product,
        "product_supplier": priced.get("product_supplier"),
        "unit_price": priced.get("unit_price") or Decimal(0),
        **({"taxes": [["add", [each["id"] for _, each in added]]]} if added else {}),
        **amounts(quantity),
        **dated(key),
        "note": str(key),
    }


def amounts(quantity: Bought) -> JsonObject:
    """The values that say how much; a quantity is a Float in Tryton, which its shortest decimal form names exactly."""
    number, unit = quantity
    return {"quantity": float(number), "unit": unit.id}


def dated(key: Key) -> JsonObject:
    """The values that say when; without a day Tryton plans by the supplier's lead time."""
    return {"delivery_date_edit": key.due is not None, "delivery_date_store": key.due}


def _state(state: Json) -> LineState:
    if state in ORDERED:
        return "ordered"
    return "draft" if state in OPEN_STATES else "gone"


def _ours(naming: Naming, kind: IdentifierKind, code: str | None) -> str:
    """Our name; the ERP's code where nothing maps it, so that no further line joins such a draft."""
    try:
        return naming.ours(kind, code, 0)
    except Unreadable:
        return code or ""
