"""Item masters and their units.

Rows: `Item`, the latest definition of a sku, and `Definition`, one for each `item.defined`, ordered by its time: a
quantity in another unit is converted by the factor that was in force when the event happened.
"""

from itertools import islice
from typing import Any

import msgspec

from agents import alerts
from agents.turn import Turn
from engine.core import payloads as p
from engine.core.outcomes import Rejection
from engine.core.values import MAX_QUANTITY
from tables import keys
from tables.directory import (
    Definition,
    Item,
    definitions_of,
    item_key,
    row_of_unknown_item,
    unknown_item_key,
    unknown_items_of,
)
from tables.stock import Stock

RESOLVED_PER_EVENT = 500
"""How many rows an item master makes known at once; the others see it with their next event."""
SCALED = ("qty", "held", "damaged", "on_hand", "on_order")


def define_item(turn: Turn, data: p.ItemDefinedData) -> None:
    """`item.defined`: the latest `time` wins; its units hold from its own time on."""
    rank = (0, turn.at, turn.identity)
    old = turn.item(data.sku)
    if old is None or rank > old.rank:
        item = Item(data.base_unit, data.units, rank, data.description, data.abc, data.substitutes)
        turn.put(item_key(data.sku), item)
    key = keys.ranked(definitions_of(data.sku), turn.at, turn.identity)
    turn.put(key, Definition(data.base_unit, data.units))
    waiting = turn.scan(*unknown_items_of(data.sku))
    for name, _ in list(islice(waiting, RESOLVED_PER_EVENT)):
        row = row_of_unknown_item(name)
        _known(turn, row, turn.stock(row))


def watch_item(turn: Turn, row: bytes) -> None:
    """Raise `unknown_item` while the sku of a row has no item master."""
    stock = turn.stock(row)
    sku, location = keys.names(row)
    if turn.item(sku) is not None:
        _known(turn, row, stock)
    elif not stock.version:
        turn.put(unknown_item_key(sku, location), b"")
        alerts.raise_alert(turn, row, "unknown_item", {"sku": sku, "events": [turn.ref]})


def _known(turn: Turn, row: bytes, stock: Stock) -> None:
    stock.item_known = True
    if stock.alerts:
        turn.put(unknown_item_key(*keys.names(row)), None)
        alerts.clear_alert(turn, row, "unknown_item")


def units_at(turn: Turn, sku: str) -> Item | Definition | None:
    """The units of an item as of the event's time; before its first definition the first, without any None."""
    item = turn.item(sku)
    if item is None or turn.at >= item.rank[1]:
        return item
    prefix = definitions_of(sku)
    start, stop = keys.ranked_range(prefix, turn.at + 1)
    found = next(turn.scan(start, stop, reverse=True), None) or next(turn.scan(start, prefix + b"\x01"))
    definition: Definition = found[1]
    return definition


def to_base_units(turn: Turn) -> Rejection | None:
    """Convert the event's quantities exactly into the item's base unit; a unit that is not declared is refused."""
    data: Any = turn.data
    item = units_at(turn, data.sku)
    factor = None if item is None else 1 if data.uom == item.base_unit else item.units.get(data.uom)
    if factor is None:
        known = "the item is not defined" if item is None else f"it declares {[item.base_unit, *item.units]}"
        return Rejection("unknown_unit", f"{data.sku} has no unit {data.uom!r}: {known}")
    changes: dict[str, Any] = {
        name: _scaled(getattr(data, name, None), factor) for name in SCALED if hasattr(data, name)
    }
    for name in ("buckets", "schedule"):
        if hasattr(data, name):
            changes[name] = [msgspec.structs.replace(part, qty=part.qty * factor) for part in getattr(data, name)]
    quantities = [value for value in changes.values() if isinstance(value, int)]
    quantities += [part.qty for name in ("buckets", "schedule") for part in changes.get(name, ())]
    if any(abs(qty) > MAX_QUANTITY for qty in quantities):
        return Rejection("quantity_out_of_range", f"in base units a quantity is beyond {MAX_QUANTITY}")
    turn.data = msgspec.structs.replace(data, uom=None, **changes)
    return None


def _scaled(qty: int | None, factor: int) -> int | None:
    return None if qty is None else qty * factor
