"""What moved stock: receipts, issues and adjustments, whatever the document says them in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from connectors.base import JsonObject
from connectors.edi.codes import Condition
from connectors.edi.dates import When
from connectors.edi.message import Message, Nothing, Outcome, Statement
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import one_unit
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity, reference


@dataclass(frozen=True)
class Received:
    """A line of a receipt, by the condition that the goods are in. `number` is that of the order's line."""

    segment: Segment
    sku: str
    location: str
    parts: Mapping[Condition, list[Quantity]]
    order: str = ""
    number: str = ""
    shipment: str = ""
    when: When | None = None


def receipts(message: Message, lines: Iterable[Received]) -> Iterator[Outcome]:
    """A `goods.received` for each line; a cancelled document takes its lines back.

    A document that changes or replaces another one is refused: what it changes cannot be told from it alone.
    """
    only_original_or_cancel(message)
    for line in lines:
        try:
            yield _receipt(message, line)
        except Misread as error:
            yield Fault.of(line.segment, error)


def _receipt(message: Message, line: Received) -> Statement | Nothing:
    uom = one_unit(quantity for kind, found in line.parts.items() if kind != "none" for quantity in found)
    good, held, damaged = (
        sum(quantity.qty for quantity in line.parts.get(kind, ())) for kind in ("good", "held", "damaged")
    )
    if min(good, held, damaged) < 0:
        raise Misread("a received quantity below 0: a return is another document")
    if not (good or held or damaged):
        return Nothing(line.segment, "nothing was received")
    data: JsonObject = {"receipt": message.number, "sku": line.sku, "location": line.location, "qty": good}
    data |= {name: qty for name, qty in (("held", held), ("damaged", damaged)) if qty}
    if line.order:
        data["order"] = reference(line.order, "the order's number")
        if line.number:
            data["line"] = message.line(line.number, 0, line.sku)
    if line.shipment:
        data["shipment"] = reference(line.shipment, "the shipment's number")
    data |= {"uom": uom} if uom else {}
    key = (line.order, line.number, line.sku, line.location)
    if message.purpose == "cancel":
        return Statement(line.segment, "receipt.reversed", data, key, counts_once=True, when=line.when)
    return Statement(line.segment, "goods.received", data, key, counts_once=True, when=line.when)


def issued(segment: Segment, row: JsonObject, quantity: Quantity, when: When | None = None) -> Statement | Nothing:
    """A `stock.issued` of `row` (sku, location, order), or a `stock.returned` where the quantity is negative."""
    if not quantity.qty:
        return Nothing(segment, "a quantity of 0")
    uom: JsonObject = {"uom": quantity.uom} if quantity.uom else {}
    order = str(row.get("order", ""))
    key = (str(row["sku"]), str(row["location"]), order)
    if quantity.qty < 0:
        place = {"sku": row["sku"], "location": row["location"]}
        data: JsonObject = {**place, "qty": -quantity.qty, "disposition": "available", **uom}
        return Statement(segment, "stock.returned", data, key, counts_once=True, when=when)
    return Statement(segment, "stock.issued", {**row, "qty": quantity.qty, **uom}, key, counts_once=True, when=when)


def row_of(sku: str, location: str, order: str) -> JsonObject:
    """What an issue is of; the order where it is known."""
    named = {"order": reference(order, "the order's number")} if order else {}
    return {"sku": sku, "location": location, **named}


def only_original(message: Message) -> None:
    """Refuse a document that is no original: the contract has no event that changes what moved."""
    if message.purpose != "original":
        raise Misread(
            f"a {message.transaction.code} that {message.purpose}s another one: correct its movements with adjustments"
        )


def only_original_or_cancel(message: Message) -> None:
    """Refuse a document that changes or replaces another one."""
    if message.purpose in ("change", "replace"):
        raise Misread(
            f"a {message.transaction.code} that {message.purpose}s another one: ask for a cancellation and an original"
        )
