"""What a supplier says is on its way: notices, with their changes and cancellations, whatever the standard."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from connectors.base import JsonObject
from connectors.edi.dates import When
from connectors.edi.message import Message, Nothing, Statement, day_of
from connectors.edi.problems import Fault, Misread
from connectors.edi.schedules import total_of
from connectors.edi.segments import Segment
from connectors.edi.values import Quantity


@dataclass(frozen=True)
class ShippedLine:
    """What a shipment brings to a line of an order; `number` is the line's own, empty where the notice has none.

    `position` is its place among the lines of the order.
    """

    segment: Segment
    order: str
    number: str
    position: int
    sku: str
    location: str
    quantity: Quantity
    eta: When | None


def notices(message: Message, lines: Iterable[ShippedLine]) -> Iterator[Statement | Nothing | Fault]:
    """An event for each line of an order: what lies in several packs is one quantity."""
    packs: dict[tuple[str, ...], list[ShippedLine]] = {}
    for line in lines:
        packs.setdefault((line.order, line.number, line.sku, line.location), []).append(line)
    _note_placed_lines(message, [parts[0] for parts in packs.values() if not parts[0].number])
    for parts in packs.values():
        try:
            total = total_of([part.quantity for part in parts])
            yield _event(message, replace(parts[0], quantity=total))
        except Misread as error:
            yield Fault.of(parts[0].segment, error)


def positions(names: Iterable[tuple[str, ...]]) -> list[int]:
    """The place of each line among the lines of its order, which comes first in its name; one named again keeps it.

    Lines that cannot be read have a place too: those behind them have the same number when it is read again.
    """
    known: dict[str, dict[tuple[str, ...], int]] = {}
    found = []
    for name in names:
        of_order = known.setdefault(name[0], {})
        found.append(of_order.setdefault(name, len(of_order) + 1))
    return found


def _note_placed_lines(message: Message, lines: Sequence[ShippedLine]) -> None:
    """Say that a notice which changes another one names lines by their place, which may be another one there."""
    if lines and message.purpose != "original" and message.values.profile.missing_line == "position":
        what = f"lines without a number in a notice that {message.purpose}s another one: their place is taken for it"
        detail = "where the two notices do not have the same lines, set `missing_line` in the profile"
        message.note(lines[0].segment, what, detail)


def _event(message: Message, line: ShippedLine) -> Statement | Nothing:
    number = message.line(line.number, line.position, line.sku)
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
