"""The directory: items with their units, locations with their time zones, and what suppliers ask of an order.

Rows: `Item`, the latest definition of a sku; `Definition`, one for each `item.defined`, ordered by its time, because a
quantity in another unit is converted by the factor that was in force when the event happened; `Location` and
`Supplier`, of which every partition has its own copy; and a list of the rows whose item is not defined.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

from msgspec.structs import replace

from agents import alerts
from agents.turn import Site, Turn
from engine.core import payloads as p
from engine.core.fields import Data, SkuData
from engine.core.outcomes import Rejection
from engine.core.values import MAX_QUANTITY
from tables import keys
from tables.directory import (
    Definition,
    Item,
    Location,
    Supplier,
    definitions_of,
    item_key,
    location_key,
    row_of_unknown_item,
    supplier_key,
    unknown_item_key,
    unknown_items_of,
)
from tables.table import Key

RESOLVED_PER_EVENT = 500
"""How many rows an item master makes known at once; the others see it with their next event."""


# items ----------------------------------------------------------------------------------------------------------------


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
        _known(turn.site(row_of_unknown_item(name)))


def watch_item(site: Site) -> None:
    """Raise `unknown_item` while the sku of a row has no item master."""
    if site.turn.item(site.sku) is not None:
        _known(site)
    elif not site.stock.version:
        site.turn.put(unknown_item_key(site.sku, site.location), b"")
        alerts.raise_alert(site, "unknown_item", {"sku": site.sku, "events": [site.turn.ref]})


def _known(site: Site) -> None:
    site.stock.item_known = True
    if site.has_alerts:
        site.turn.put(unknown_item_key(site.sku, site.location), None)
        alerts.clear_alert(site, "unknown_item")


# units ----------------------------------------------------------------------------------------------------------------


def units_at(turn: Turn, sku: str) -> Item | Definition | None:
    """The units of an item as of the event's time; before its first definition those of the first."""
    item = turn.item(sku)
    if item is None or turn.at >= item.rank[1]:
        return item
    prefix = definitions_of(sku)
    start, stop = keys.ranked_range(prefix, turn.at + 1)
    found = next(turn.scan(start, stop, reverse=True), None) or next(turn.scan(start, prefix + b"\x01"))
    definition: Definition = found[1]
    return definition


def in_base_units(turn: Turn, data: SkuData, uom: str, quantities: tuple[str, ...]) -> Data | Rejection:
    """Convert an event's quantities exactly into the item's base unit.

    Args:
        turn: the event's turn.
        data: the event's data.
        uom: the unit of its quantities.
        quantities: the fields that the unit scales; a list holds parts, each of which has a `qty`.

    Returns:
        The data in base units, or a rejection where the item declares no such unit or a quantity becomes too large.
    """
    item = units_at(turn, data.sku)
    factor = None if item is None else 1 if uom == item.base_unit else item.units.get(uom)
    if factor is None:
        known = "the item is not defined" if item is None else f"it declares {[item.base_unit, *item.units]}"
        return Rejection("unknown_unit", f"{data.sku} has no unit {uom!r}: {known}")
    changes = {name: _scaled(getattr(data, name), factor) for name in quantities}
    if any(abs(qty) > MAX_QUANTITY for value in changes.values() for qty in _whole(value)):
        return Rejection("quantity_out_of_range", f"in base units a quantity is beyond {MAX_QUANTITY}")
    return replace(data, uom=None, **changes)


Parts = Sequence[p.Bucket | p.Promise]


def _scaled(value: int | Parts | None, factor: int) -> int | Parts | None:
    if value is None or isinstance(value, int):
        return None if value is None else value * factor
    return [replace(part, qty=part.qty * factor) for part in value]


def _whole(value: int | Parts | None) -> Iterator[int]:
    """The quantities of a scaled field."""
    if isinstance(value, int):
        yield value
    elif value is not None:
        yield from (part.qty for part in value)


# locations and suppliers ----------------------------------------------------------------------------------------------


def define_location(turn: Turn, data: p.LocationDefinedData) -> None:
    """`location.defined`: the latest `time` wins."""
    rank = (0, turn.at, turn.identity)
    _keep_latest(
        turn, location_key(turn.partition, data.location), Location(data.time_zone, rank, data.name, data.working_days)
    )


def define_supplier(turn: Turn, data: p.SupplierDefinedData) -> None:
    """`supplier.defined`: the latest `time` wins, as a whole: what it does not state is not known any more."""
    rank = (0, turn.at, turn.identity)
    stated = Supplier(rank, data.minimum_value, data.currency, data.truck_units, data.truck_uom)
    _keep_latest(turn, supplier_key(turn.partition, data.supplier), stated)


D = TypeVar("D", Location, Supplier)


def _keep_latest(turn: Turn, key: Key[D], stated: D) -> None:
    """Keep what is stated, unless what is kept was stated for a later time."""
    old = turn.get(key)
    if old is None or stated.rank > old.rank:
        turn.put(key, stated)
