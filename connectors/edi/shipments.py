"""What a supplier says is on its way: notices, with their changes and cancellations, whatever the standard."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from connectors.base import JsonObject
from connectors.edi.message import Message, Nothing, Statement, day_of
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import one_unit
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, When


@dataclass(frozen=True)
class ShippedLine:
    """What a shipment brings to a line of an order; `number` is the line's own, empty where the notice has none."""

    segment: Segment
    order: str
    number: str
    sku: str
    location: str
    quantity: Quantity
    eta: When | None


def notices(message: Message, lines: Iterable[ShippedLine]) -> Iterator[Statement | Nothing | Fault]:
    """An event for each line of an order: what lies in several packs is one quantity.

    A line without a number is known by its item, and numbered by its place among the items of the order.
    """
    packs: dict[tuple[str, ...], list[ShippedLine]] = {}
    for line in lines:
        packs.setdefault((line.order, line.number, line.sku, line.location), []).append(line)
    positions: dict[str, int] = {}
    for (order, *_), parts in packs.items():
        positions[order] = positions.get(order, 0) + 1
        try:
            uom = one_unit(part.quantity for part in parts)
            total = Quantity(sum(part.quantity.qty for part in parts), uom)
            yield _event(message, replace(parts[0], quantity=total), positions[order])
        except Misread as error:
            yield Fault.of(parts[0].segment, error)


def _event(message: Message, line: ShippedLine, position: int) -> Statement | Nothing:
    number = message.line(line.number, position, line.sku)
    data: JsonObject = {
        "shipment": message.number, "order": line.order, "line": number, "sku": line.sku, "location": line.location,
    }  # fmt: skip
    key = (line.order, str(number), line.sku, line.location)
    if message.purpose == "cancel":
        return Statement(line.segment, "shipment.cancelled", data, key)
    if line.quantity.qty < 0 or (message.purpose == "original" and line.quantity.qty == 0):
        if line.quantity.qty:
            raise Misread(f"a shipped quantity of {line.quantity.qty}")
        return Nothing(line.segment, "a quantity of 0")
    eta = day_of(line.eta)
    data |= {"qty": line.quantity.qty} | ({"eta": eta} if eta else {})
    data |= {"uom": line.quantity.uom} if line.quantity.uom else {}
    if message.purpose == "original":
        return Statement(line.segment, "shipment.notified", data, key, counts_once=True)
    return Statement(line.segment, "shipment.changed", data, key)
