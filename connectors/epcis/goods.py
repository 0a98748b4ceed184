"""What an event says of goods: its EPC and quantity lists as quantities by trade item."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Final

from connectors.base import Json, JsonObject
from connectors.epcis.keys import MAX_URI, Key, fault_of, parse
from connectors.mapping.values import Unreadable

SEEN: Final = (("epcList", "quantityList"), ("childEPCs", "childQuantityList"))
INPUTS: Final = (("inputEPCList", "inputQuantityList"),)
OUTPUTS: Final = (("outputEPCList", "outputQuantityList"),)


@dataclass(frozen=True)
class Goods:
    """A quantity of one trade item: `item` is its GTIN-14 or, where it has none, the URI of its class.

    `uom` is a code of UN/CEFACT Recommendation 20; None counts units of the trade item.
    """

    item: str
    qty: Decimal
    uom: str | None = None


@dataclass(frozen=True)
class Listed:
    """The goods of an event in a fixed order, and the containers of which it does not say what is in them.

    `unknown` are identifiers that are no keys of GS1, so that nothing says what they name. `fault` says why its lists
    cannot be read, which matters only where the event moves stock.
    """

    goods: tuple[Goods, ...] = ()
    containers: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    fault: str = ""


def listed(event: JsonObject, lists: Sequence[tuple[str, str]]) -> Listed:
    """The goods in some lists of an event. A serial number counts as one unit, and once if it is named twice."""
    try:
        return _listed(event, lists)
    except Unreadable as error:
        return Listed(fault=str(error))


def _listed(event: JsonObject, lists: Sequence[tuple[str, str]]) -> Listed:
    totals: defaultdict[tuple[str, str | None], Decimal] = defaultdict(Decimal)
    # A parent without children stands for all that is in it.
    parent = parse(event["parentID"]) if isinstance(event.get("parentID"), str) else None
    containers = {parent.canonical} if parent is not None and parent.role == "container" else set()
    for epcs, quantities in lists:
        for key in _serials(event, epcs):
            if key.role == "item":
                totals[key.key, None] += 1
            elif key.role == "container":
                containers.add(key.canonical)
        for item, qty, uom in _quantities(event, quantities):
            totals[item, uom] += qty
    goods = (Goods(item, qty, uom) for (item, uom), qty in totals.items() if qty)
    unknown = (str(uri) for epcs, _ in lists for uri in _list(event, epcs) if parse(str(uri)) is None)
    return Listed(
        tuple(sorted(goods, key=lambda each: (each.item, each.uom or ""))), tuple(sorted(containers)), tuple(unknown)
    )


def _serials(event: JsonObject, name: str) -> Iterator[Key]:
    seen: set[str] = set()
    for uri in _list(event, name):
        if not isinstance(uri, str):
            raise Unreadable(f"{name}: an identifier is a text, not {uri!r:.100}")
        key = parse(uri)
        if key is None:
            _refuse_damaged(name, uri)
            continue
        if key.canonical in seen:
            continue
        if key.role == "item" and not key.is_one:
            raise Unreadable(f"{name}: {uri:.200} names a class of things; its quantity belongs into a quantity list")
        seen.add(key.canonical)
        yield key


def _quantities(event: JsonObject, name: str) -> Iterator[tuple[str, Decimal, str | None]]:
    for element in _list(event, name):
        if not isinstance(element, dict):
            raise Unreadable(f"{name}: an element is an object, not {element!r:.100}")
        uri, quantity, uom = element.get("epcClass"), element.get("quantity"), element.get("uom")
        if not isinstance(uri, str) or not 0 < len(uri) <= MAX_URI:
            raise Unreadable(f"{name}: an element has no `epcClass`")
        key = parse(uri)
        if key is None:
            _refuse_damaged(name, uri)
        elif key.role != "item":
            continue
        if quantity is None:
            raise Unreadable(f"{name}: {uri:.200} has no quantity, so it says nothing of stock")
        yield uri if key is None else key.key, _decimal(name, quantity), str(uom) if uom else None


def _refuse_damaged(name: str, uri: str) -> None:
    """Raise `Unreadable` for what was meant to be a key of GS1: without it the goods would be fewer than they are."""
    if fault := fault_of(uri):
        raise Unreadable(f"{name}: {uri:.200} {fault}")


def _decimal(name: str, value: Json) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise Unreadable(f"{name}: {value!r:.100} is not a quantity") from None
    digits = number.as_tuple()
    if not isinstance(digits.exponent, int) or number < 0 or number.adjusted() > 15 or digits.exponent < -9:
        raise Unreadable(f"{name}: {value!r:.100} is not a quantity")
    return number


def _list(event: JsonObject, name: str) -> list[Json]:
    found = event.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Unreadable(f"{name} is not a list")
    return found
