"""What an EPCIS event says in the words of the contract: the data of the event that a rule names."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from connectors.base import JsonObject
from connectors.epcis.goods import Goods
from connectors.epcis.reading import Document, EpcisReading, Seen
from connectors.epcis.rules import Meaning, Rule, Status
from connectors.mapping.values import Unreadable
from connectors.ports import Identifiers

MAX_PART: Final = 80
"""A longer name of a part, such as a long class URI, is replaced by its digest in the ids of events."""
MAX_REFERENCE: Final = 128


@dataclass(frozen=True)
class Told:
    """An event of the contract: its type and data, and which part of the EPCIS event it tells."""

    type: str
    data: JsonObject
    part: str


class Names:
    """Our names for a partner's identifiers. Its methods raise `Unmapped`."""

    def __init__(self, reading: EpcisReading, identifiers: Identifiers) -> None:
        self._reading = reading
        self._identifiers = identifiers

    def place(self, gln: str | None) -> str | None:
        """Our location, None for a place of others. Raises `Unreadable` where the event names none."""
        if gln is None:
            raise Unreadable("it names no place: no bizLocation, no readPoint, and no source or destination location")
        if self._reading.own and not gln.startswith(self._reading.own):
            return None
        return self._identifiers.ours("location", self._reading.partner, gln)

    def quantity(self, goods: Goods) -> JsonObject:
        """The fields `sku`, `qty` and, where it is not the base unit, `uom`. Raises `Unreadable` for a fraction."""
        sku = self._identifiers.ours("item", self._reading.partner, goods.item)
        factor, uom = self._unit(goods)
        qty = Fraction(goods.qty) * factor
        if qty.denominator != 1:
            raise Unreadable(
                f"{goods.qty} {goods.uom or 'units'} of {goods.item} is no whole number of {uom or 'the base unit'}: "
                f"give the profile a factor, as in `units = {{ {goods.uom or 'KGM'} = 1000 }}`"
            )
        return {"sku": sku, "qty": qty.numerator} | ({"uom": uom} if uom else {})

    def _unit(self, goods: Goods) -> tuple[int, str | None]:
        if goods.uom is None:
            return 1, self._reading.packages.get(goods.item)
        unit = self._reading.units.get(goods.uom)
        if unit is None:
            unit = self._identifiers.ours("unit", self._reading.partner, goods.uom)
        return (unit, None) if isinstance(unit, int) else (1, unit)


@dataclass(frozen=True)
class _Frame:
    """What the data of every part of one EPCIS event have in common: our places, and where the goods belong."""

    event: Seen
    reading: EpcisReading
    names: Names
    location: str
    status: Status

    def number(self, *kinds: str) -> str | None:
        """The number of the first document of these kinds that the event names."""
        found = next((self.event.documents[kind].number for kind in kinds if kind in self.event.documents), None)
        return None if found is None else found[:MAX_REFERENCE]

    def needed(self, what: str, *kinds: str) -> str:
        """The same; raises `Unreadable` where it names none."""
        if (number := self.number(*kinds)) is None:
            raise Unreadable(f"it names no {what}: no business transaction of the type {' or '.join(kinds)}")
        return number

    def other(self, gln: str | None) -> str:
        """Our location at the other side of a transfer."""
        if (place := self.names.place(gln)) is None:
            raise Unreadable("a transfer goes from and to places that are ours, and one side is not")
        return place


def tell(event: Seen, rule: Rule, reading: EpcisReading, names: Names) -> list[Told]:
    """The events of the contract for each trade item; none where it all happened at a place of others."""
    assert rule.type is not None
    location = names.place(_place_of(rule.type, event))
    if location is None:
        return []
    frame = _Frame(event, reading, names, location, rule.status or reading.status(event.disposition))
    data_of = _DATA[rule.type]
    found = []
    for part, quantity in _quantities(event, rule.sign, names):
        uom = {"uom": quantity["uom"]} if "uom" in quantity else {}
        data = {"sku": quantity["sku"]} | data_of(frame, quantity["qty"]) | uom
        found.append(Told(rule.type, data, part))
    return _counted_once(found) if rule.type == "stock.counted" else found


def _quantities(event: Seen, sign: int, names: Names) -> Iterator[tuple[str, JsonObject]]:
    """The name of each part, with its item and quantity; what goes into a transformation is negative."""
    for factor, prefix, goods in ((sign, "", event.goods), (-1, "in-", event.inputs)):
        for each in goods.goods:
            quantity = names.quantity(each)
            part = f"{each.item}-{each.uom}" if each.uom else each.item
            short = part if len(part) <= MAX_PART else hashlib.sha256(part.encode()).hexdigest()
            yield prefix + short, quantity | {"qty": quantity["qty"] * factor}


def _place_of(meaning: Meaning, event: Seen) -> str | None:
    """Where it happened: goods arrive where they are after the event, and leave where they were before it."""
    if meaning in ("goods.received", "transfer.received", "stock.returned"):
        return event.came_to
    if meaning == "shipment.notified":
        return event.destination
    if meaning in ("stock.issued", "transfer.shipped", "stock.returned_to_supplier"):
        return event.left_from
    return event.here


def _counted_once(told: list[Told]) -> list[Told]:
    """Counts of one item in one event are added up, since the engine takes the latest count and not their sum."""
    by_sku: dict[str, Told] = {}
    for each in told:
        sku = each.data["sku"]
        if (first := by_sku.get(sku)) is None:
            by_sku[sku] = each
        elif first.data.get("uom") != each.data.get("uom"):
            raise Unreadable(f"it counts {sku} in two units: give the profile's `units` whole factors")
        else:
            whole = first.data | {"qty": first.data["qty"] + each.data["qty"]}
            by_sku[sku] = Told(first.type, whole, first.part)
    return list(by_sku.values())


def _received(frame: _Frame, qty: int) -> JsonObject:
    status = frame.status
    data: JsonObject = {
        "receipt": frame.number("recadv", "desadv") or frame.event.name[-MAX_REFERENCE:],
        "location": frame.location,
        "qty": qty if status == "available" else 0,
    }
    if status != "available":
        data["held" if status == "held" else "damaged"] = qty
    order = frame.event.documents.get("po")
    if order is not None:
        data |= {"order": order.number[:MAX_REFERENCE]} | ({"line": order.line} if order.line else {})
    return data | _named("shipment", frame.number("desadv"))


def _notified(frame: _Frame, qty: int) -> JsonObject:
    frame.needed("order", "po")
    order: Document = frame.event.documents["po"]
    line = order.line or frame.reading.line
    if line is None:
        raise Unreadable(
            "a shipment from a supplier names no line of its order: the profile's `documents.po` finds it in the "
            "business transaction, or `line` gives one for all"
        )
    shipment = frame.needed("shipment", "desadv", "bol")
    order_number = order.number[:MAX_REFERENCE]
    return {"shipment": shipment, "order": order_number, "line": line, "location": frame.location, "qty": qty}


def _transfer_shipped(frame: _Frame, qty: int) -> JsonObject:
    return {
        "transfer": frame.needed("transfer", *frame.reading.transfer),
        "from": frame.location,
        "to": frame.other(frame.event.destination),
        "qty": qty,
    }


def _transfer_received(frame: _Frame, qty: int) -> JsonObject:
    if frame.status == "damaged":
        raise Unreadable("a transfer was received damaged: the contract knows available and held ones only")
    transfer = frame.needed("transfer", *frame.reading.transfer)
    held = frame.status == "held"
    return {"transfer": transfer, "to": frame.location, "qty": 0 if held else qty} | ({"held": qty} if held else {})


def _at(frame: _Frame, qty: int) -> JsonObject:
    return {"location": frame.location, "qty": qty}


def _adjusted(frame: _Frame, qty: int) -> JsonObject:
    return _at(frame, qty) | _held(frame) | {"reason": f"EPCIS {frame.event.step or frame.event.kind}"[:1000]}


def _counted(frame: _Frame, qty: int) -> JsonObject:
    return _at(frame, qty) | _held(frame)


def _issued(frame: _Frame, qty: int) -> JsonObject:
    return _at(frame, qty) | _named("order", frame.number("po"))


def _returned(frame: _Frame, qty: int) -> JsonObject:
    return _at(frame, qty) | {"disposition": "scrap" if frame.status == "damaged" else frame.status}


def _returned_to_supplier(frame: _Frame, qty: int) -> JsonObject:
    # Goods that go back say `returned`, which of itself does not tell that they were on hold here.
    return _at(frame, qty) | _named("order", frame.number("po")) | {"reason": "EPCIS returned"}


def _held(frame: _Frame) -> JsonObject:
    return {} if frame.status == "available" else {"status": "held"}


def _named(name: str, value: str | None) -> JsonObject:
    return {} if value is None else {name: value}


_DATA: Final[dict[Meaning, Callable[[_Frame, int], JsonObject]]] = {
    "goods.received": _received,
    "shipment.notified": _notified,
    "stock.adjusted": _adjusted,
    "stock.counted": _counted,
    "stock.held": _at,
    "stock.issued": _issued,
    "stock.released": _at,
    "stock.returned": _returned,
    "stock.returned_to_supplier": _returned_to_supplier,
    "transfer.received": _transfer_received,
    "transfer.shipped": _transfer_shipped,
}
